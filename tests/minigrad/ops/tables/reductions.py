"""Rows of the operations that reduce, accumulate or order along axes."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from tests.minigrad.ops.cases import Case, dims, each, many_dims, one_dim, shapes, some_dims
from tests.minigrad.ops.row import BOOLS, Row, function

P = st.sampled_from([2, 1, 3, 0, math.inf, -math.inf, 0.5, 1.5, "fro"])


def spread(corrections: tuple[int, ...] = (0, 1, 2)) -> st.SearchStrategy[Case]:
    return many_dims(keepdim=BOOLS, correction=st.sampled_from(corrections))


def several(case: Case) -> bool:
    return math.prod(case.shapes[0]) > 1


def filled(case: Case) -> bool:
    return 0 not in case.shapes[0]


def enough(case: Case) -> bool:
    """Whether there are more elements than ``correction`` takes away."""
    (shape,), dim = case.shapes, case.options["dim"]
    axes = range(len(shape)) if dim in (None, ()) or not shape else dim if isinstance(dim, tuple) else (dim,)
    return math.prod(shape[a] for a in axes) > case.options["correction"]


REDUCTIONS = [
    *[Row(f"{n} of all", function(n), each()) for n in ("sum", "mean", "max", "min")],
    Row("prod of all", function("prod"), each(), special=0),
    *[Row(f"{n} of all", function(n), each().filter(several)) for n in ("var", "std")],
    *[Row(n, function(n), many_dims(keepdim=BOOLS), title=False) for n in ("sum", "mean")],
    *[Row(f"{n} of few", function(n), spread((0, 1)), order=1, dtypes="f", special=0) for n in ("var", "std")],
    *[Row(n, function(n), spread().filter(enough), dtypes="f") for n in ("var", "std")],
    Row("var unbiased", lambda m, x, unbiased: x.var(unbiased), each(unbiased=BOOLS).filter(several), dtypes="f"),
    Row(
        "var along dim unbiased",
        lambda m, x, dim, unbiased: x.var(dim, unbiased),
        one_dim(1, unbiased=BOOLS).filter(lambda c: c.shapes[0][c.options["dim"]] > 1),
        dtypes="f",
    ),
    Row("sum as dtype", lambda m, x, dim: x.sum(dim, dtype=m.float64), one_dim()),
    Row("prod", function("prod"), one_dim(keepdim=BOOLS), special=0, title=False),
    Row("cumsum", function("cumsum"), one_dim()),
    Row("cumprod", function("cumprod"), one_dim(), special=0),
    *[
        Row(
            n,
            function(n),
            shapes().flatmap(
                lambda s: st.builds(
                    lambda dim, keepdim: Case((s,), {"dim": dim, "keepdim": keepdim}),
                    st.one_of(dims(len(s)), some_dims(len(s))),
                    BOOLS,
                )
            ),
        )
        for n in ("amax", "amin")
    ],
    *[Row(f"{n} along dim", function(n), one_dim(keepdim=BOOLS), dtypes="fi") for n in ("max", "min")],
    *[Row(n, function(n), one_dim(keepdim=BOOLS), order=0, dtypes="fi") for n in ("argmax", "argmin")],
    *[Row(f"{n} of all", function(n), each(), order=0, dtypes="fi") for n in ("argmax", "argmin")],
    *[Row(n, function(n), one_dim(keepdim=BOOLS), order=0) for n in ("all", "any")],
    *[Row(f"{n} of all", function(n), each(), order=0) for n in ("all", "any")],
    Row("count_nonzero", function("count_nonzero"), many_dims(), order=0),
    Row("sort", lambda m, x, **o: m.sort(x, stable=True, **o), one_dim(descending=BOOLS), title=False),
    Row("argsort", lambda m, x, **o: m.argsort(x, stable=True, **o), one_dim(descending=BOOLS), order=0),
    Row(
        "topk",
        lambda m, x, **o: m.topk(x, **o).values,
        one_dim(k=st.integers(0, 3), largest=BOOLS),
        kinks=0,
        special=0,
        dtypes="fi",
    ),
    Row(
        "logsumexp",
        function("logsumexp"),
        many_dims(keepdim=BOOLS).filter(lambda c: c.options["dim"] is not None),
        dtypes="fi",
    ),
    Row("softmax", function("softmax"), one_dim(), dtypes="f"),
    Row("log_softmax", function("log_softmax"), one_dim(), dtypes="f"),
    Row("softmax as dtype", lambda m, x, dim: m.softmax(x, dim, dtype=m.float64), one_dim()),
    Row("norm", function("norm"), many_dims(keepdim=BOOLS, p=P).filter(filled), kinks=1, special=0, dtypes="f"),
    Row("norm of all", function("norm"), each(p=P).filter(filled), kinks=1, special=0, dtypes="f"),
    Row("norm of none", function("norm"), each(p=st.sampled_from([1, 2, 3, 0.5])), order=1, special=0, dtypes="f"),
    Row(
        "vector_norm",
        lambda m, x, **o: m.linalg.vector_norm(x, **o),
        many_dims(ord=P.filter(lambda p: p != "fro")).filter(filled),
        kinks=1,
        special=0,
        dtypes="f",
    ),
]
