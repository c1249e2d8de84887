"""NumPy's functions that move, join, pick or copy elements."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from minigrad.engine import TensorBase, clone
from minigrad.numpy_functions.operands import Axis, axes_of, converted, operand, part
from minigrad.numpy_functions.reduce import sum
from minigrad.ops import diagonal as di
from minigrad.ops import elementwise as e
from minigrad.ops import gather as ga
from minigrad.ops import index as i
from minigrad.ops import joining as j
from minigrad.ops import shape as s
from minigrad.ops.dims import along, array_of

# Shapes


def reshape(a: Any, /, shape: Any, order: str = "C") -> Any:
    if order == "C":
        return s.reshape(a, shape)
    if order != "F":
        raise TypeError(f"np.reshape of a tensor in order {order!r}: the elements of a tensor have order 'C' or 'F'")
    backwards = tuple(shape)[::-1] if isinstance(shape, (tuple, list)) else shape
    return transpose(s.reshape(transpose(a), backwards))


def ravel(a: Any, order: str = "C") -> Any:
    return reshape(a, -1, order)


def transpose(a: Any, axes: Sequence[int] | None = None) -> Any:
    return s.permute(a, *(reversed(range(a.ndim)) if axes is None else axes))


def matrix_transpose(x: Any, /) -> Any:
    return s.transpose(x, -1, -2)


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    return s.transpose(a, axis1, axis2)


def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    return s.movedim(a, source, destination)


def squeeze(a: Any, axis: Axis = None) -> Any:
    if axis is not None and any(a.shape[k] != 1 for k in axes_of(a, axis)):
        raise ValueError(f"cannot squeeze axis {axis} of shape {tuple(a.shape)}: its size must be 1")
    return s.squeeze(a, axis)


def expand_dims(a: Any, axis: Any) -> Any:
    axis = axis if isinstance(axis, (tuple, list)) else (axis,)
    for place in sorted(normalize_axis_tuple(axis, a.ndim + len(axis))):
        a = s.unsqueeze(a, place)
    return a


def broadcast_to(array: Any, shape: Any) -> Any:
    return s.broadcast_to(array, shape)


def broadcast_arrays(*args: Any) -> tuple[Any, ...]:
    xs = [operand(x) for x in args]
    shape = np.broadcast_shapes(*[np.shape(array_of(x)) for x in xs])
    return tuple(s.broadcast_to(x, shape) for x in xs)


def meshgrid(*xi: Any, indexing: str = "xy") -> tuple[Any, ...]:
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    n = len(xi)
    lines = [s.reshape(np.asarray(x) if not isinstance(x, TensorBase) else x, -1) for x in map(operand, xi)]
    grids = broadcast_arrays(*[s.reshape(x, (*(1,) * k, -1, *(1,) * (n - 1 - k))) for k, x in enumerate(lines)])
    return tuple(s.transpose(grid, 0, 1) for grid in grids) if indexing == "xy" and n > 1 else grids


def at_least(n: int) -> Any:
    """``atleast_1d``, ``atleast_2d``, ``atleast_3d``."""

    def grown(x: Any) -> Any:
        x = operand(x)
        while np.ndim(array_of(x)) < n:  # NumPy gives the third axis at the end
            x = expand_dims(x if isinstance(x, TensorBase) else np.asarray(x), 2 if array_of(x).ndim == 2 else 0)
        return x

    def function(*arys: Any) -> Any:
        found = tuple(grown(x) for x in arys)
        return found[0] if len(found) == 1 else found

    return function


atleast_1d, atleast_2d, atleast_3d = at_least(1), at_least(2), at_least(3)


# Joining and splitting


def _parts(arrays: Any) -> list[Any]:
    found = [operand(x) for x in arrays]
    return [x if isinstance(x, TensorBase) else np.asarray(x) for x in found]


def concatenate(arrays: Any, /, axis: int | None = 0, *, dtype: Any = None) -> Any:
    parts = _parts(arrays)
    if axis is None:
        parts = [s.reshape(x, -1) for x in parts]
    return converted(j.cat(parts, axis or 0), dtype)


def stack(arrays: Any, axis: int = 0, *, dtype: Any = None) -> Any:
    return converted(j.stack(_parts(arrays), axis), dtype)


def vstack(tup: Any, *, dtype: Any = None) -> Any:
    return concatenate([atleast_2d(x) for x in tup], 0, dtype=dtype)


def hstack(tup: Any, *, dtype: Any = None) -> Any:
    parts = [atleast_1d(x) for x in tup]
    return concatenate(parts, 0 if parts and parts[0].ndim == 1 else 1, dtype=dtype)


def dstack(tup: Any) -> Any:
    return concatenate([atleast_3d(x) for x in tup], 2)


def column_stack(tup: Any) -> Any:
    parts = [operand(x) for x in tup]
    return concatenate([x if x.ndim > 1 else s.reshape(x, (-1, 1)) for x in parts], 1)


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return concatenate([arr, values], axis)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    axis = normalize_axis_index(axis, ary.ndim)
    n, cuts = ary.shape[axis], indices_or_sections
    if isinstance(cuts, (int, np.integer)):
        if cuts <= 0:
            raise ValueError("number sections must be larger than 0.")
        cuts = [k * (n // cuts) + min(k, n % cuts) for k in range(1, cuts)]
    bounds = [0, *(int(c) for c in cuts), n]
    return [part(ary, axis, start, stop) for start, stop in itertools.pairwise(bounds)]


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    n, k = ary.shape[normalize_axis_index(axis, ary.ndim)], indices_or_sections
    if isinstance(k, (int, np.integer)) and k > 0 and n % k:
        raise ValueError(f"array split does not result in an equal division: {n} by {k}; use array_split")
    return array_split(ary, k, axis)


def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return split(ary, indices_or_sections, 0)


def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return split(ary, indices_or_sections, 0 if ary.ndim == 1 else 1)


# Repeating and moving


def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    a = s.reshape(a, -1) if axis is None else a
    axis = normalize_axis_index(axis or 0, a.ndim)
    return ga.index_select(a, axis, np.repeat(np.arange(a.shape[axis]), array_of(repeats)))


def tile(A: Any, reps: Any) -> Any:
    return s.tile(A, *np.atleast_1d(array_of(reps)).tolist())


def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    return s.roll(a, np.asarray(array_of(shift)).tolist(), axis)


def flip(m: Any, axis: Axis = None) -> Any:
    return s._flip(m, axes_of(m, axis))


def fliplr(m: Any) -> Any:
    return flip(m, 1)


def flipud(m: Any) -> Any:
    return flip(m, 0)


def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    for _ in range(k % 4):
        m = flip(s.transpose(m, *axes), axes[0])
    return m


_INDEX_MODES = ("edge", "reflect", "symmetric", "wrap")


def pad(array: Any, pad_width: Any, mode: Any = "constant", *, constant_values: Any = 0) -> Any:
    if mode != "constant" and mode not in _INDEX_MODES:
        raise TypeError(
            f"np.pad of a tensor in mode {mode!r} is not supported: use 'constant', {', '.join(_INDEX_MODES)}"
        )
    shape = tuple(array.shape)
    widths = np.broadcast_to(np.asarray(pad_width, np.int64), (len(shape), 2)).tolist()
    if mode == "constant":
        frame = np.pad(np.zeros(shape, array_of(array).dtype), pad_width, constant_values=constant_values)
        inside = tuple(slice(before, before + n) for n, (before, _) in zip(shape, widths, strict=True))
        return i._put_slice(array, inside, frame.shape) + frame
    for axis, width in enumerate(widths):  # the padded numbers 0, 1, ... say which element comes where
        array = ga.index_select(array, axis, np.pad(np.arange(shape[axis]), width, mode))
    return array


# Picking, triangles, diagonals


def take(a: Any, indices: Any, axis: int | None = None) -> Any:
    a = s.reshape(a, -1) if axis is None else a
    return i.getitem(a, along(normalize_axis_index(axis or 0, a.ndim), i.plain(indices)))


def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    return ga.take_along_dim(operand(arr), indices, axis)


def diag(v: Any, k: int = 0) -> Any:
    return di.diag(v, k)


def diagflat(v: Any, k: int = 0) -> Any:
    return di.diag(s.reshape(v, -1), k)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return di.diagonal(a, offset, axis1, axis2)


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    return sum(di.diagonal(a, offset, axis1, axis2), -1, dtype)


def triu(m: Any, k: int = 0) -> Any:
    return di.triu(m, k)


def tril(m: Any, k: int = 0) -> Any:
    return di.tril(m, k)


# Copies and constants


def copy(a: Any) -> Any:
    return clone(a)


def zeros_like(a: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    return np.zeros_like(array_of(converted(a, dtype)), shape=shape)


def empty_like(prototype: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    return zeros_like(prototype, dtype, shape=shape)


def ones_like(a: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    return np.ones_like(array_of(converted(a, dtype)), shape=shape)


def full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    zeros = zeros_like(a, dtype, shape=shape)
    if isinstance(fill_value, TensorBase):
        return e.add(zeros, converted(fill_value, zeros.dtype))  # recorded: the tensor gets its gradient
    zeros[...] = fill_value
    return zeros
