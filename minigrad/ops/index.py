"""Operations that pick elements and put them back. Picking and adding back are adjoint: each is the other's rule.

An index met twice is read twice, so its gradients add up: ``scatter_add`` and ``np.add.at``, never assignment.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import TensorBase, define, expand
from minigrad.ops.choosing import where
from minigrad.ops.dims import along, array_of, one_axis
from minigrad.ops.shape import _permute


def plain(index: Any) -> Any:
    """An index as NumPy takes it: tensors as arrays, lists as arrays, ``None``, slices and integers as they are."""
    if isinstance(index, tuple):
        return tuple(plain(i) for i in index)
    if isinstance(index, TensorBase):
        index = index.array
    if isinstance(index, list):
        index = np.asarray([plain(i) for i in index] if index else np.zeros(0, np.int64))
    if isinstance(index, np.ndarray) and index.dtype.kind == "f":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors: convert with .long()")
    if isinstance(index, (float, str)):
        raise IndexError(
            f"only integers, slices, ..., None and tensors of integers or bools are valid indices, got {index!r}"
        )
    return index


def _basic(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        p is None or p is ... or (isinstance(p, (slice, int, np.integer)) and not isinstance(p, (bool, np.bool_)))
        for p in parts
    )


@define("SelectBackward0", view=True)
def _select(x: Any, index: Any) -> Any:
    y = x[index]
    return y if isinstance(y, np.ndarray) else x[(*index, ...) if isinstance(index, tuple) else (index, ...)]


@define("SliceBackward0", view=True)
def _slice(x: Any, index: Any) -> Any:
    return x[index]


@define("IndexBackward0")
def _gather_index(x: Any, index: Any) -> Any:
    return x[index]


@define("IndexPutBackward0")
def _put_slice(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    y = np.zeros(shape, x.dtype)
    y[index] = x
    return y


@define("IndexPutBackward0")
def _put_add(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    y = np.zeros(shape, x.dtype)
    np.add.at(y, index, x)
    return y


for _view in (_select, _slice):
    _view.vjp(x=lambda g, x_shape, index: _put_slice(g, index, x_shape))
_gather_index.vjp(x=lambda g, x_shape, index: _put_add(g, index, x_shape))
_put_slice.vjp(x=lambda g, index: _slice(g, index))
_put_add.vjp(x=lambda g, index: _gather_index(g, index))


def getitem(input: Any, index: Any) -> Any:
    """``input[index]``: a view for integers, slices, None and ...; a copy for arrays, tensors and masks."""
    index = plain(index)
    try:
        if not _basic(index):
            return _gather_index(input, index)
        last = index[-1] if isinstance(index, tuple) and index else index
        return (_select if isinstance(last, (int, np.integer)) else _slice)(input, index)
    except IndexError as error:
        raise IndexError(f"{error} (indexing a tensor of shape {list(array_of(input).shape)})") from None


def select(input: Any, dim: int, index: int) -> Any:
    """The slice at ``index`` along ``dim``, without that dimension."""
    axis = one_axis(array_of(input).ndim, dim)
    return _select(input, along(axis, index))


@define("UnbindBackward0", view=True)
def _unbound(x: Any, index: Any) -> Any:
    return x[(*index, ...)]


_unbound.vjp(x=lambda g, x_shape, index: _put_slice(g, index, x_shape))


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """All slices along ``dim``."""
    if array_of(input).ndim == 0:
        raise IndexError("unbind: a 0-dimensional tensor has no dimension to take apart")
    axis = one_axis(array_of(input).ndim, dim)
    return tuple(_unbound(input, along(axis, i)) for i in range(array_of(input).shape[axis]))


# One index for each output element, along one axis


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


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """``value`` where ``mask`` holds, else ``input``."""
    return _masked_fill(input, array_of(mask), value)


@define("MaskedFillBackward0")
def _masked_fill(x: Any, mask: np.ndarray, value: Any) -> Any:
    if mask.dtype.kind != "b":
        raise RuntimeError(f"masked_fill only supports boolean masks, but got dtype {mask.dtype}: compare, as in x > 0")
    return np.where(mask, np.asarray(value).astype(x.dtype), x)


_masked_fill.vjp(x=lambda g, mask: where(mask, 0.0, g), value=lambda g, mask: where(mask, g, 0.0).sum())


@define("MaskedSelectBackward0")
def _masked_select(x: Any, mask: np.ndarray) -> Any:
    return x[mask]


_masked_select.vjp(x=lambda g, x_shape, mask: _put_slice(g, mask, x_shape))


def masked_select(input: Any, mask: Any) -> Any:
    """The elements where ``mask`` holds, as a vector."""
    x, where_ = array_of(input), array_of(mask)
    shape = np.broadcast_shapes(x.shape, where_.shape)
    return _masked_select(input if x.shape == shape else input.expand(*shape), np.broadcast_to(where_, shape))


# Triangles and diagonals


@define("TriuBackward0")
def triu(x: Any, diagonal: int = 0) -> Any:
    return np.triu(x, diagonal)


@define("TrilBackward0")
def tril(x: Any, diagonal: int = 0) -> Any:
    return np.tril(x, diagonal)


triu.vjp(x=lambda g, diagonal: triu(g, diagonal))
tril.vjp(x=lambda g, diagonal: tril(g, diagonal))


@define("DiagonalBackward0")
def _diagonal(x: Any, offset: int) -> Any:
    return np.diagonal(x, offset, -2, -1).copy()


@define("DiagEmbedBackward0")
def _diagonal_put(x: Any, offset: int, rows: int, columns: int) -> Any:
    y = np.zeros((*x.shape[:-1], rows, columns), x.dtype)
    i = np.arange(x.shape[-1])
    y[..., i + max(-offset, 0), i + max(offset, 0)] = x
    return y


_diagonal.vjp(x=lambda g, x_shape, offset: _diagonal_put(g, offset, *x_shape[-2:]))
_diagonal_put.vjp(x=lambda g, offset: _diagonal(g, offset))


def diag(input: Any, diagonal: int = 0) -> Any:
    """The diagonal of a matrix, or the matrix with a vector on its diagonal."""
    ndim = array_of(input).ndim
    if ndim == 1:
        n = array_of(input).shape[0] + abs(diagonal)
        return _diagonal_put(input, diagonal, n, n)
    if ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    return _diagonal(input, diagonal)


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonals of the matrices in ``dim1`` and ``dim2``, as the last dimension."""
    ndim = array_of(input).ndim
    a, b = one_axis(ndim, dim1), one_axis(ndim, dim2)
    return _diagonal(_permute(input, (*(i for i in range(ndim) if i not in (a, b)), a, b)), offset)


@define("TraceBackward0")
def _trace(x: Any) -> Any:
    return np.trace(x, dtype=np.int64 if x.dtype.kind in "iub" else None)


_trace.vjp(x=lambda g, x_shape: _diagonal_put(expand(g, (min(x_shape),)), 0, *x_shape))


def trace(input: Any) -> Any:
    """The sum of the diagonal of a matrix."""
    if array_of(input).ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got input with dim {array_of(input).ndim}")
    return _trace(input)
