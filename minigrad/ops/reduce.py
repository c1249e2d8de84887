"""Operations that add up, multiply or choose along axes, each with its rule beneath it.

Primitives speak NumPy (``axis`` as a tuple, ``keepdims``); the public functions under them take PyTorch's ``dim`` and
``keepdim``, and NumPy's names where PyTorch accepts them too.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from minigrad.dtypes import promote_float, to_numpy
from minigrad.engine import Primitive, TensorBase, cast, clone, define, expand
from minigrad.ops.choosing import where
from minigrad.ops.comparison import isnan
from minigrad.ops.dims import along, array_of, axes_of, numpy_names, one_axis
from minigrad.ops.elementwise import exp
from minigrad.ops.index import max_along, min_along, sort_along, topk_along
from minigrad.ops.kinks import maximum, minimum, sign
from minigrad.ops.shape import _cat, flip, reshape

Axes = int | tuple[int, ...] | None


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


def _converted(input: Any, dtype: Any) -> Any:
    return input if dtype is None else cast(input, to_numpy(dtype))


@numpy_names
def sum(input: Any, dim: Axes = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over ``dim``, or of all elements. Integers and bools add up as int64."""
    input = _converted(input, dtype)
    if dim is None and not keepdim:
        return _sum_all(input)
    return _sum(input, axes_of(input, dim), keepdim)


def _at_least(n: float, low: float) -> float:
    return n if n > low else low  # ``max`` is PyTorch's function in this file


@define("MeanBackward1")
def _mean(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    n = math.prod(x.shape[a] for a in axis)
    total = np.add.reduce(x, axis=axis, keepdims=keepdims)
    return total * x.dtype.type(1 / n) if n else np.full_like(total, np.nan)


def _mean_x(g: Any, x_shape: Any, axis: Any, keepdims: bool) -> Any:
    n = math.prod(x_shape[a] for a in axis)
    return expand(unreduce(g, axis, keepdims, x_shape) / _at_least(n, 1), x_shape)


_mean.vjp(x=_mean_x)


@define("MeanBackward0")
def _mean_all(x: Any) -> Any:
    return np.add.reduce(x, axis=None) / x.dtype.type(x.size)


_mean_all.vjp(x=lambda g, x_shape: expand(g / _at_least(math.prod(x_shape), 1), x_shape))


@numpy_names
def mean(input: Any, dim: Axes = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over ``dim``, or of all elements; nan where there are none."""
    input = _converted(input, dtype)
    if array_of(input).dtype.kind != "f":
        raise RuntimeError(
            f"mean(): could not infer output dtype. Input dtype must be a floating point type, got {array_of(input).dtype}: "
            f"convert with .float()"
        )
    return _mean_all(input) if dim is None and not keepdim else _mean(input, axes_of(input, dim), keepdim)


@define("VarBackward0")
def _var(x: Any, axis: tuple[int, ...], correction: float, keepdims: bool) -> Any:
    n = math.prod(x.shape[a] for a in axis)
    deviation = x - (np.add.reduce(x, axis=axis, keepdims=True) / _at_least(n, 1) if n else x)
    return np.divide(
        np.add.reduce(deviation * deviation, axis=axis, keepdims=keepdims), x.dtype.type(_at_least(n - correction, 0))
    )


def _var_x(g: Any, x: Any, axis: Any, correction: float, keepdims: bool) -> Any:
    # d/dx_i of sum_j (x_j - m)^2 / (n - c) is 2 (x_i - m) / (n - c): the terms through m add up to zero
    n = math.prod(x.shape[a] for a in axis)
    scale = 2 / (n - correction) if n != correction else math.inf
    return unreduce(g, axis, keepdims, tuple(x.shape)) * (scale * (x - _mean(x, axis, True)))


_var.vjp(x=_var_x)


@define("StdBackward0")
def _std(x: Any, axis: tuple[int, ...], correction: float, keepdims: bool) -> Any:
    return np.sqrt(_var(x, axis, correction, keepdims))


def _std_x(g: Any, x: Any, y: Any, axis: Any, correction: float, keepdims: bool) -> Any:
    # through the square root; a constant has gradient 0
    return _var_x(where(y == 0, 0.0, g / (2 * y)), x, axis, correction, keepdims)


_std.vjp(x=_std_x)


def _spread(primitive: Primitive, input: Any, dim: Any, correction: Any, keepdim: bool, unbiased: bool | None) -> Any:
    if isinstance(dim, bool):  # x.var(False)
        dim, unbiased = None, dim
    if isinstance(correction, bool):  # x.var(0, False)
        correction, unbiased = None, correction
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    if array_of(input).dtype.kind != "f":
        raise RuntimeError("std and var only support floating point dtypes: convert with .float()")
    return primitive(input, axes_of(input, dim), correction, keepdim)


@numpy_names
def var(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """``sum (x - mean)^2 / max(0, n - correction)``, with ``correction=1`` by default; nan for n = 1."""
    return _spread(_var, input, dim, correction, keepdim, unbiased)


@numpy_names
def std(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """The square root of ``var``."""
    return _spread(_std, input, dim, correction, keepdim, unbiased)


# Products


@define("ProdBackward0")
def _prod(x: Any, axis: int, keepdims: bool) -> Any:
    return np.multiply.reduce(x, axis=axis, dtype=np.int64 if x.dtype.kind in "iub" else None, keepdims=keepdims)


def _prod_x(g: Any, x: Any, axis: int, keepdims: bool) -> Any:
    # The product of all others: of those before it and of those after it, so that zeros need no division.
    before, after = _cumprod_exclusive(x, axis), flip(_cumprod_exclusive(flip(x, axis), axis), axis)
    return unreduce(g, (axis,), keepdims, tuple(x.shape)) * before * after


_prod.vjp(x=_prod_x)


@define("CumprodBackward0")
def _cumprod(x: Any, dim: int) -> Any:
    return np.multiply.accumulate(x, axis=dim, dtype=np.int64 if x.dtype.kind in "iub" else None)


def _cumprod_x(g: Any, x: Any, dim: int) -> Any:
    # dy_k/dx_i = prod of x_j over j <= k, j != i. Position by position, so that zeros need no division.
    n = tuple(x.shape)[dim]
    parts = []
    for i in range(n):
        ahead = _prod(_narrow(x, dim, 0, i), dim, True)
        tail = _narrow(x, dim, i + 1, n)
        rest = _narrow(g, dim, i, i + 1) * ahead
        if i + 1 < n:
            rest = rest + _sum(_narrow(g, dim, i + 1, n) * ahead * _cumprod(tail, dim), (dim,), True)
        parts.append(rest)
    return _cat(*parts, dim=dim) if parts else x * 0


_cumprod.vjp(x=_cumprod_x)


def _narrow(x: Any, dim: int, start: int, stop: int) -> Any:
    return x[along(dim, slice(start, stop))]


def _cumprod_exclusive(x: Any, axis: int) -> Any:
    """The products of all elements before each one."""
    first = _narrow(x, axis, 0, 1) ** 0
    n = tuple(x.shape)[axis]
    return _cat(first, _cumprod(_narrow(x, axis, 0, n - 1), axis), dim=axis) if n > 1 else first


@numpy_names
def prod(input: Any, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product over ``dim``, or of all elements. The gradient is right at zeros, too."""
    input = _converted(input, dtype)
    if dim is None:
        return _prod(reshape(input, (-1,)), 0, False)
    if array_of(input).ndim == 0:
        one_axis(0, dim)
        return _prod(reshape(input, (1,)), 0, False)
    return _prod(input, one_axis(array_of(input).ndim, dim), keepdim)


@Primitive
def _cumsum(x: Any, dim: int) -> Any:
    return np.add.accumulate(x, axis=dim, dtype=np.int64 if x.dtype.kind in "iub" else None)


_cumsum.vjp(x=lambda g, dim: flip(_cumsum(flip(g, dim), dim), dim))


@numpy_names
def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """``y_k = x_0 + ... + x_k`` along ``dim``."""
    return _accumulated(_cumsum, input, dim, dtype)


@numpy_names
def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """``y_k = x_0 * ... * x_k`` along ``dim``."""
    return _accumulated(_cumprod, input, dim, dtype)


def _accumulated(primitive: Primitive, input: Any, dim: int, dtype: Any) -> Any:
    input = _converted(input, dtype)
    ndim = array_of(input).ndim
    axis = one_axis(ndim, dim)
    return primitive(input, axis) if ndim else reshape(primitive(reshape(input, (1,)), 0), ())


# Extremes


class _Pair(NamedTuple):
    values: Any
    indices: Any


class max_result(_Pair):
    """What ``max(dim)`` returns; printed as PyTorch prints it."""

    def __repr__(self) -> str:
        kind = type(self).__name__.removesuffix("_result")
        return f"torch.return_types.{kind}(\nvalues={self.values!r},\nindices={self.indices!r})"


class min_result(max_result):
    """What ``min(dim)`` returns."""


class sort_result(max_result):
    """What ``sort`` returns."""


class topk_result(max_result):
    """What ``topk`` returns."""


def _filled(x: np.ndarray, axis: tuple[int, ...], name: str) -> None:
    if x.size == 0 and 0 in [x.shape[a] for a in axis]:
        raise IndexError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0, or to have elements: "
            f"the tensor of shape {x.shape} has none to choose from"
        )


def _some(x: np.ndarray, name: str) -> None:
    if x.size == 0:
        raise RuntimeError(f"{name}(): the tensor of shape {x.shape} has no elements to choose from")


@define("AmaxBackward0")
def _amax(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    _filled(x, axis, "max")
    return np.maximum.reduce(x, axis=axis, keepdims=keepdims)


@define("AminBackward0")
def _amin(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    _filled(x, axis, "min")
    return np.minimum.reduce(x, axis=axis, keepdims=keepdims)


def _evenly(g: Any, x: Any, y: Any, axis: Any, keepdims: bool) -> Any:
    """``g`` shared evenly among the elements that equal the extreme (nan counts as equal to nan)."""
    shape = tuple(x.shape)
    g, y = unreduce(g, axis, keepdims, shape), unreduce(y, axis, keepdims, shape)
    ties = (x == y) | (isnan(x) & isnan(y))
    return where(ties, g / _sum(ties, axis, True), 0.0)


def _evenly_but_nan(g: Any, x: Any, y: Any, axis: Any, keepdims: bool) -> Any:
    """``_evenly``, and nan for every element that a nan beat."""
    shape = tuple(x.shape)
    ties = x == unreduce(y, axis, keepdims, shape)
    return unreduce(g, axis, keepdims, shape) * ties / _sum(ties, axis, True)


_amax.vjp(x=_evenly_but_nan)
_amin.vjp(x=_evenly_but_nan)


@numpy_names
def amax(input: Any, dim: Axes = (), keepdim: bool = False) -> Any:
    """The largest element over ``dim``; ties share the gradient evenly."""
    return _amax(input, axes_of(input, dim), keepdim)


@numpy_names
def amin(input: Any, dim: Axes = (), keepdim: bool = False) -> Any:
    """The smallest element over ``dim``; ties share the gradient evenly."""
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
        return pair(clone(input), _argmax(reshape(input, (1,)), 0, False))
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
    _extreme_all.vjp(x=lambda g, x, y: _evenly(g, x, y, tuple(range(len(x.shape))), False))


@numpy_names
def max(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element; over ``dim``, a named tuple of ``values`` and ``indices``; of two tensors, ``maximum``."""
    if dim is None:
        return _max_all(input)
    if isinstance(dim, (TensorBase, np.ndarray)):
        return maximum(input, dim)
    return _extreme(input, dim, keepdim, _argmax, max_along, max_result)


@numpy_names
def min(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element; over ``dim``, a named tuple of ``values`` and ``indices``; of two tensors, ``minimum``."""
    if dim is None:
        return _min_all(input)
    if isinstance(dim, (TensorBase, np.ndarray)):
        return minimum(input, dim)
    return _extreme(input, dim, keepdim, _argmin, min_along, min_result)


# Truth


def _truth(y: Any, x: np.ndarray) -> Any:
    """``y`` as bool, or for bytes as bytes, which PyTorch used for truth before it had bool."""
    return np.asarray(y, np.uint8) if x.dtype == np.uint8 else y


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


# Order


def _order(x: np.ndarray, axis: int, descending: bool) -> np.ndarray:
    """The stable order of the elements along ``axis``, nan counting as the largest."""
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    backwards = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
    return np.flip(x.shape[axis] - 1 - backwards, axis)


@numpy_names
def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """A named tuple of the sorted ``values`` and the ``indices`` they had; equal elements keep their order."""
    x = array_of(input)
    axis = one_axis(x.ndim, dim)
    if x.ndim == 0:
        return sort_result(clone(input), _argmax(reshape(input, (1,)), 0, False))
    order = _order(x, axis, descending)
    return sort_result(sort_along(input, order, axis, True), _like(input, order))


@numpy_names
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The ``indices`` of ``sort``."""
    return sort(input, dim, descending).indices


@numpy_names
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """A named tuple of the ``k`` largest (or smallest) ``values`` along ``dim``, in order, and their ``indices``."""
    x = array_of(input)
    axis = one_axis(x.ndim, dim)
    if not 0 <= k <= (x.shape[axis] if x.ndim else 1):
        raise RuntimeError(
            f"selected index k out of range: k is {k}, dimension {dim} has size {x.shape[axis] if x.ndim else 1}"
        )
    if x.ndim == 0:
        return topk_result(clone(input), _argmax(reshape(input, (1,)), 0, False))
    order = np.take(_order(x, axis, largest), np.arange(k), axis)
    return topk_result(topk_along(input, order, axis, True), _like(input, order))


def _like(input: Any, array: np.ndarray) -> Any:
    return input.wrap(np.ascontiguousarray(array)) if isinstance(input, TensorBase) else array


# Exponential families


@define("LogsumexpBackward0")
def _logsumexp(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    if x.size == 0:
        return np.log(np.add.reduce(x, axis=axis, keepdims=keepdims))
    top = np.maximum.reduce(x, axis=axis, keepdims=True)
    top = np.where(np.isinf(top), x.dtype.type(0), top)
    y = np.log(np.add.reduce(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else y.reshape(tuple(n for i, n in enumerate(x.shape) if i not in axis))


_logsumexp.vjp(
    x=lambda g, x, y, axis, keepdims: (
        unreduce(g, axis, keepdims, tuple(x.shape)) * exp(x - unreduce(y, axis, keepdims, tuple(x.shape)))
    )
)


@numpy_names
def logsumexp(input: Any, dim: Axes, keepdim: bool = False) -> Any:
    """``log sum exp(input)`` over ``dim``, without overflow."""
    x = array_of(input)
    return _logsumexp(
        input if x.dtype.kind == "f" else cast(input, promote_float(x[:0] if x.ndim else x).dtype),
        axes_of(input, dim),
        keepdim,
    )


@Primitive
def _softmax(x: Any, axis: int) -> Any:
    e = np.exp(x - np.maximum.reduce(x, axis=axis, keepdims=True)) if x.size else x
    return e / np.add.reduce(e, axis=axis, keepdims=True)


# dL/dx_i = sum_j g_j y_j (delta_ij - y_i) = y_i (g_i - sum_j g_j y_j)
_softmax.vjp(x=lambda g, y, axis: y * (g - _sum(g * y, (axis,), True)))


@define("LogSoftmaxBackward0")
def _log_softmax(x: Any, axis: int) -> Any:
    if x.size == 0:
        return x.copy()
    shifted = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    return shifted - np.log(np.add.reduce(np.exp(shifted), axis=axis, keepdims=True))


_log_softmax.vjp(x=lambda g, y, axis: g - exp(y) * _sum(g, (axis,), True))


def _along(primitive: Primitive, input: Any, dim: int, dtype: Any) -> Any:
    input, ndim = _converted(input, dtype), array_of(input).ndim
    axis = one_axis(ndim, dim)
    return primitive(input, axis) if ndim else reshape(primitive(reshape(input, (1,)), 0), ())


@numpy_names
def softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """``y_i = exp(x_i) / sum_j exp(x_j)`` along ``dim``."""
    return _along(_softmax, input, dim, dtype)


@numpy_names
def log_softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """``y_i = x_i - log sum_j exp(x_j)`` along ``dim``, more accurate than the logarithm of ``softmax``."""
    return _along(_log_softmax, input, dim, dtype)


# Norms


@define("LinalgVectorNormBackward0")
def _norm(x: Any, p: float, axis: tuple[int, ...], keepdims: bool) -> Any:
    size = np.absolute(x)
    if p == math.inf:
        return np.maximum.reduce(size, axis=axis, keepdims=keepdims)
    if p == -math.inf:
        return np.minimum.reduce(size, axis=axis, keepdims=keepdims)
    if p == 0:
        return np.add.reduce((x != 0).astype(x.dtype), axis=axis, keepdims=keepdims)
    if p == 1:
        return np.add.reduce(size, axis=axis, keepdims=keepdims)
    if p == 2:
        return np.sqrt(np.add.reduce(x * x, axis=axis, keepdims=keepdims))
    return np.power(np.add.reduce(np.power(size, p), axis=axis, keepdims=keepdims), 1 / p)


def _norm_x(g: Any, x: Any, y: Any, p: float, axis: Any, keepdims: bool) -> Any:
    shape = tuple(x.shape)
    g, y = unreduce(g, axis, keepdims, shape), unreduce(y, axis, keepdims, shape)
    if p == 0:
        return x * 0
    if p == 1:
        return g * sign(x)
    size = x * sign(x)
    if math.isinf(p):
        ties = size == y
        return where(ties, g * sign(x) / _sum(ties, axis, True), 0.0)
    # dy/dx_i = sign(x_i) |x_i|^(p-1) / y^(p-1), and 0 where all of x is 0
    slope = (
        x / where(y == 0, 1.0, y)
        if p == 2
        else sign(x) * (where(size == 0, 1.0, size) / where(y == 0, 1.0, y)) ** (p - 1)
    )
    return where((y == 0) | ((size == 0) if p < 2 else (y == 0)), 0.0, g * slope)


_norm.vjp(x=_norm_x)


@numpy_names
def norm(input: Any, p: Any = "fro", dim: Axes = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """``(sum |x|^p)^(1/p)`` over ``dim`` (p = 2 for "fro"; inf and -inf take the extreme); the gradient at 0 is 0."""
    if p in ("fro", None):
        p = 2.0
    if isinstance(p, str):
        raise NotImplementedError(f"norm of order {p!r}: minigrad has 'fro' and the numbers")
    return _norm(_converted(input, dtype), float(p), axes_of(input, dim), keepdim)
