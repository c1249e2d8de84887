"""Random programs of many operations, with sharing, views and in-place changes: values and gradients as PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad

# Each step takes tensors of shape (3, 3) and gives one of shape (3, 3), bounded so that long programs stay finite.
ONE: list[Callable[[Any, Any], Any]] = [
    lambda m, x: x.tanh(),
    lambda m, x: x.sin() * 2,
    lambda m, x: m.sigmoid(x) - 0.3,
    lambda m, x: x.relu() - 0.1,
    lambda m, x: x.softmax(1),
    lambda m, x: x.log_softmax(0) * 0.3,
    lambda m, x: x.t(),
    lambda m, x: x.flip(0),
    lambda m, x: x[[2, 0, 0]],
    lambda m, x: x[:, 1:2].expand(3, 3),
    lambda m, x: x - x.mean(0, keepdim=True),
    lambda m, x: x / (x.std() + 1),
    lambda m, x: x.cumsum(1) * 0.5,
    lambda m, x: x.sort(1).values,
    lambda m, x: x.max(0).values + x * 0.5,
    lambda m, x: m.where(x > 0, x, -0.5 * x),
    lambda m, x: x.clamp(-1, 1),
    lambda m, x: x.reshape(9).reshape(3, 3).triu() + x.tril(-1),
    lambda m, x: m.stack(x.unbind(0), 1),
    lambda m, x: m.cat(x.split([1, 2], 0)[::-1], 0),
    lambda m, x: (x * x + 1).sqrt(),
    lambda m, x: x.masked_fill(x > 1, 0.5),
    lambda m, x: x.gather(1, m.tensor([[0, 2, 2], [1, 1, 0], [2, 0, 1]])),
    lambda m, x: x.float().double() * 0.9,
]
TWO: list[Callable[[Any, Any, Any], Any]] = [
    lambda m, x, y: x + y,
    lambda m, x, y: x - 2 * y,
    lambda m, x, y: x * y.tanh(),
    lambda m, x, y: x / (y * y + 1),
    lambda m, x, y: x @ y.softmax(0),
    lambda m, x, y: m.maximum(x, y),
    lambda m, x, y: m.einsum("ij,kj->ik", x, y) * 0.2,
    lambda m, x, y: m.where(x > y, x.sin(), y),
    lambda m, x, y: x + y[0],
    lambda m, x, y: m.lerp(x, y, 0.3),
]


def _add(m: Any, x: Any, y: Any) -> None:
    x.add_(y, alpha=0.5)


def _scale(m: Any, x: Any, y: Any) -> None:
    x.mul_(0.5)


def _row(m: Any, x: Any, y: Any) -> None:
    x[1] = y[0]


def _column(m: Any, x: Any, y: Any) -> None:
    x[:, 2].mul_(0.3)


def _masked(m: Any, x: Any, y: Any) -> None:
    x[m.tensor([True, False, True])] = y[:2] * 0.5


IN_PLACE: list[Callable[[Any, Any, Any], None]] = [_add, _scale, _row, _column, _masked]

steps = st.lists(
    st.one_of(
        st.tuples(st.just("one"), st.integers(0, len(ONE) - 1), st.integers(0, 50), st.just(0)),
        st.tuples(st.just("two"), st.integers(0, len(TWO) - 1), st.integers(0, 50), st.integers(0, 50)),
    ),
    min_size=3,
    max_size=25,
)


def run(m: Any, program: Any, seed: int) -> tuple[list[Any], Any]:
    """Two leaves, each step on earlier values, and a loss of all that came out."""
    rng = np.random.default_rng(seed)
    leaves = [m.tensor(rng.standard_normal((3, 3)), requires_grad=True) for _ in range(2)]
    values = list(leaves)
    for kind, which, a, b in program:
        x, y = values[a % len(values)], values[b % len(values)]
        values.append(ONE[which](m, x) if kind == "one" else TWO[which](m, x, y))
    loss = sum((v * (k + 1) / len(values)).sum() for k, v in enumerate(values[-4:]))
    return leaves, loss


quick = settings(max_examples=120, deadline=None, derandomize=True, database=None)


@quick
@given(program=steps, seed=st.integers(0, 10_000))
def test_program_has_the_gradients_of_pytorch(program: Any, seed: int) -> None:
    found = []
    for m in (minigrad, torch):
        leaves, loss = run(m, program, seed)
        first = m.autograd.grad(loss, leaves, create_graph=True, allow_unused=True)
        used = [g for g in first if g is not None]
        bent = sum((g * g).sum() for g in used)
        second = m.autograd.grad(bent, leaves, allow_unused=True) if bent.requires_grad else (None, None)
        grads = [np.zeros((3, 3)) if g is None else g.detach().numpy(force=True) for g in (*first, *second)]
        found.append([loss.detach().numpy(), *grads])
    for ours, theirs in zip(*found, strict=True):
        scale = 1 + np.abs(theirs).max()
        np.testing.assert_allclose(ours / scale, theirs / scale, rtol=1e-6, atol=1e-7)


@quick
@given(
    moves=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=8),
    seed=st.integers(0, 10_000),
)
def test_in_place_program_has_the_values_and_gradients_of_pytorch(moves: Any, seed: int) -> None:
    found = []
    for m in (minigrad, torch):
        rng = np.random.default_rng(seed)
        leaves = [m.tensor(rng.standard_normal((3, 3)), requires_grad=True) for _ in range(2)]
        values = [leaves[0] * 1, leaves[1] + 0, leaves[0] + leaves[1]]
        values.append(values[0].t())  # a view: it changes with its base
        for which, a, b in moves:
            IN_PLACE[which](m, values[a], values[b].clone())
        sum(v.sin().sum() for v in values).backward()
        found.append([v.detach().numpy() for v in values] + [x.grad.numpy() for x in leaves])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


POWERS = [
    ("einsum of a diagonal", lambda m, x: (m.einsum("ii->i", x) ** 4).sum()),
    ("product", lambda m, x: x.reshape(9).prod()),
    ("softmax", lambda m, x: (x.softmax(1) ** 2).sum()),
    ("norm", lambda m, x: x.norm() ** 3),
    ("matmul", lambda m, x: (x @ x @ x @ x).sum()),
]


@pytest.mark.parametrize(("name", "f"), POWERS, ids=[p[0] for p in POWERS])
def test_third_derivative_agrees_with_pytorch(name: str, f: Any) -> None:
    found = []
    for m in (minigrad, torch):
        x = m.tensor(np.random.default_rng(3).standard_normal((3, 3)), requires_grad=True)
        y = f(m, x)
        for _ in range(2):
            (g,) = m.autograd.grad(y, x, create_graph=True)
            y = (g * g).sum()
        (g,) = m.autograd.grad(y, x)
        found.append(g.numpy())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-8, atol=1e-10)
