"""Operations that pick along one axis by a tensor of indices, and that put or add back there.

An index met twice is read twice, so its gradients add up: ``scatter_add`` and ``np.add.at``, never assignment.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import define
from minigrad.ops.dims import along, array_of, one_axis
from minigrad.ops.index import _put_add, _put_slice


def _at(index: np.ndarray, axis: int) -> tuple[Any, ...]:
    """``index`` along ``axis`` as a full NumPy index: position i, j, ... in the other axes."""
    grid = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grid[axis] = index
    return tuple(grid)


def take_along(x: Any, index: np.ndarray, axis: int, keepdims: bool) -> Any:
    y = x[_at(index, axis)]
    return y if keepdims else y.reshape(tuple(n for i, n in enumerate(y.shape) if i != axis))


gather_ = define("GatherBackward0")(take_along)
max_along = define("MaxBackward0")(take_along)
min_along = define("MinBackward0")(take_along)
sort_along = define("SortBackward0")(take_along)
topk_along = define("TopkBackward0")(take_along)


@define("ScatterAddBackward0")
def _scatter(x: Any, index: np.ndarray, axis: int, keepdims: bool, shape: tuple[int, ...]) -> Any:
    y = np.zeros(shape, x.dtype)
    np.add.at(y, _at(index, axis), x if keepdims else x.reshape(index.shape))
    return y


for _take in (gather_, max_along, min_along, sort_along, topk_along):
    _take.vjp(x=lambda g, x_shape, index, axis, keepdims: _scatter(g, index, axis, keepdims, x_shape))
_scatter.vjp(x=lambda g, index, axis, keepdims: gather_(g, index, axis, keepdims))


def _checked(input: Any, index: Any, dim: int, name: str) -> tuple[np.ndarray, int]:
    x, at = array_of(input), array_of(index)
    axis = one_axis(x.ndim, dim)
    if at.dtype.kind != "i":
        raise RuntimeError(f"{name}(): Expected dtype int64 for index, got {at.dtype}: convert with .long()")
    if at.ndim != x.ndim:
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as input tensor: {name} got {at.shape} for {x.shape}"
        )
    if at.size and x.ndim and (at.min() < 0 or at.max() >= x.shape[axis]):
        raise RuntimeError(
            f"index {int(at.max() if at.min() >= 0 else at.min())} is out of bounds for dimension {dim} with size {x.shape[axis]}"
        )
    return at, axis


def gather(input: Any, dim: int, index: Any) -> Any:
    """``y[i][j] = input[index[i][j]][j]`` for ``dim=0``, and alike for others."""
    at, axis = _checked(input, index, dim, "gather")
    return gather_(input, at, axis, True) if at.ndim else input * 1


def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """``gather`` with broadcasting of the other dimensions, as ``np.take_along_axis``."""
    at = array_of(indices)
    if dim is None:
        return gather_(input.reshape(-1), at.reshape(-1), 0, True)
    x = array_of(input)
    axis = one_axis(x.ndim, dim)
    if at.ndim != x.ndim:
        raise RuntimeError(
            f"take_along_dim(): input and indices should have the same number of dimensions, but got {x.ndim} dimensions "
            f"for input, and {at.ndim} dimensions for indices"
        )
    shape = [1 if i == axis else np.broadcast_shapes((x.shape[i],), (at.shape[i],))[0] for i in range(x.ndim)]
    n, k = x.shape[axis], at.shape[axis]
    full = np.broadcast_to(at, (*shape[:axis], k, *shape[axis + 1 :]))
    wide = (
        input
        if x.shape == (*shape[:axis], n, *shape[axis + 1 :])
        else input.expand(*shape[:axis], n, *shape[axis + 1 :])
    )
    return gather_(wide, np.asarray(np.where(full < 0, full + n, full)), axis, True)


@define("ScatterAddBackward0")
def _scatter_add(x: Any, src: Any, index: np.ndarray, axis: int) -> Any:
    y = x.copy()
    np.add.at(y, _at(index, axis), src[tuple(slice(n) for n in index.shape)])
    return y


def _scatter_add_src(g: Any, src_shape: Any, index: np.ndarray, axis: int) -> Any:
    got = gather_(g, index, axis, True)
    return got if index.shape == tuple(src_shape) else _put_slice(got, tuple(slice(n) for n in index.shape), src_shape)


_scatter_add.vjp(x=lambda g: g, src=_scatter_add_src)


def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy of ``input`` to which ``src[i][j]`` is added at ``[index[i][j]][j]`` (``dim=0``)."""
    at, axis = _checked(input, index, dim, "scatter_add")
    if array_of(src).dtype != array_of(input).dtype:
        raise RuntimeError(
            f"scatter_add(): Expected self.dtype to be equal to src.dtype, got {array_of(input).dtype} and {array_of(src).dtype}"
        )
    return _scatter_add(input, src, at, axis)


@define("IndexSelectBackward0")
def _index_select(x: Any, index: np.ndarray, axis: int) -> Any:
    return np.take(x, index, axis)


@define("IndexAddBackward0")
def _index_add(x: Any, source: Any, index: np.ndarray, axis: int, alpha: float) -> Any:
    y = x.copy()
    np.add.at(y, along(axis, index), source * alpha if alpha != 1 else source)
    return y


def _index_select_x(g: Any, x_shape: Any, index: np.ndarray, axis: int) -> Any:
    return _put_add(g, along(axis, index), x_shape)


_index_select.vjp(x=_index_select_x)
_index_add.vjp(x=lambda g: g, source=lambda g, index, axis, alpha: _index_select(g, index, axis) * alpha)


def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices ``index`` along ``dim``."""
    at = array_of(index)
    if at.dtype.kind != "i" or at.ndim > 1:
        raise RuntimeError(f"index_select(): index must be a vector of int64, got {at.dtype} of shape {list(at.shape)}")
    return _index_select(input, np.atleast_1d(at), one_axis(array_of(input).ndim, dim))


def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """A copy of ``input`` to whose slices ``index`` along ``dim`` the slices of ``source`` are added, times ``alpha``."""
    x, added = array_of(input), array_of(source)
    if x.dtype != added.dtype:
        raise RuntimeError(
            f"index_add(): self ({x.dtype}) and source ({added.dtype}) must have the same scalar type: convert one"
        )
    return _index_add(input, source, np.atleast_1d(array_of(index)), one_axis(x.ndim, dim), alpha)
