"""Rows of the fused operations of networks: linear maps, losses, normalisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minigrad.ops.loss import gaussian_kl
from tests.minigrad.ops.cases import Case, fixed, shapes
from tests.minigrad.ops.row import BOOLS, Row

SIZE = st.sampled_from([2, 3, 1, 4])
REDUCTION = st.sampled_from(["mean", "sum", "none"])


def functional(name: str) -> Callable[..., Any]:
    return lambda m, *args, **options: getattr(m.nn.functional, name)(*args, **options)


def pairs(**options: st.SearchStrategy[Any]) -> st.SearchStrategy[Case]:
    """An input and a target of one shape."""
    return st.builds(
        lambda s, more: Case((s, s), more), shapes(), st.fixed_dictionaries({"reduction": REDUCTION, **options})
    )


@st.composite
def weighted(draw: Any, pos_weight: bool = False) -> Case:
    """An input and a target of one shape, and perhaps weights that broadcast with them."""
    shape = draw(shapes(1, 2, SIZE))
    options: dict[str, Any] = {"reduction": draw(REDUCTION)}
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    for name in ("weight", "pos_weight")[: 1 + pos_weight]:
        if draw(BOOLS):
            options[name] = rng.random(shape[-1]) + 0.5
    return Case((shape, shape), options)


@st.composite
def classes(draw: Any, smoothing: bool = False) -> Case:
    """A batch of logits ``(N, C, *)`` and the class of each."""
    n, c, *rest = draw(SIZE), draw(SIZE), *draw(shapes(0, 1, SIZE))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    options: dict[str, Any] = {"target": rng.integers(0, c, (n, *rest)), "reduction": draw(REDUCTION)}
    if draw(BOOLS):
        options["weight"] = rng.random(c) + 0.5
    if (
        draw(BOOLS) and len(set(options["target"].flat)) > 1
    ):  # if all are ignored the loss is nan: test_losses looks there
        options["ignore_index"] = int(options["target"].flat[0])
    if smoothing:
        options["label_smoothing"] = 0.1
    return Case(((n, c, *rest),), options)


def of_classes(name: str) -> Callable[..., Any]:
    return lambda m, x, target, weight=None, **options: getattr(m.nn.functional, name)(
        x, target, None if weight is None else weight.to(x.dtype), **options
    )


def with_weights(name: str) -> Callable[..., Any]:
    return lambda m, x, target, reduction, **weights: getattr(m.nn.functional, name)(
        x, target, reduction=reduction, **{k: w.to(x.dtype) for k, w in weights.items()}
    )


def normalised(learned: bool) -> st.SearchStrategy[Case]:
    """A batch whose rows are normalised, and what scales and shifts them."""
    return st.builds(lambda n, d: Case(((n, d), (d,), (d,))[: 3 if learned else 1], {}), st.sampled_from([2, 3]), SIZE)


def layer_norm(m: Any, x: Any, weight: Any = None, bias: Any = None) -> Any:
    return m.nn.functional.layer_norm(x, x.shape[-1:], weight, bias)


def batch_norm(training: bool) -> Callable[..., Any]:
    def call(m: Any, x: Any, weight: Any = None, bias: Any = None) -> Any:
        mean, var = m.zeros(x.shape[1], dtype=x.dtype) + 0.2, m.ones(x.shape[1], dtype=x.dtype) * 2
        return m.nn.functional.batch_norm(x, mean, var, weight, bias, training=training)

    return call


LOSSES = [
    Row(
        "linear",
        functional("linear"),
        st.builds(lambda n, i, o, bias: Case(((n, i), (o, i), (o,))[: 2 + bias], {}), SIZE, SIZE, SIZE, BOOLS),
        special=0,
        dtypes="f",
        mixed=False,
    ),
    Row(
        "linear of a vector",
        functional("linear"),
        st.builds(lambda i, o: Case(((i,), (o, i), (o,)), {}), SIZE, SIZE),
        special=0,
        dtypes="d",
        mixed=False,
    ),
    Row(
        "linear of a stack",
        functional("linear"),
        fixed((2, 2, 3), (4, 3), (4,)),
        special=0,
        dtypes="d",
        mixed=False,
    ),
    *[Row(n, functional(n), pairs(), special=0, dtypes="d", mixed=False) for n in ("mse_loss", "l1_loss")],
    Row(
        "smooth_l1_loss",
        functional("smooth_l1_loss"),
        pairs(beta=st.sampled_from([1.0, 0.3])),
        kinks=1,
        special=0,
        dtypes="d",
        mixed=False,
    ),
    Row(
        "huber_loss",
        functional("huber_loss"),
        pairs(delta=st.sampled_from([1.0, 0.4])),
        kinks=1,
        special=0,
        dtypes="d",
        mixed=False,
    ),
    Row(
        "binary_cross_entropy",
        lambda m, x, target, **more: with_weights("binary_cross_entropy")(m, m.sigmoid(x), m.sigmoid(target), **more),
        weighted(),
        special=-1,  # where the sigmoid is 0 or 1; test_losses looks there
        dtypes="d",
        mixed=False,
        exact=10,
    ),
    Row(
        "binary_cross_entropy_with_logits",
        with_weights("binary_cross_entropy_with_logits"),
        weighted(True),
        kinks=1,
        special=0,
        dtypes="d",
        mixed=False,
    ),
    Row("cross_entropy", of_classes("cross_entropy"), classes(), kinks=1, special=0, dtypes="d"),
    Row(
        "cross_entropy smoothed",
        of_classes("cross_entropy"),
        classes(True),
        kinks=1,
        special=0,
        dtypes="d",
    ),
    Row("nll_loss", of_classes("nll_loss"), classes(), kinks=1, special=0, dtypes="d"),
    Row(
        "gaussian_kl",
        lambda m, mu, logvar: gaussian_kl(mu, logvar),
        shapes().map(lambda s: Case((s, s), {})),
        torch=lambda m, mu, logvar: -0.5 * m.sum(1 + logvar - mu.pow(2) - logvar.exp()),
        special=0,
        dtypes="d",
        mixed=False,
    ),
    *[
        Row(name, call, normalised(learned), kinks=-1, special=-1, dtypes="d", mixed=False, exact=100)
        for learned in (True, False)
        for name, call in (
            (f"layer_norm {'learned' if learned else 'plain'}", layer_norm),
            (f"batch_norm {'learned' if learned else 'plain'}", batch_norm(True)),
            (f"batch_norm of running values {'learned' if learned else 'plain'}", batch_norm(False)),
        )
    ],
]
