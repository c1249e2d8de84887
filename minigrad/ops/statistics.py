"""How far elements lie from their mean (``var``, ``std``), from zero (``norm``) and from one another (``cdist``)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.engine import Primitive, define
from minigrad.ops.choosing import where
from minigrad.ops.diagonal import diagonal
from minigrad.ops.dims import Axes, array_of, axes_of, numpy_names
from minigrad.ops.kinks import clamp, sign
from minigrad.ops.reduce import _mean, _sum, at_least, converted, mean, unreduce
from minigrad.ops.shape import reshape, unsqueeze


@define("VarBackward0")
def _var(x: Any, axis: tuple[int, ...], correction: float, keepdims: bool) -> Any:
    n = math.prod(x.shape[a] for a in axis)
    deviation = x - (np.add.reduce(x, axis=axis, keepdims=True) / at_least(n, 1) if n else x)
    return np.divide(
        np.add.reduce(deviation * deviation, axis=axis, keepdims=keepdims), x.dtype.type(at_least(n - correction, 0))
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


@numpy_names
def var_mean(
    input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> Any:
    """``var`` and ``mean``."""
    return var(input, dim, unbiased, keepdim, correction=correction), _mean_beside(input, dim, keepdim)


@numpy_names
def std_mean(
    input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> Any:
    """``std`` and ``mean``."""
    return std(input, dim, unbiased, keepdim, correction=correction), _mean_beside(input, dim, keepdim)


def _mean_beside(input: Any, dim: Any, keepdim: bool) -> Any:
    return mean(input, None if isinstance(dim, bool) else dim, keepdim)


def cov(input: Any, *, correction: int = 1) -> Any:
    """The covariances of the rows of a matrix, whose columns are observations: ``d d^T / (n - correction)``."""
    x = array_of(input)
    if x.ndim > 2:
        raise RuntimeError(f"cov(): expected input to have two or fewer dimensions but got an input with {x.ndim}")
    rows = input if x.ndim == 2 else reshape(input, (1, -1))
    d = rows - mean(rows, 1, True)
    found = d @ d.T / at_least(array_of(rows).shape[1] - correction, 0)
    return found if x.ndim == 2 else reshape(found, ())


def corrcoef(input: Any) -> Any:
    """The correlations of the rows of a matrix, between -1 and 1."""
    c = cov(input)
    if array_of(c).ndim == 0:
        return c / c
    s = diagonal(c) ** 0.5
    return clamp(c / reshape(s, (-1, 1)) / s, -1, 1)


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
    return _norm(converted(input, dtype), float(p), axes_of(input, dim), keepdim)


def dist(input: Any, other: Any, p: float = 2) -> Any:
    """The norm of the difference of two tensors."""
    return norm(input - other, p)


def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str | None = None) -> Any:
    """The distance of each row of ``x1`` from each of ``x2``: ``(*, n, d)`` and ``(*, m, d)`` give ``(*, n, m)``."""
    a, b = array_of(x1), array_of(x2)
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {a.shape} X2: {b.shape}")
    return norm(unsqueeze(x1, -2) - unsqueeze(x2, -3), p, -1)
