"""What ``dim`` means: PyTorch's way of naming axes, checked and turned into NumPy's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.engine import TensorBase

Axes = int | tuple[int, ...] | None


def array_of(x: Any) -> np.ndarray:
    """The array of a tensor; an array itself."""
    return x.array if isinstance(x, TensorBase) else np.asanyarray(x)


def one_axis(ndim: int, dim: Any) -> int:
    """``dim`` counted from the front. Raises IndexError outside [-ndim, ndim)."""
    if not isinstance(dim, (int, np.integer)) or isinstance(dim, bool):
        raise TypeError(f"dim must be an integer, got {type(dim).__name__}: {dim!r}")
    bound = ndim or 1
    if not -bound <= dim < bound:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {dim}): "
            f"the tensor has {ndim} dimensions"
        )
    return int(dim) % bound


def along(axis: int, index: Any) -> tuple[Any, ...]:
    """The index that takes ``index`` along ``axis`` and everything along the axes before and after."""
    return (*(slice(None),) * axis, index)


def memory_order(x: np.ndarray) -> list[int]:
    """The axes of an array like ``x`` from the outermost in memory to the innermost, as PyTorch's ``empty_like`` has them."""
    axes = list(range(x.ndim))
    return axes if x.flags.c_contiguous or 0 in x.strides else sorted(axes, key=lambda axis: -abs(x.strides[axis]))


def laid_like(x: np.ndarray, make: Callable[[tuple[int, ...]], Any]) -> Any:
    """What ``make(shape)`` gives, lying in memory as ``x`` does: the first made is the first there, as in PyTorch."""
    order = memory_order(x)
    made = make(tuple(x.shape[axis] for axis in order))
    return made if order == sorted(order) else made.transpose(sorted(order, key=order.__getitem__))


def axes_of(x: Any, dim: Any) -> tuple[int, ...]:
    """The axes that ``dim`` means, counted from the front; None or () means all of them."""
    ndim = array_of(x).ndim
    if dim is None or (isinstance(dim, (tuple, list)) and len(dim) == 0):
        return tuple(range(ndim))
    axes = tuple(one_axis(ndim, d) for d in (dim if isinstance(dim, (tuple, list)) else (dim,)))
    if len(set(axes)) != len(axes):
        raise RuntimeError(f"a dimension appears multiple times in the list of dims {dim}")
    return axes if ndim else ()


def takes_out(function: Callable[..., Any]) -> Callable[..., Any]:
    """Accept ``out=``: a tensor, or several for several results, into which the result is written."""

    @functools.wraps(function)
    def writing(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if out is None:
            return result
        if not isinstance(result, tuple):
            return out.receive(result, function.__name__)
        for place, part in zip(out, result, strict=True):
            place.receive(part, function.__name__)
        return type(result)(*out)

    return writing


def numpy_names(function: Callable[..., Any]) -> Callable[..., Any]:
    """Accept NumPy's ``axis`` and ``keepdims`` for ``dim`` and ``keepdim``; and ``out``."""

    @functools.wraps(function)
    def renamed(*args: Any, **kwargs: Any) -> Any:
        if "out" in kwargs:
            return takes_out(renamed)(*args, **kwargs)
        if "axis" in kwargs:
            kwargs["dim"] = kwargs.pop("axis")
        if "keepdims" in kwargs:
            kwargs["keepdim"] = kwargs.pop("keepdims")
        return function(*args, **kwargs)

    return renamed
