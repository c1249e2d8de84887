"""Questions about values: comparisons with a tolerance, places and counts. Nothing flows through their answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import Primitive, TensorBase
from minigrad.ops.dims import array_of


def _same_type(input: Any, other: Any, name: str) -> None:
    a, b = array_of(input).dtype, array_of(other).dtype
    if a != b:
        raise RuntimeError(f"{name}: {a} did not match {b}: convert one, as in .to(other.dtype)")


@Primitive
def _isclose(x: Any, other: Any, rtol: float, atol: float, equal_nan: bool) -> Any:
    return np.isclose(x, other, rtol, atol, equal_nan)


def isclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """``|input - other| <= atol + rtol * |other|``, element by element."""
    _same_type(input, other, "isclose")
    return _isclose(input, other, rtol, atol, equal_nan)


def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """True if ``isclose`` holds everywhere."""
    return bool(array_of(isclose(input, other, rtol, atol, equal_nan)).all())


def equal(input: Any, other: Any) -> bool:
    """True if both have the same shape and the same elements."""
    return np.array_equal(array_of(input), array_of(other))


@Primitive
def _nonzero(x: Any) -> Any:
    return np.argwhere(x)


def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """The indices of the nonzero elements: a row each, or, ``as_tuple``, a vector for each dimension."""
    rows = _nonzero(input)
    return tuple(rows[:, i] for i in range(array_of(rows).shape[1])) if as_tuple else rows


def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
) -> Any:
    """The different values in rising order; with them, where asked for, the place of each element among them and the counts."""
    if dim is not None:
        raise NotImplementedError(
            "unique(dim=...): minigrad has the unique values of all elements only; use numpy.unique"
        )
    x = array_of(input)
    values, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    wrap = input.wrap if isinstance(input, TensorBase) else np.asarray
    more = [wrap(inverse.reshape(x.shape))] * return_inverse + [wrap(counts)] * return_counts
    return (wrap(values), *more) if more else wrap(values)


@Primitive
def _bincount(x: Any, weights: Any, minlength: int) -> Any:
    return np.bincount(x, weights, minlength)


def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each value 0, 1, ... occurs in a vector of integers, or the sum of its ``weights``."""
    x = array_of(input)
    if x.ndim != 1 or x.dtype.kind not in "iu" or (x.size and x.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    return _bincount(input, weights, minlength)
