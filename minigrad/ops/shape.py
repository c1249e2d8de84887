"""Operations that move elements about without changing them. Many return views: they share memory with their input.

The rule of a rearrangement is the rearrangement back.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from minigrad.attributes import Size
from minigrad.dtypes import dtype as type_of_elements
from minigrad.engine import clone, define, expand
from minigrad.ops.dims import array_of, axes_of, one_axis


@define("ViewBackward0", view=True)
def _reshape(x: Any, shape: tuple[int, ...]) -> Any:
    return x.reshape(shape)


_reshape.vjp(x=lambda g, x_shape: _reshape(g, x_shape))


def shape_of(shape: tuple[Any, ...], named: Any = None) -> tuple[int, ...]:
    """A shape given as ``(2, 3)``, as ``2, 3``, or by name."""
    if named is not None:
        shape = (named,)
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    try:
        return tuple(map(operator.index, shape))
    except TypeError:
        raise TypeError(
            f"a shape must be integers, got {shape!r}: use // or int(...) for sizes that are computed"
        ) from None


def reshape(input: Any, *sizes: Any, shape: Any = None) -> Any:
    """The same elements in another shape; one size may be -1. A view where NumPy can make one."""
    wanted, old = shape_of(sizes, shape), array_of(input).shape
    known = math.prod(n for n in wanted if n != -1)
    size = math.prod(old)
    if wanted.count(-1) > 1:
        raise RuntimeError(
            f"only one dimension can be inferred, and the shape {list(wanted)} leaves several open with -1"
        )
    if (known == 0 and -1 in wanted) or (size % known if -1 in wanted else size != known):
        raise RuntimeError(f"shape '{list(wanted)}' is invalid for input of size {size} (its shape is {list(old)})")
    return _reshape(input, wanted)


@define("ViewBackward0", view=True)
def _read_as(x: Any, dtype: np.dtype) -> Any:
    return x.view(dtype)


def view(input: Any, *shape: Any, size: Any = None, dtype: Any = None) -> Any:
    """``reshape`` that never copies: raises RuntimeError where the memory does not allow a view.

    With a ``dtype`` instead of a shape, the same bytes read as another type, through which no gradient flows.
    """
    kind = shape[0] if len(shape) == 1 and not isinstance(shape[0], (int, np.integer, tuple, list)) else dtype
    if isinstance(kind, type_of_elements):
        return _read_as(input, kind.dtype)
    result = reshape(input, *shape, shape=size)
    x, y = array_of(input), array_of(result)
    if x.size and not np.may_share_memory(x, y):
        raise RuntimeError(
            f"view size is not compatible with input tensor's size {list(x.shape)} and stride: it is not contiguous. "
            f"Use .reshape(...) instead."
        )
    return result


@define("CloneBackward0")
def contiguous_copy(x: Any) -> Any:
    return x.copy()


contiguous_copy.vjp(x=lambda g: g)


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The dimensions from ``start_dim`` to ``end_dim`` as one."""
    shape = array_of(input).shape
    start, end = one_axis(len(shape), start_dim), one_axis(len(shape), end_dim)
    if start > end:
        raise RuntimeError(
            f"flatten() has invalid args: start_dim cannot come after end_dim, got {start_dim} and {end_dim}"
        )
    if start == end and shape:
        return input
    return _reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def ravel(input: Any) -> Any:
    """All dimensions as one."""
    return reshape(input, (-1,))


def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """Dimension ``dim`` as several of the given sizes."""
    shape = array_of(input).shape
    axis = one_axis(len(shape), dim)
    if math.prod(sizes) != shape[axis] and -1 not in sizes:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({shape[axis]})"
        )
    return reshape(input, (*shape[:axis], *sizes, *shape[axis + 1 :]))


@define("PermuteBackward0", view=True)
def _permute(x: Any, axes: tuple[int, ...]) -> Any:
    return x.transpose(axes)


_permute.vjp(x=lambda g, axes: _permute(g, tuple(sorted(range(len(axes)), key=axes.__getitem__))))


def permute(input: Any, *order: Any, dims: Any = None) -> Any:
    """The dimensions in another order."""
    ndim, axes = array_of(input).ndim, shape_of(order, dims)
    if len(axes) != ndim:
        raise RuntimeError(
            f"permute(sparse_coo): number of dimensions in the tensor input ({ndim}) does not match dims {axes}"
        )
    return _permute(input, axes_of(input, axes))


@define("TransposeBackward0", view=True)
def _swapaxes(x: Any, a: int, b: int) -> Any:
    return x.swapaxes(a, b) if x.ndim else x[...]


_swapaxes.vjp(x=lambda g, a, b: _swapaxes(g, a, b))


@define("TBackward0", view=True)
def _t(x: Any) -> Any:
    return x.T


_t.vjp(x=lambda g: _t(g))


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged."""
    ndim = array_of(input).ndim
    a, b = one_axis(ndim, dim0), one_axis(ndim, dim1)
    return _swapaxes(input, a, b)


def t(input: Any) -> Any:
    """A matrix transposed; a vector as it is."""
    if array_of(input).ndim > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {array_of(input).ndim}D: use .mT or transpose"
        )
    return _t(input)


def movedim(input: Any, source: Any, destination: Any) -> Any:
    """The dimensions ``source`` at the places ``destination``, the others in order."""
    one = isinstance(source, int)
    from_, to = (
        axes_of(input, (source,) if one else tuple(source)),
        axes_of(input, (destination,) if one else tuple(destination)),
    )
    if len(from_) != len(to):
        raise RuntimeError(f"movedim: Invalid source or destination dims: {source} and {destination} differ in number")
    order = [i for i in range(array_of(input).ndim) if i not in from_]
    for place, axis in sorted(zip(to, from_, strict=True)):
        order.insert(place, axis)
    return _permute(input, tuple(order))


@define("UnsqueezeBackward0", view=True)
def _unsqueeze(x: Any, axis: int) -> Any:
    return np.expand_dims(x, axis)


_unsqueeze.vjp(x=lambda g, x_shape: _reshape(g, x_shape))


def unsqueeze(input: Any, dim: int) -> Any:
    """A new dimension of size 1 at ``dim``."""
    return _unsqueeze(input, one_axis(array_of(input).ndim + 1, dim))


@define("SqueezeBackward1", view=True)
def _squeeze(x: Any, axes: tuple[int, ...]) -> Any:
    return x.reshape(tuple(n for i, n in enumerate(x.shape) if i not in axes))


_squeeze_all = define("SqueezeBackward0", view=True)(_squeeze.forward)
_squeeze_many = define("SqueezeBackward2", view=True)(_squeeze.forward)

for _drop in (_squeeze, _squeeze_all, _squeeze_many):
    _drop.vjp(x=lambda g, x_shape: _reshape(g, x_shape))


def squeeze(input: Any, dim: Any = None) -> Any:
    """Without the dimensions of size 1, or without ``dim`` if its size is 1."""
    drop = _squeeze_all if dim is None else _squeeze_many if isinstance(dim, (tuple, list)) else _squeeze
    return drop(input, tuple(a for a in axes_of(input, dim) if array_of(input).shape[a] == 1))


def _at_least(input: Any, ndim: int, places: Any) -> Any:
    if isinstance(input, (tuple, list)):
        return tuple(_at_least(x, ndim, places) for x in input)
    shape = array_of(input).shape
    return reshape(input, places(shape)) if len(shape) < ndim else input


def atleast_1d(*tensors: Any) -> Any:
    """A number as a vector of one; everything else as it is."""
    return _at_least(tensors if len(tensors) > 1 else tensors[0], 1, lambda shape: (1,))


def atleast_2d(*tensors: Any) -> Any:
    """A vector as a matrix of one row; everything larger as it is."""
    return _at_least(tensors if len(tensors) > 1 else tensors[0], 2, lambda shape: (1, *(shape or (1,))))


def atleast_3d(*tensors: Any) -> Any:
    """A matrix with a last dimension of 1, a vector with one before and one after it; everything larger as it is."""
    wanted = {0: lambda s: (1, 1, 1), 1: lambda s: (1, *s, 1), 2: lambda s: (*s, 1)}
    return _at_least(tensors if len(tensors) > 1 else tensors[0], 3, lambda shape: wanted[len(shape)](shape))


def broadcast_to(input: Any, size: Any) -> Any:
    """``input`` stretched to ``size`` without copying; -1 keeps a size."""
    old, wanted = array_of(input).shape, shape_of((size,))
    lead = len(wanted) - len(old)
    if lead < 0:
        raise RuntimeError(
            f"expand: the number of sizes provided ({len(wanted)}) must be at least the tensor's ({len(old)})"
        )
    full = tuple(old[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(wanted))
    if any(m not in (1, n) for m, n in zip(old, full[lead:], strict=True)):
        raise RuntimeError(
            f"The expanded size {list(wanted)} must match the existing size {list(old)} where that is not 1"
        )
    return expand(input, full)


def expand_(input: Any, *sizes: Any, size: Any = None) -> Any:
    """``Tensor.expand``: the sizes may be given one by one."""
    return broadcast_to(input, shape_of(sizes, size))


@define("RepeatBackward0")
def _tile(x: Any, repeats: tuple[int, ...]) -> Any:
    return np.tile(x, repeats)


def _tile_x(g: Any, x_shape: Any, repeats: tuple[int, ...]) -> Any:
    # y[r, i] = x[i] for every copy r: write g with the copies as axes of their own and add those up
    shape = (1,) * (len(repeats) - len(x_shape)) + tuple(x_shape)
    split = tuple(n for pair in zip(repeats, shape, strict=True) for n in pair)
    return _reshape(_reshape(g, split).sum(tuple(range(0, len(split), 2))), x_shape)


_tile.vjp(x=_tile_x)


def repeat(input: Any, *repeats: Any) -> Any:
    """``Tensor.repeat``: copies along each dimension, new leading dimensions included."""
    counts = shape_of(repeats)
    if not repeats:
        raise TypeError("repeat() missing 1 required positional argument: how often along each dimension")
    if len(counts) < array_of(input).ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    return _tile(input, counts)


def tile(input: Any, *times: Any, dims: Any = None) -> Any:
    """``repeat`` with missing counts taken as 1."""
    counts = shape_of(times, dims)
    return _tile(input, (1,) * (array_of(input).ndim - len(counts)) + counts)


@define("FlipBackward0")
def _flip(x: Any, axes: tuple[int, ...]) -> Any:
    return np.flip(x, axes).copy()


_flip.vjp(x=lambda g, axes: _flip(g, axes))


def flip(input: Any, *axes: Any, dims: Any = None) -> Any:
    """The order along ``dims`` reversed (a copy, as in PyTorch)."""
    chosen = shape_of(axes, dims)
    return _flip(input, axes_of(input, chosen) if chosen else ())


def fliplr(input: Any) -> Any:
    """Columns in reverse order."""
    if array_of(input).ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


def flipud(input: Any) -> Any:
    """Rows in reverse order."""
    if array_of(input).ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """Turned by ``k`` quarters in the plane of ``dims``, from the first towards the second."""
    a, b = dims
    if k % 4 == 2:
        return flip(input, a, b)
    turned = input if k % 4 == 0 else transpose(flip(input, b) if k % 4 == 1 else flip(input, a), a, b)
    return clone(turned)


@define("RollBackward0")
def _roll(x: Any, shifts: Any, axes: Any) -> Any:
    return np.roll(x, shifts, axes)


_roll.vjp(x=lambda g, shifts, axes: _roll(g, tuple(-s for s in shifts) if isinstance(shifts, tuple) else -shifts, axes))


def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """Elements shifted along ``dims``, those that fall off coming in at the other end."""
    return _roll(
        input,
        tuple(shifts) if isinstance(shifts, (tuple, list)) else shifts,
        tuple(dims) if isinstance(dims, list) else dims,
    )


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """All stretched to the shape in which they meet, without copying."""
    shape = broadcast_shapes(*(array_of(x).shape for x in tensors))
    return tuple(broadcast_to(x, shape) for x in tensors)


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape in which tensors of these shapes meet."""
    try:
        return Size(np.broadcast_shapes(*(tuple(s) if isinstance(s, (tuple, list)) else (s,) for s in shapes)))
    except ValueError as error:
        raise RuntimeError(f"Shape mismatch: objects cannot be broadcast to a single shape: {error}") from None
