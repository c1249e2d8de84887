"""What the operations are tried on: shapes, values and memory layouts, drawn at random.

A ``Case`` is the shapes of an operation's differentiable inputs and its other arguments. Hypothesis draws the case; a
seeded generator fills in the numbers, which keeps the draws few and fast. NumPy arrays among the arguments become
tensors of the library under test.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st


class Case(NamedTuple):
    """The shapes of the inputs that have gradients, and the other arguments by name."""

    shapes: tuple[tuple[int, ...], ...]
    options: dict[str, Any]


SIZES = st.sampled_from([2, 3, 1, 2, 3, 0])


def shapes(low: int = 0, high: int = 3, sizes: st.SearchStrategy[int] = SIZES) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(sizes, min_size=low, max_size=high).map(tuple)


@st.composite
def broadcast_shapes(draw: Any, count: int) -> tuple[tuple[int, ...], ...]:
    """Shapes that broadcast together: leading dimensions left out, others of size 1."""
    full = draw(shapes())
    found = []
    for _ in range(count):
        shape = full[draw(st.sampled_from([0, 0, 0, *range(len(full) + 1)])) :]
        found.append(tuple(1 if draw(st.sampled_from([False, False, True])) else n for n in shape))
    return tuple(found)


def each(**options: st.SearchStrategy[Any]) -> st.SearchStrategy[Case]:
    """One input of any shape."""
    return st.builds(lambda shape, opts: Case((shape,), opts), shapes(), st.fixed_dictionaries(options))


def together(count: int = 2, **options: st.SearchStrategy[Any]) -> st.SearchStrategy[Case]:
    """Inputs that broadcast."""
    return st.builds(Case, broadcast_shapes(count), st.fixed_dictionaries(options))


def dims(ndim: int) -> st.SearchStrategy[int]:
    """One dimension, counted from either end."""
    return st.integers(-max(ndim, 1), max(ndim, 1) - 1)


def some_dims(ndim: int) -> st.SearchStrategy[tuple[int, ...]]:
    """One or more different dimensions, some counted from the end."""
    if ndim == 0:
        return st.just(())
    chosen = st.lists(st.integers(0, ndim - 1), min_size=1, max_size=ndim, unique=True)
    return chosen.flatmap(lambda axes: st.tuples(*(st.sampled_from([a, a - ndim]) for a in axes)))


@st.composite
def one_dim(draw: Any, low: int = 0, **options: st.SearchStrategy[Any]) -> Case:
    """One input and one of its dimensions as ``dim``."""
    shape = draw(shapes(low))
    return Case((shape,), {"dim": draw(dims(len(shape))), **{k: draw(v) for k, v in options.items()}})


@st.composite
def many_dims(draw: Any, **options: st.SearchStrategy[Any]) -> Case:
    """One input and ``dim`` as an integer, a tuple or None."""
    shape = draw(shapes())
    dim = draw(st.one_of(dims(len(shape)), some_dims(len(shape)), st.none()))
    return Case((shape,), {"dim": dim, **{k: draw(v) for k, v in options.items()}})


def fixed(*given: Sequence[int], **options: Any) -> st.SearchStrategy[Case]:
    """One case."""
    return st.just(Case(tuple(tuple(s) for s in given), options))


# Values

KINKS = np.array([0.0, 0.0, 1.0, 1.0, -1.0, -1.0, 2.0, -2.0, 0.5, 3.0, 6.0])
SPECIAL = np.array([math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 100.0, -100.0, 200.0, -200.0, 1e-30, 0.5])


def positive(x: np.ndarray) -> np.ndarray:
    return np.abs(x) + 0.1


def unit(x: np.ndarray) -> np.ndarray:
    """Inside (-1, 1)."""
    return np.tanh(x) * 0.9


def anything(x: np.ndarray) -> np.ndarray:
    return x


def away(x: np.ndarray) -> np.ndarray:
    """Away from zero."""
    return np.where(x < 0, x - 0.5, x + 0.5)


def values(rng: np.random.Generator, shape: tuple[int, ...], regime: str, domain: Any) -> np.ndarray:
    """float64 values: ``smooth`` ones of the domain, with many ``kinks`` and ties, or ``special`` ones."""
    smooth = domain(rng.standard_normal(shape) * 1.5)
    if regime == "smooth":
        return smooth
    pool = KINKS if regime == "kinks" else SPECIAL
    return np.where(rng.random(shape) < 0.7, rng.choice(pool, shape), smooth)


def numbers(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Small numbers that every type holds."""
    if dtype.kind == "b":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype.kind == "f":
        return np.asarray(rng.integers(-6, 7, shape) / 2).astype(dtype)
    return np.asarray(rng.integers(0 if dtype.kind == "u" else -3, 4, shape)).astype(dtype)


# Memory

LAYOUTS = ("contiguous", "transposed", "sliced", "reversed")


def laid_out(array: np.ndarray, layout: str) -> np.ndarray:
    """The same values in memory of another layout."""
    if array.ndim == 0 or layout == "contiguous":
        return np.array(array, order="C")
    if layout == "transposed":
        return np.array(array.T, order="C").T
    if layout == "reversed":
        return np.array(array[..., ::-1], order="C")[..., ::-1]
    wide = np.full((*array.shape[:-1], 2 * array.shape[-1] + 1), 7, array.dtype)
    wide[..., 1::2] = array
    return wide[..., 1::2]
