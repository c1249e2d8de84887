"""Questions about values: comparisons with a tolerance, places and counts. Nothing flows through their answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import Primitive, TensorBase
from minigrad.ops.dims import array_of, takes_out


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


@takes_out
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
    found = np.bincount(x, weights, minlength)
    return found if weights is None else found.astype(weights.dtype if weights.dtype.kind == "f" else np.float64)


def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each value 0, 1, ... occurs in a vector of integers, or the sum of its ``weights``."""
    x = array_of(input)
    if x.ndim != 1 or x.dtype.kind not in "iu" or (x.size and x.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    return _bincount(input, weights, minlength)


def argwhere(input: Any) -> Any:
    """The indices of the nonzero elements, a row each."""
    return nonzero(input)


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """True where an element is among the ``test_elements``, or with ``invert`` where it is not."""
    found = np.isin(array_of(elements), array_of(test_elements), assume_unique=assume_unique, invert=invert)
    return (elements if isinstance(elements, TensorBase) else test_elements).wrap(found)


@Primitive
def _searchsorted(x: Any, values: Any, side: str) -> Any:
    if x.ndim == 1:
        return np.searchsorted(x, values, side)
    rows = zip(x.reshape(-1, x.shape[-1]), np.reshape(values, (-1, values.shape[-1])), strict=True)
    found = [np.searchsorted(row, wanted, side) for row, wanted in rows]
    return np.stack(found).reshape(values.shape) if found else np.zeros(values.shape, np.int64)


def searchsorted(
    sorted_sequence: Any, input: Any, *, out_int32: bool = False, right: bool = False, side: str | None = None
) -> Any:
    """Where in a sorted vector, or in each sorted row, the values would be put in: before equal ones, or ``right`` after."""
    found = _searchsorted(sorted_sequence, input, "right" if right or side == "right" else "left")
    return found.int() if out_int32 else found


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """The number of the interval between sorted ``boundaries`` that each value lies in."""
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


@Primitive
def _histogram(x: Any, bins: int, min: float, max: float) -> Any:
    if min == max:
        min, max = (x.min(), x.max()) if x.size else (0, 1)
    return np.histogram(x, bins, (min, max) if min < max else (min - 1, max + 1))[0].astype(x.dtype)


def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many elements lie in each of ``bins`` equal intervals from ``min`` to ``max`` (if equal: of the elements)."""
    return _histogram(input, bins, min, max)
