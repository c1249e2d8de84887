"""Operations that add up, multiply or count along axes, each with its rule beneath it.

Primitives speak NumPy (``axis`` as a tuple, ``keepdims``); the public functions under them take PyTorch's ``dim`` and
``keepdim``, and NumPy's names where PyTorch accepts them too.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import to_numpy
from minigrad.engine import Primitive, cast, define, expand
from minigrad.ops.choosing import where
from minigrad.ops.comparison import isnan, logical_not, logical_xor
from minigrad.ops.dims import Axes, along, array_of, axes_of, numpy_names, one_axis
from minigrad.ops.joining import _cat
from minigrad.ops.shape import flip, reshape


def unreduce(g: Any, axis: tuple[int, ...], keepdims: bool, shape: tuple[int, ...]) -> Any:
    """``g`` of a reduction with its axes of length 1 put back, ready to broadcast to ``shape``."""
    return g if keepdims else reshape(g, tuple(1 if i in axis else n for i, n in enumerate(shape)))


# Sums and means


@define("SumBackward1")
def _sum(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    return np.add.reduce(x, axis=axis, dtype=np.int64 if x.dtype.kind in "iub" else None, keepdims=keepdims)


_sum.vjp(x=lambda g, x_shape, axis, keepdims: expand(unreduce(g, axis, keepdims, x_shape), x_shape))


@define("SumBackward0")
def _sum_all(x: Any) -> Any:
    return np.add.reduce(x, axis=None, dtype=np.int64 if x.dtype.kind in "iub" else None)


_sum_all.vjp(x=lambda g, x_shape: expand(g, x_shape))


def converted(input: Any, dtype: Any) -> Any:
    """``input`` in the type that the caller asked for, if any."""
    return input if dtype is None else cast(input, to_numpy(dtype))


@numpy_names
def sum(input: Any, dim: Axes = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over ``dim``, or of all elements. Integers and bools add up as int64."""
    input = converted(input, dtype)
    if dim is None and not keepdim:
        return _sum_all(input)
    return _sum(input, axes_of(input, dim), keepdim)


def at_least(n: float, low: float) -> float:
    return n if n > low else low


@define("MeanBackward1")
def _mean(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    n = math.prod(x.shape[a] for a in axis)
    total = np.add.reduce(x, axis=axis, keepdims=keepdims)
    return total * x.dtype.type(1 / n) if n else np.full_like(total, np.nan)


def _mean_x(g: Any, x_shape: Any, axis: Any, keepdims: bool) -> Any:
    n = math.prod(x_shape[a] for a in axis)
    return expand(unreduce(g, axis, keepdims, x_shape) / at_least(n, 1), x_shape)


_mean.vjp(x=_mean_x)


@define("MeanBackward0")
def _mean_all(x: Any) -> Any:
    return np.add.reduce(x, axis=None) / x.dtype.type(x.size)


_mean_all.vjp(x=lambda g, x_shape: expand(g / at_least(math.prod(x_shape), 1), x_shape))


@numpy_names
def mean(input: Any, dim: Axes = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over ``dim``, or of all elements; nan where there are none."""
    input = converted(input, dtype)
    if array_of(input).dtype.kind != "f":
        raise RuntimeError(
            f"mean(): could not infer output dtype. Input dtype must be a floating point type, got {array_of(input).dtype}: "
            f"convert with .float()"
        )
    return _mean_all(input) if dim is None and not keepdim else _mean(input, axes_of(input, dim), keepdim)


@define("NansumBackward0")
def _nansum(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    return _sum.forward(np.where(np.isnan(x), x.dtype.type(0), x), axis, keepdims)


_nansum.vjp(
    x=lambda g, x, axis, keepdims: where(
        isnan(x), 0.0, expand(unreduce(g, axis, keepdims, tuple(x.shape)), tuple(x.shape))
    )
)


@numpy_names
def nansum(input: Any, dim: Axes = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over ``dim`` of what is not nan."""
    return _nansum(converted(input, dtype), axes_of(input, dim), keepdim)


@numpy_names
def nanmean(input: Any, dim: Axes = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over ``dim`` of what is not nan."""
    return nansum(input, dim, keepdim, dtype=dtype) / _sum(logical_not(isnan(input)), axes_of(input, dim), keepdim)


# Products


@define("ProdBackward1")
def _prod(x: Any, axis: int, keepdims: bool) -> Any:
    return np.multiply.reduce(x, axis=axis, dtype=np.int64 if x.dtype.kind in "iub" else None, keepdims=keepdims)


def _prod_x(g: Any, x: Any, axis: int, keepdims: bool) -> Any:
    # The product of all others: of those before it and of those after it, so that zeros need no division.
    before, after = _cumprod_exclusive(x, axis), flip(_cumprod_exclusive(flip(x, axis), axis), axis)
    return unreduce(g, (axis,), keepdims, tuple(x.shape)) * before * after


_prod_all = define("ProdBackward0")(_prod.forward)

for _product in (_prod, _prod_all):
    _product.vjp(x=_prod_x)


def _accumulate(ufunc: np.ufunc, x: Any, dim: int) -> Any:
    wanted = np.int64 if x.dtype.kind in "iub" else x.dtype
    return ufunc.accumulate(x, axis=dim, dtype=wanted) if x.ndim else x.astype(wanted)


@define("CumprodBackward0")
def _cumprod(x: Any, dim: int) -> Any:
    return _accumulate(np.multiply, x, dim)


def _cumprod_x(g: Any, x: Any, dim: int) -> Any:
    # dy_k/dx_i = prod of x_j over j <= k, j != i. Position by position, so that zeros need no division.
    n = x.shape[dim] if len(x.shape) else 0
    parts = []
    for i in range(n):
        ahead = _prod(_narrow(x, dim, 0, i), dim, True)
        tail = _narrow(x, dim, i + 1, n)
        rest = _narrow(g, dim, i, i + 1) * ahead
        if i + 1 < n:
            rest = rest + _sum(_narrow(g, dim, i + 1, n) * ahead * _cumprod(tail, dim), (dim,), True)
        parts.append(rest)
    return _cat(*parts, dim=dim) if parts else g


_cumprod.vjp(x=_cumprod_x)


def _narrow(x: Any, dim: int, start: int, stop: int | None) -> Any:
    return x[along(dim, slice(start, stop))]


def _cumprod_exclusive(x: Any, axis: int) -> Any:
    """The products of all elements before each one."""
    first = _narrow(x, axis, 0, 1) ** 0
    n = tuple(x.shape)[axis]
    return _cat(first, _cumprod(_narrow(x, axis, 0, n - 1), axis), dim=axis) if n > 1 else first


@numpy_names
def prod(input: Any, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product over ``dim``, or of all elements. The gradient is right at zeros, too."""
    input = converted(input, dtype)
    if dim is None:
        return _prod_all(reshape(input, (-1,)), 0, False)
    if array_of(input).ndim == 0:
        one_axis(0, dim)
        return _prod(reshape(input, (1,)), 0, False)
    return _prod(input, one_axis(array_of(input).ndim, dim), keepdim)


@Primitive
def _cumsum(x: Any, dim: int) -> Any:
    return _accumulate(np.add, x, dim)


_cumsum.vjp(x=lambda g, dim: flip(_cumsum(flip(g, dim), dim), dim))


@numpy_names
def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """``y_k = x_0 + ... + x_k`` along ``dim``."""
    return _cumsum(converted(input, dtype), one_axis(array_of(input).ndim, dim))


@numpy_names
def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """``y_k = x_0 * ... * x_k`` along ``dim``."""
    return _cumprod(converted(input, dtype), one_axis(array_of(input).ndim, dim))


@numpy_names
def diff(input: Any, n: int = 1, dim: int = -1) -> Any:
    """``y_k = x_(k+1) - x_k`` along ``dim``, ``n`` times over."""
    axis = one_axis(array_of(input).ndim, dim)
    if array_of(input).ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    for _ in range(n):
        after, before = _narrow(input, axis, 1, None), _narrow(input, axis, 0, -1)
        input = logical_xor(after, before) if array_of(input).dtype.kind == "b" else after - before
    return input


# Truth


def _truth(y: Any, x: np.ndarray) -> Any:
    """``y`` as bool, or for bytes as bytes, which PyTorch used for truth before it had bool."""
    return np.asanyarray(y, np.uint8) if x.dtype == np.uint8 else y


@Primitive
def _all(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    return _truth(np.all(x, axis=axis, keepdims=keepdims), x)


@Primitive
def _any(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    return _truth(np.any(x, axis=axis, keepdims=keepdims), x)


@Primitive
def _count(x: Any, axis: tuple[int, ...]) -> Any:
    return np.count_nonzero(x, axis=axis)


@numpy_names
def all(input: Any, dim: Axes = None, keepdim: bool = False) -> Any:
    """True where all elements over ``dim`` are nonzero."""
    return _all(input, axes_of(input, dim), keepdim)


@numpy_names
def any(input: Any, dim: Axes = None, keepdim: bool = False) -> Any:
    """True where some element over ``dim`` is nonzero."""
    return _any(input, axes_of(input, dim), keepdim)


@numpy_names
def count_nonzero(input: Any, dim: Axes = None) -> Any:
    """How many elements over ``dim`` are nonzero."""
    return _count(input, axes_of(input, dim))
