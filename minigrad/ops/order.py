"""Operations that put elements in order, or find the one at a place of it. Gradients go back to where each came from."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import Primitive, define
from minigrad.ops.choosing import where
from minigrad.ops.comparison import isnan
from minigrad.ops.dims import array_of, numpy_names, one_axis, takes_out
from minigrad.ops.extremes import evenly, like, max_result
from minigrad.ops.gather import kth_along, median_along, sort_along, stable_along, topk_along
from minigrad.ops.shape import movedim, reshape


class sort_result(max_result):
    """What ``sort`` returns."""


class topk_result(max_result):
    """What ``topk`` returns."""


class median_result(max_result):
    """What ``median(dim)`` returns."""


class kthvalue_result(max_result):
    """What ``kthvalue`` returns."""


def _order(x: np.ndarray, axis: int, descending: bool) -> np.ndarray:
    """The stable order of the elements along ``axis``, nan counting as the largest."""
    if x.ndim == 0:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    backwards = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
    return np.flip(x.shape[axis] - 1 - backwards, axis)


@numpy_names
def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool | None = None) -> Any:
    """A named tuple of the sorted ``values`` and the ``indices`` they had; equal elements keep their order."""
    x = array_of(input)
    axis = one_axis(x.ndim, dim)
    order, along = _order(x, axis, descending), sort_along if stable is None else stable_along
    return sort_result(along(input, order, axis, True), like(input, order))


@numpy_names
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The ``indices`` of ``sort``."""
    return sort(input, dim, descending).indices


@numpy_names
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """A named tuple of the ``k`` largest (or smallest) ``values`` along ``dim``, in order, and their ``indices``."""
    x = array_of(input)
    axis = one_axis(x.ndim, dim)
    if not 0 <= k <= (x.shape[axis] if x.ndim else 1):
        raise RuntimeError(
            f"selected index k out of range: k is {k}, dimension {dim} has size {x.shape[axis] if x.ndim else 1}"
        )
    order = _order(x, axis, largest)
    order = np.take(order, np.arange(k), axis) if x.ndim else order
    return topk_result(topk_along(input, order, axis, True), like(input, order))


@takes_out
def msort(input: Any) -> Any:
    """Sorted along the first dimension."""
    return sort(input, 0).values


def _ranked(input: Any, rank: Any, dim: int, keepdim: bool, along: Primitive, pair: Any) -> Any:
    """The element at place ``rank(n)`` of the order along ``dim``, and its index."""
    x = array_of(input)
    axis = one_axis(x.ndim, dim)
    if x.ndim == 0:
        return pair(along(input, np.zeros((), np.int64), 0, True), like(input, np.zeros((), np.int64)))
    place = np.take(_order(x, axis, False), [rank(x)], axis)
    if along is median_along and x.dtype.kind == "f":  # a nan is the median, wherever it stands
        nan = np.isnan(x)
        place = np.where(nan.any(axis, keepdims=True), nan.argmax(axis, keepdims=True), place)
    return pair(along(input, place, axis, keepdim), like(input, place if keepdim else place.squeeze(axis)))


@numpy_names
def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The ``k``-th smallest element along ``dim`` (k = 1 is the smallest): a named tuple of ``values`` and ``indices``."""
    x = array_of(input)
    n = x.shape[one_axis(x.ndim, dim)] if x.ndim else 1
    if n == 0:
        raise IndexError(f"kthvalue(): Expected reduction dim {dim} to have non-zero size.")
    if not 1 <= k <= n:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {dim}: k is {k}, the size {n}")
    return _ranked(input, lambda x: k - 1, dim, keepdim, kth_along, kthvalue_result)


@define("MedianBackward0")
def _median_all(x: Any) -> Any:
    if x.size == 0:
        return np.asanyarray(np.nan if x.dtype.kind == "f" else 0, x.dtype)
    values = np.sort(x, axis=None)
    return values[-1] if x.dtype.kind == "f" and np.isnan(values[-1]) else values[(x.size - 1) // 2]


_median_all.vjp(x=lambda g, x, y: evenly(g, x, y, tuple(range(len(x.shape))), False))


@numpy_names
def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle element, of two the smaller; over ``dim``, a named tuple of ``values`` and ``indices``."""
    if dim is None:
        return _median_all(input)
    x = array_of(input)
    axis = one_axis(x.ndim, dim)
    if x.ndim and x.shape[axis] == 0:
        raise IndexError(f"median(): Expected reduction dim {dim} to have non-zero size.")
    return _ranked(input, lambda x: (x.shape[axis] - 1) // 2, dim, keepdim, median_along, median_result)


@numpy_names
def quantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Any:
    """The value below which a part ``q`` of the elements lies, along ``dim``; for a vector q, one after another in front.

    Between two elements the line from one to the other counts. Raises RuntimeError outside [0, 1].
    """
    if interpolation != "linear":
        raise NotImplementedError(f"quantile(interpolation={interpolation!r}): minigrad has 'linear'")
    x, parts = array_of(input), np.asanyarray(array_of(q), array_of(input).dtype)
    if not ((parts >= 0) & (parts <= 1)).all() or x.size == 0:
        raise RuntimeError("quantile() q values must be in the range [0, 1], and the input tensor must be non-empty")
    axis = 0 if dim is None else one_axis(x.ndim, dim)
    rows = reshape(input, (-1,)) if dim is None or x.ndim == 0 else movedim(input, axis, 0)
    values = sort(rows, 0).values  # nan at the end
    n = values.shape[0]
    at = parts * (n - 1)
    low = np.floor(at).astype(np.int64)
    weight = (at - np.floor(at)).reshape((*parts.shape, *(1,) * (len(values.shape) - 1)))
    below, above = values[low], values[np.minimum(low + 1, n - 1)]
    found = where(isnan(values[n - 1]), np.nan, below + (above - below) * weight)
    if keepdim:
        shape = [1] * x.ndim if dim is None else [1 if i == axis else m for i, m in enumerate(x.shape)]
        found = reshape(found, (*parts.shape, *shape))
    return found
