"""Operations that pick elements and put them back. Picking and adding back are adjoint: each is the other's rule.

An index met twice is read twice, so its gradients add up: ``scatter_add`` and ``np.add.at``, never assignment.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import TensorBase, define
from minigrad.ops.choosing import where
from minigrad.ops.dims import along, array_of, one_axis, takes_out
from minigrad.ops.shape import broadcast_shapes


def plain(index: Any) -> Any:
    """An index as NumPy takes it: tensors as arrays, lists as arrays, ``None``, slices and integers as they are."""
    if isinstance(index, tuple):
        return tuple(plain(i) for i in index)
    if isinstance(index, TensorBase):
        index = index.array
    if isinstance(index, list):
        index = np.asanyarray([plain(i) for i in index] if index else np.zeros(0, np.int64))
    if isinstance(index, np.ndarray) and index.dtype.kind == "f":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors: convert with .long()")
    if isinstance(index, (float, str)):
        raise (TypeError if isinstance(index, str) else IndexError)(
            f"only integers, slices, ..., None and tensors of integers or bools are valid indices, got {index!r}"
        )
    return index


def _basic(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        p is None or p is ... or (isinstance(p, (slice, int, np.integer)) and not isinstance(p, (bool, np.bool_)))
        for p in parts
    )


def in_steps(index: Any, ndim: int) -> tuple[Any, Any]:
    """``index`` as PyTorch takes it where NumPy would not: first its integers (None if it has none), then its arrays.

    To NumPy an integer beside an array is an array, too, and ``...`` parts two arrays even where it stands for nothing;
    both change where the arrays' dimensions come to stand.
    """
    if not isinstance(index, tuple):
        return None, index
    if sum(_taken(p) for p in index) >= ndim:
        index = tuple(p for p in index if p is not ...)
    arrays = [isinstance(p, np.ndarray) and p.ndim > 0 for p in index]
    integers = [
        isinstance(p, (int, np.integer, np.ndarray)) and not (a or isinstance(p, (bool, np.bool_)) or _is_truth(p))
        for p, a in zip(index, arrays, strict=True)
    ]
    if not any(integers) or not any(arrays):
        return None, index
    first = tuple(
        int(p) if i else p if p is ... else slice(None) for p, i in zip(index, integers, strict=True) if p is not None
    )
    rest = tuple(p for p, i in zip(index, integers, strict=True) if not i)
    return first, rest


def _taken(part: Any) -> int:
    """How many dimensions a part of an index speaks of."""
    return 0 if part is None or part is ... else part.ndim if _is_truth(part) else 1


def _is_truth(part: Any) -> bool:
    return isinstance(part, np.ndarray) and part.dtype.kind == "b"


@define("SelectBackward0", view=True)
def _select(x: Any, index: Any) -> Any:
    y = x[index]
    return y if isinstance(y, np.ndarray) else x[(*index, ...) if isinstance(index, tuple) else (index, ...)]


@define("SliceBackward0", view=True)
def _slice(x: Any, index: Any) -> Any:
    return x[index]


_new_axis = define("UnsqueezeBackward0", view=True)(_slice.forward)


@define("AliasBackward0", view=True)
def _alias(x: Any, index: Any) -> Any:
    return x[...]


@define("IndexBackward0", keeps=True)
def _gather_index(x: Any, index: Any) -> Any:
    return x[index]


@define("IndexPutBackward0")
def _put_slice(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    y = np.zeros(shape, x.dtype, like=x)
    y[index] = x
    return y


@define("IndexPutBackward0")
def _put_add(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    y = np.zeros(shape, x.dtype, like=x)
    np.add.at(y, index, x)
    return y


for _view in (_select, _slice, _new_axis, _alias):
    _view.vjp(x=lambda g, x_shape, index: _put_slice(g, index, x_shape))
_gather_index.vjp(x=lambda g, x_shape, index: _put_add(g, index, x_shape))
_put_slice.vjp(x=lambda g, index: _slice(g, index))
_put_add.vjp(x=lambda g, index: _gather_index(g, index))


def _last_step(index: Any) -> Any:
    """The last of the steps, one for each part of the index, that PyTorch takes: it gives the result its name."""
    for part in reversed(index) if isinstance(index, tuple) else (index,):
        if isinstance(part, slice):
            if part != slice(None) or part is index:
                return _slice
        elif part is None:
            return _new_axis
        elif part is not ...:
            return _select
    return _alias


def getitem(input: Any, index: Any) -> Any:
    """``input[index]``: a view for integers, slices, None and ...; a copy for arrays, tensors and masks."""
    index = plain(index)
    try:
        if not _basic(index):
            first, rest = in_steps(index, array_of(input).ndim)
            return _gather_index(input if first is None else _last_step(first)(input, first), rest)
        return _last_step(index)(input, index)
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


# Masks


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """``value`` where ``mask`` holds, else ``input``."""
    tensor = isinstance(value, (TensorBase, np.ndarray))
    return (_masked_fill_tensor if tensor else _masked_fill)(input, array_of(mask), value)


@define("MaskedFillBackward0", keeps=True)
def _masked_fill(x: Any, mask: np.ndarray, value: Any) -> Any:
    if mask.dtype.kind != "b":
        raise RuntimeError(f"masked_fill only supports boolean masks, but got dtype {mask.dtype}: compare, as in x > 0")
    return np.where(mask, np.asanyarray(value).astype(x.dtype), x)


_masked_fill_tensor = define("MaskedFillBackward1", keeps=True)(_masked_fill.forward)

for _fill in (_masked_fill, _masked_fill_tensor):
    _fill.vjp(x=lambda g, mask: where(mask, 0.0, g))
_masked_fill_tensor.vjp(value=lambda g, mask: where(mask, g, 0.0).sum())


@define("MaskedSelectBackward0", keeps=True)
def _masked_select(x: Any, mask: np.ndarray) -> Any:
    return x[mask]


_masked_select.vjp(x=lambda g, x_shape, mask: _put_slice(g, mask, x_shape))


@takes_out
def masked_select(input: Any, mask: Any) -> Any:
    """The elements where ``mask`` holds, as a vector."""
    x, where_ = array_of(input), array_of(mask)
    shape = broadcast_shapes(x.shape, where_.shape)
    return _masked_select(input if x.shape == shape else input.expand(*shape), np.broadcast_to(where_, shape))
