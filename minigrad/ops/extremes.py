"""Operations that find the largest and the smallest elements, each with its rule beneath it.

The gradient goes to the element that was chosen: of equal ones the first, or, where no index names one, to all alike.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minigrad.engine import Primitive, TensorBase, define
from minigrad.ops.choosing import where
from minigrad.ops.comparison import isnan
from minigrad.ops.dims import Axes, array_of, axes_of, numpy_names, one_axis
from minigrad.ops.gather import cummax_along, cummin_along, max_along, min_along
from minigrad.ops.kinks import maximum, minimum
from minigrad.ops.reduce import _sum, unreduce
from minigrad.ops.shape import reshape


class Pair(NamedTuple):
    values: Any
    indices: Any


class max_result(Pair):
    """What ``max(dim)`` returns; printed as PyTorch prints it."""

    def __repr__(self) -> str:
        kind = type(self).__name__.removesuffix("_result")
        return f"torch.return_types.{kind}(\nvalues={self.values!r},\nindices={self.indices!r})"


class min_result(max_result):
    """What ``min(dim)`` returns."""


class cummax_result(max_result):
    """What ``cummax`` returns."""


class cummin_result(max_result):
    """What ``cummin`` returns."""


class _Range(NamedTuple):
    min: Any
    max: Any


class aminmax_result(_Range):
    """What ``aminmax`` returns."""

    def __repr__(self) -> str:
        return f"torch.return_types.aminmax(\nmin={self.min!r},\nmax={self.max!r})"


def _filled(x: np.ndarray, axis: tuple[int, ...], name: str) -> None:
    if x.size == 0 and 0 in [x.shape[a] for a in axis]:
        raise IndexError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0, or to have elements: "
            f"the tensor of shape {x.shape} has none to choose from"
        )


def _some(x: np.ndarray, name: str) -> None:
    if x.size == 0:
        raise RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0: the tensor of shape {x.shape} has no "
            f"elements to choose from"
        )


@define("AmaxBackward0")
def _amax(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    _filled(x, axis, "amax")
    return np.maximum.reduce(x, axis=axis, keepdims=keepdims)


@define("AminBackward0")
def _amin(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    _filled(x, axis, "amin")
    return np.minimum.reduce(x, axis=axis, keepdims=keepdims)


def evenly(g: Any, x: Any, y: Any, axis: Any, keepdims: bool) -> Any:
    """``g`` shared evenly among the elements that equal the extreme (nan counts as equal to nan)."""
    shape = tuple(x.shape)
    g, y = unreduce(g, axis, keepdims, shape), unreduce(y, axis, keepdims, shape)
    ties = (x == y) | (isnan(x) & isnan(y))
    return where(ties, g / _sum(ties, axis, True), 0.0)


def _evenly_but_nan(g: Any, x: Any, y: Any, axis: Any, keepdims: bool) -> Any:
    """``evenly``, and nan for every element that a nan beat."""
    shape = tuple(x.shape)
    ties = x == unreduce(y, axis, keepdims, shape)
    return unreduce(g, axis, keepdims, shape) * ties / _sum(ties, axis, True)


_amax.vjp(x=_evenly_but_nan)
_amin.vjp(x=_evenly_but_nan)


def _all_of(dim: Any) -> bool:
    return dim is None or dim == ()


@numpy_names
def amax(input: Any, dim: Axes = (), keepdim: bool = False) -> Any:
    """The largest element over ``dim``; ties share the gradient evenly."""
    if _all_of(dim):
        _some(array_of(input), "amax")
    return _amax(input, axes_of(input, dim), keepdim)


@numpy_names
def amin(input: Any, dim: Axes = (), keepdim: bool = False) -> Any:
    """The smallest element over ``dim``; ties share the gradient evenly."""
    if _all_of(dim):
        _some(array_of(input), "amin")
    return _amin(input, axes_of(input, dim), keepdim)


@Primitive
def _argmax(x: Any, axis: int | None, keepdims: bool) -> Any:
    _filled(x, tuple(range(x.ndim)) if axis is None else (axis,), "argmax")
    return np.argmax(x, axis=axis, keepdims=keepdims)


@Primitive
def _argmin(x: Any, axis: int | None, keepdims: bool) -> Any:
    _filled(x, tuple(range(x.ndim)) if axis is None else (axis,), "argmin")
    return np.argmin(x, axis=axis, keepdims=keepdims)


def _arg(primitive: Primitive, input: Any, dim: int | None, keepdim: bool) -> Any:
    ndim = array_of(input).ndim
    if dim is not None and one_axis(ndim, dim) == 0 and ndim == 0:
        return primitive(input, None, False)
    return primitive(input, None if dim is None else one_axis(ndim, dim), keepdim)


@numpy_names
def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The index of the first largest element along ``dim``, or in the flattened tensor."""
    return _arg(_argmax, input, dim, keepdim)


@numpy_names
def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The index of the first smallest element along ``dim``, or in the flattened tensor."""
    return _arg(_argmin, input, dim, keepdim)


def _extreme(input: Any, dim: Any, keepdim: bool, arg: Any, along: Primitive, pair: Any) -> Any:
    shape = array_of(input).shape
    axis = one_axis(len(shape), dim)
    if not shape:
        indices = arg(input, None, False)
        return pair(along(input, array_of(indices), 0, True), indices)
    indices = arg(input, axis, True)
    values = along(input, array_of(indices), axis, keepdim)
    return pair(values, indices if keepdim else reshape(indices, tuple(n for i, n in enumerate(shape) if i != axis)))


@define("MaxBackward1")
def _max_all(x: Any) -> Any:
    _some(x, "max")
    return np.maximum.reduce(x, axis=None)


@define("MinBackward1")
def _min_all(x: Any) -> Any:
    _some(x, "min")
    return np.minimum.reduce(x, axis=None)


for _extreme_all in (_max_all, _min_all):
    _extreme_all.vjp(x=lambda g, x, y: evenly(g, x, y, tuple(range(len(x.shape))), False))


@numpy_names
def max(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The largest element; over ``dim``, a named tuple of ``values`` and ``indices``; of two tensors, ``maximum``."""
    if other is not None or isinstance(dim, (TensorBase, np.ndarray)):
        return maximum(input, dim if other is None else other)
    if dim is None:
        return _max_all(input)
    return _extreme(input, dim, keepdim, _argmax, max_along, max_result)


@numpy_names
def min(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest element; over ``dim``, a named tuple of ``values`` and ``indices``; of two tensors, ``minimum``."""
    if other is not None or isinstance(dim, (TensorBase, np.ndarray)):
        return minimum(input, dim if other is None else other)
    if dim is None:
        return _min_all(input)
    return _extreme(input, dim, keepdim, _argmin, min_along, min_result)


@numpy_names
def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """``amin`` and ``amax`` over ``dim``, or of all elements, as a named tuple."""
    return aminmax_result(amin(input, dim, keepdim), amax(input, dim, keepdim))


def _running(ufunc: np.ufunc, input: Any, dim: int, along: Primitive, pair: Any) -> Any:
    x = array_of(input)
    axis = one_axis(x.ndim, dim)
    if not x.ndim:
        place = np.zeros((), np.int64)
    else:
        best = ufunc.accumulate(x, axis=axis)
        here = np.arange(x.shape[axis]).reshape((-1, *(1,) * (x.ndim - 1 - axis)))
        found = (x == best) | (np.isnan(x) if x.dtype.kind == "f" else False)
        place = np.maximum.accumulate(np.where(found, here, 0), axis=axis)
    return pair(along(input, place, axis, True), like(input, place))


@numpy_names
def cummax(input: Any, dim: int) -> Any:
    """The largest element so far along ``dim``: a named tuple of ``values`` and ``indices``."""
    return _running(np.maximum, input, dim, cummax_along, cummax_result)


@numpy_names
def cummin(input: Any, dim: int) -> Any:
    """The smallest element so far along ``dim``: a named tuple of ``values`` and ``indices``."""
    return _running(np.minimum, input, dim, cummin_along, cummin_result)


def like(input: Any, array: np.ndarray) -> Any:
    """``array`` as a tensor, or as an array where ``input`` is one."""
    return input.wrap(array if array.flags.c_contiguous else array.copy()) if isinstance(input, TensorBase) else array
