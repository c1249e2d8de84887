"""Operations that join tensors into one and take one apart. Each of the two is the rule of the other."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.dtypes import promote_numpy
from minigrad.engine import TensorBase, cast, define
from minigrad.ops.dims import along, array_of, one_axis, takes_out
from minigrad.ops.shape import atleast_1d, atleast_2d, atleast_3d, reshape


@define("CatBackward0")
def _cat(*xs: Any, dim: int) -> Any:
    return np.concatenate(xs, axis=dim)


def _cat_xs(g: Any, i: int, xs_shapes: Any, dim: int) -> Any:
    start = sum(shape[dim] for shape in xs_shapes[:i])
    return g[along(dim, slice(start, start + xs_shapes[i][dim]))]


_cat.vjp(xs=_cat_xs)


def _common(tensors: Any, name: str) -> list[Any]:
    if isinstance(tensors, TensorBase):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor: {name}([x, y])"
        )
    xs = list(tensors)
    if not xs:
        raise (ValueError if name == "cat" else RuntimeError)(f"{name}(): expected a non-empty list of Tensors")
    for x in xs:
        if not isinstance(x, (TensorBase, np.ndarray)):
            raise TypeError(f"{name}(): expected a list of Tensors, got an element of type {type(x).__name__}")
    common = array_of(xs[0]).dtype
    for x in xs[1:]:
        common = promote_numpy(common, array_of(x).dtype)
    return [x if array_of(x).dtype == common else cast(x, common) for x in xs]


@takes_out
def cat(tensors: Any, dim: int = 0, **names: Any) -> Any:
    """Tensors joined along ``dim``; their other sizes must agree."""
    xs = _common(tensors, "cat")
    if any(array_of(x).ndim != 1 for x in xs):
        xs = [x for x in xs if array_of(x).shape != (0,)]  # PyTorch passes over tensors of shape (0,)
    if array_of(xs[0]).ndim == 0:
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated: use stack")
    return _cat(*xs, dim=one_axis(array_of(xs[0]).ndim, names.get("axis", dim)))


concat = concatenate = cat


@define("StackBackward0")
def _stack(*xs: Any, dim: int) -> Any:
    return np.stack(xs, axis=dim)


_stack.vjp(xs=lambda g, i, dim: g[along(dim, i)])


@takes_out
def stack(tensors: Any, dim: int = 0) -> Any:
    """Tensors of one shape joined along a new dimension ``dim``."""
    xs = _common(tensors, "stack")
    shapes = [array_of(x).shape for x in xs]
    for i, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shapes[0])} at entry 0 and {list(shape)} at entry {i}"
            )
    return _stack(*xs, dim=one_axis(len(shapes[0]) + 1, dim))


@define("SplitBackward0", view=True)
def _piece(x: Any, axis: int, start: int, length: int) -> Any:
    return x[along(axis, slice(start, start + length))]


@define("SliceBackward0")
def _place(x: Any, axis: int, start: int, size: int) -> Any:
    shape = (*x.shape[:axis], size, *x.shape[axis + 1 :])
    y = np.zeros(shape, x.dtype, like=x)
    y[along(axis, slice(start, start + x.shape[axis]))] = x
    return y


_piece.vjp(x=lambda g, x_shape, axis, start: _place(g, axis, start, x_shape[axis]))
_place.vjp(x=lambda g, x_shape, axis, start: _piece(g, axis, start, x_shape[axis]))


@define("SliceBackward0", view=True)
def _narrow(x: Any, axis: int, start: int, length: int) -> Any:
    return _piece.forward(x, axis, start, length)


_narrow.vjp(x=lambda g, x_shape, axis, start: _place(g, axis, start, x_shape[axis]))


def narrow(input: Any, dim: int, start: int, length: int) -> Any:
    """The elements ``start`` to ``start + length`` along ``dim``, as a view."""
    shape = array_of(input).shape
    axis = one_axis(len(shape), dim)
    begin = start + shape[axis] if start < 0 else start
    if length < 0 or begin < 0 or begin + length > shape[axis]:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({shape[axis]}).")
    return _narrow(input, axis, begin, length)


_piece_of_list = define("SplitWithSizesBackward0", view=True)(_piece.forward)
_piece_of_list.vjp(x=lambda g, x_shape, axis, start: _place(g, axis, start, x_shape[axis]))


def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces of a given size (the last may be smaller), or of the given sizes, along ``dim``."""
    axis = one_axis(array_of(tensor).ndim, dim)
    n, sizes, piece = array_of(tensor).shape[axis], split_size_or_sections, _piece_of_list
    if isinstance(sizes, int):
        piece = _piece
        if sizes <= 0:
            raise RuntimeError(f"split expects split_size be positive, but got split_size={sizes}")
        sizes = [min(sizes, n - i) for i in range(0, n, sizes)] or [0]
    if sum(sizes) != n:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {dim}), "
            f"but got split_sizes={list(sizes)}"
        )
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return tuple(piece(tensor, axis, start, size) for start, size in zip(starts, sizes, strict=True))


def split_with_sizes(input: Any, split_sizes: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces of the given sizes along ``dim``."""
    return split(input, list(split_sizes), dim)


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most ``chunks`` pieces of equal size along ``dim``, the last possibly smaller."""
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = array_of(input).shape[one_axis(array_of(input).ndim, dim)]
    if n == 0:
        return split(input, [0] * chunks, dim)
    return split(input, max(1, -(-n // chunks)), dim)


def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """So many pieces along ``dim``, as equal as can be, or the pieces between the given indices."""
    n = array_of(input).shape[one_axis(array_of(input).ndim, dim)]
    if isinstance(indices_or_sections, int):
        least, more = divmod(n, indices_or_sections)
        return split(input, [least + (i < more) for i in range(indices_or_sections)], dim)
    cuts = [0, *(min(max(c + n if c < 0 else c, 0), n) for c in indices_or_sections), n]
    return split(input, [max(b - a, 0) for a, b in pairwise(cuts)], dim)


@takes_out
def hstack(tensors: Any) -> Any:
    """Joined along the second dimension; vectors along their only one."""
    found = [atleast_1d(x) for x in tensors]
    return cat(found, 0 if found and array_of(found[0]).ndim == 1 else 1)


@takes_out
def vstack(tensors: Any) -> Any:
    """Joined along the first dimension; vectors as rows."""
    return cat([atleast_2d(x) for x in tensors], 0)


row_stack = vstack


@takes_out
def dstack(tensors: Any) -> Any:
    """Joined along the third dimension."""
    return cat([atleast_3d(x) for x in tensors], 2)


@takes_out
def column_stack(tensors: Any) -> Any:
    """Joined along the second dimension; vectors as columns."""
    return cat([x if array_of(x).ndim > 1 else reshape(x, (-1, 1)) for x in tensors], 1)
