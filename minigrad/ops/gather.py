"""Operations that pick along one axis by a tensor of indices, and that put or add back there.

An index met twice is read twice, so its gradients add up: ``scatter_add`` and ``np.add.at``, never assignment.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import TensorBase, define
from minigrad.mutation import overwrite
from minigrad.ops.dims import along, array_of, one_axis, takes_out
from minigrad.ops.index import _gather_index, _put_add, _put_slice, plain
from minigrad.ops.shape import broadcast_shapes, reshape


def _at(index: np.ndarray, axis: int) -> tuple[Any, ...]:
    """``index`` along ``axis`` as a full NumPy index: position i, j, ... in the other axes."""
    grid = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grid[axis] = index
    return tuple(grid)


def take_along(x: Any, index: np.ndarray, axis: int, keepdims: bool) -> Any:
    if x.ndim == 0:
        return x.copy()
    y = x[_at(index, axis)]
    return y if keepdims else y.reshape(tuple(n for i, n in enumerate(y.shape) if i != axis))


gather_ = define("GatherBackward0", keeps=True)(take_along)
max_along = define("MaxBackward0", keeps=True)(take_along)
min_along = define("MinBackward0", keeps=True)(take_along)
median_along = define("MedianBackward1", keeps=True)(take_along)
kth_along = define("KthvalueBackward0", keeps=True)(take_along)
cummax_along = define("CummaxBackward0", keeps=True)(take_along)
cummin_along = define("CumminBackward0", keeps=True)(take_along)
sort_along = define("SortBackward0", keeps=True)(take_along)
stable_along = define("SortBackward1", keeps=True)(take_along)
topk_along = define("TopkBackward0", keeps=True)(take_along)

_TAKES = (
    gather_,
    max_along,
    min_along,
    median_along,
    kth_along,
    cummax_along,
    cummin_along,
    sort_along,
    stable_along,
    topk_along,
)


@define("ScatterAddBackward0")
def _scatter(x: Any, index: np.ndarray, axis: int, keepdims: bool, shape: tuple[int, ...]) -> Any:
    if not shape:
        return x.copy()
    y = np.zeros(shape, x.dtype, like=x)
    np.add.at(y, _at(index, axis), x if keepdims else x.reshape(index.shape))
    return y


for _take in _TAKES:
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


@takes_out
def gather(input: Any, dim: int, index: Any) -> Any:
    """``y[i][j] = input[index[i][j]][j]`` for ``dim=0``, and alike for others."""
    at, axis = _checked(input, index, dim, "gather")
    return gather_(input, at, axis, True) if at.ndim else input * 1


@takes_out
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
    shape = [1 if i == axis else broadcast_shapes((x.shape[i],), (at.shape[i],))[0] for i in range(x.ndim)]
    n, k = x.shape[axis], at.shape[axis]
    full = np.broadcast_to(at, (*shape[:axis], k, *shape[axis + 1 :]))
    wide = (
        input
        if x.shape == (*shape[:axis], n, *shape[axis + 1 :])
        else input.expand(*shape[:axis], n, *shape[axis + 1 :])
    )
    return gather_(wide, np.asanyarray(np.where(full < 0, full + n, full)), axis, True)


@define("ScatterAddBackward0")
def _scatter_add(x: Any, src: Any, index: np.ndarray, axis: int) -> Any:
    y = x.copy()
    np.add.at(y, _at(index, axis), src[tuple(slice(n) for n in index.shape)])
    return y


def _scatter_add_src(g: Any, src_shape: Any, index: np.ndarray, axis: int) -> Any:
    got = gather_(g, index, axis, True)
    return got if index.shape == tuple(src_shape) else _put_slice(got, tuple(slice(n) for n in index.shape), src_shape)


_scatter_add.vjp(x=lambda g: g, src=_scatter_add_src)


@takes_out
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy of ``input`` to which ``src[i][j]`` is added at ``[index[i][j]][j]`` (``dim=0``)."""
    at, axis = _checked(input, index, dim, "scatter_add")
    if array_of(src).dtype != array_of(input).dtype:
        raise RuntimeError(
            f"scatter_add(): Expected self.dtype to be equal to src.dtype, got {array_of(input).dtype} and {array_of(src).dtype}"
        )
    return _scatter_add(input, src, at, axis)


@define("IndexSelectBackward0", keeps=True)
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


@takes_out
def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices ``index`` along ``dim``."""
    at = array_of(index)
    if at.dtype.kind != "i" or at.ndim > 1:
        raise RuntimeError(f"index_select(): index must be a vector of int64, got {at.dtype} of shape {list(at.shape)}")
    return _index_select(input, np.atleast_1d(at), one_axis(array_of(input).ndim, dim))


@takes_out
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """A copy of ``input`` to whose slices ``index`` along ``dim`` the slices of ``source`` are added, times ``alpha``."""
    x, added = array_of(input), array_of(source)
    if x.dtype != added.dtype:
        raise RuntimeError(
            f"index_add(): self ({x.dtype}) and source ({added.dtype}) must have the same scalar type: convert one"
        )
    at, axis = np.atleast_1d(array_of(index)), one_axis(x.ndim, dim)
    if added.ndim and added.shape != (*x.shape[:axis], at.size, *x.shape[axis + 1 :]):
        raise RuntimeError(
            f"index_add(): Number of indices ({at.size}) should be equal to source.size(dim), and the other sizes to those of "
            f"self {list(x.shape)}, but source has {list(added.shape)}"
        )
    return _index_add(input, source, at, axis, alpha)


# Overwriting


@define("ScatterBackward0", keeps=True)
def _scatter_over(x: Any, src: Any, index: np.ndarray, axis: int) -> Any:
    y = x.copy()
    y[_at(index, axis)] = src if np.ndim(src) == 0 else src[tuple(slice(n) for n in index.shape)]
    return y


_scatter_number = define("ScatterBackward1", keeps=True)(_scatter_over.forward)

for _over in (_scatter_over, _scatter_number):
    _over.vjp(x=lambda g, index, axis: _scatter_number(g, 0.0, index, axis))
_scatter_over.vjp(src=_scatter_add_src)


@takes_out
def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Any:
    """A copy of ``input`` with ``src[i][j]``, or a number, at ``[index[i][j]][j]`` (``dim=0``); ``reduce="add"`` adds it."""
    at, axis = _checked(input, index, dim, "scatter")
    src = value if src is None else src
    if reduce not in (None, "add"):
        raise NotImplementedError(f"scatter(reduce={reduce!r}): minigrad has 'add'")
    if not isinstance(src, TensorBase):
        if reduce == "add":
            return scatter_add(input, dim, index, input.wrap(np.full(at.shape, src, array_of(input).dtype)))
        return _scatter_number(input, src, at, axis)
    if array_of(src).dtype != array_of(input).dtype:
        raise RuntimeError(
            f"scatter(): Expected self.dtype to be equal to src.dtype, got {array_of(input).dtype} and {array_of(src).dtype}"
        )
    return scatter_add(input, dim, index, src) if reduce == "add" else _scatter_over(input, src, at, axis)


_index_put = define("IndexPutBackward0", keeps=True)(overwrite.forward)
_index_fill = define("IndexFillBackward0", keeps=True)(overwrite.forward)
_index_copy = define("IndexCopyBackward0", keeps=True)(overwrite.forward)

for _over in (_index_put, _index_fill, _index_copy):
    _over.vjp(x=lambda g, path, index: overwrite(g, 0.0, path, index), value=lambda g, index: g[index])


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """A copy of ``input`` with ``values`` at ``input[indices]``, or added there."""
    index = plain(tuple(indices))
    if accumulate:
        wide = values.expand(*array_of(input)[index].shape)
        return input + _put_add(wide, index, array_of(input).shape)
    return _index_put(input, values, (), index)


def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """A copy of ``input`` with ``value`` in the slices ``index`` along ``dim``."""
    places = np.unique(array_of(index))  # what is filled twice learns once
    return _index_fill(input, value, (), along(one_axis(array_of(input).ndim, dim), places))


@takes_out
def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """A copy of ``input`` with the slices of ``source`` in place of its slices ``index`` along ``dim``."""
    return _index_copy(input, source, (), along(one_axis(array_of(input).ndim, dim), array_of(index)))


# Flat


_take = define("TakeBackward0", keeps=True)(_gather_index.forward)
_take.vjp(x=lambda g, x_shape, index: _put_add(g, index, x_shape))


@takes_out
def take(input: Any, index: Any) -> Any:
    """The elements at places counted through the flattened tensor, in the shape of ``index``."""
    return _take(reshape(input, (-1,)), array_of(index))


def repeat_interleave(input: Any, repeats: Any, dim: int | None = None, *, output_size: int | None = None) -> Any:
    """Each slice along ``dim`` (each element, if that is None) ``repeats`` times, one after the other."""
    flat = reshape(input, (-1,)) if dim is None else input
    axis = 0 if dim is None else one_axis(array_of(input).ndim, dim)
    times = array_of(repeats)
    n = array_of(flat).shape[axis]
    if times.ndim > 1 or (times.ndim and times.size not in (1, n)):
        raise RuntimeError(f"repeats must have the same size as input along dim, but got {times.shape} for size {n}")
    return index_select(flat, axis, input.wrap(np.repeat(np.arange(n), times)))
