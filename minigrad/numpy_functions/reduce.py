"""NumPy's reductions, sorting, and the functions of each element that are no ufuncs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from minigrad.engine import clone
from minigrad.numpy_functions.operands import Axis, arrays, axes_of, converted, floating, operand, part
from minigrad.ops import choosing as ch
from minigrad.ops import comparison as c
from minigrad.ops import extremes as xt
from minigrad.ops import kinks as k
from minigrad.ops import order as o
from minigrad.ops import reduce as r
from minigrad.ops import shape as s
from minigrad.ops import statistics as st
from minigrad.ops.dims import array_of

# Sums, means, products, extremes


def sum(a: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
    return r._sum(converted(a, dtype), axes_of(a, axis), keepdims)


def mean(a: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
    return r._mean(floating(converted(a, dtype)), axes_of(a, axis), keepdims)


def var(a: Any, axis: Axis = None, dtype: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    return st._var(floating(converted(a, dtype)), axes_of(a, axis), ddof, keepdims)


def std(a: Any, axis: Axis = None, dtype: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    return st._std(floating(converted(a, dtype)), axes_of(a, axis), ddof, keepdims)


def prod(a: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False) -> Any:
    a = converted(a, dtype)
    for one in sorted(axes_of(a, axis), reverse=True):  # the product of products, the last axis first
        a = r._prod(a, one, keepdims)
    return a


def max(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    return xt._amax(a, axes_of(a, axis), keepdims)


def min(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    return xt._amin(a, axes_of(a, axis), keepdims)


def ptp(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    return max(a, axis, keepdims=keepdims) - min(a, axis, keepdims=keepdims)


def average(a: Any, axis: Axis = None, weights: Any = None, *, keepdims: bool = False) -> Any:
    if weights is None:
        return mean(a, axis, keepdims=keepdims)
    a, weights = arrays(a, weights)
    if weights.ndim != a.ndim:  # one weight for each place along the axes
        axes = axes_of(a, axis)
        if tuple(weights.shape) != tuple(a.shape[k] for k in axes):
            raise ValueError(f"weights of shape {tuple(weights.shape)} do not fit axis {axis} of {tuple(a.shape)}")
        order = sorted(range(len(axes)), key=axes.__getitem__)
        weights = s.reshape(
            s.permute(weights, *order), tuple(n if k in axes else 1 for k, n in enumerate(tuple(a.shape)))
        )
    weights = s.broadcast_to(weights, tuple(a.shape))
    return sum(a * weights, axis, keepdims=keepdims) / sum(weights, axis, keepdims=keepdims)


def cumsum(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    a = s.reshape(a, -1) if axis is None else a
    return r._cumsum(converted(a, dtype), normalize_axis_index(axis or 0, a.ndim))


def cumprod(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    a = s.reshape(a, -1) if axis is None else a
    return r.cumprod(converted(a, dtype), normalize_axis_index(axis or 0, a.ndim))


def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    axis = normalize_axis_index(axis, a.ndim)
    for _ in range(n):
        a = part(a, axis, 1, None) - part(a, axis, None, -1)
    return a


def sort(a: Any, axis: int | None = -1, kind: Any = None, *, stable: Any = None) -> Any:
    """Every ``kind`` gives the same values; the gradient follows the stable order."""
    return o.sort(s.reshape(a, -1), 0)[0] if axis is None else o.sort(a, normalize_axis_index(axis, a.ndim))[0]


def median(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    shape, axes = tuple(a.shape), axes_of(a, axis)
    kept = [k for k in range(len(shape)) if k not in axes]
    n = math.prod(shape[k] for k in axes)
    rows = s.reshape(s.permute(floating(a), *kept, *axes), (*(shape[k] for k in kept), n))
    values = o.sort(rows, -1)[0]
    lower, upper, last = (values[..., k] for k in ((n - 1) // 2, n // 2, n - 1))
    middle = ch.where(c.isnan(last), last, (lower + upper) / 2)  # nan is sorted to the end
    return s.reshape(middle, tuple(1 if k in axes else m for k, m in enumerate(shape))) if keepdims else middle


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = floating(operand(y))
    axis = normalize_axis_index(axis, y.ndim)
    if x is not None:
        x = operand(x)
        one = x.ndim == 1  # the same places for all
        dx = diff(x, axis=-1 if one else axis)
        dx = s.reshape(dx, (-1, *(1,) * (y.ndim - 1 - axis))) if one else dx
    return sum(dx * (part(y, axis, 1, None) + part(y, axis, None, -1)) / 2, axis)


# Each element


def round(a: Any, decimals: int = 0) -> Any:
    return k.round(a, decimals=decimals)


def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    bounds = [None if bound is None else operand(bound) for bound in (low, high)]
    return clone(a) if low is None and high is None else k.clamp(operand(a), *bounds)


def where(condition: Any, *xy: Any) -> Any:
    condition = operand(condition)
    if not xy:
        return np.nonzero(array_of(condition))
    if len(xy) != 2:
        raise ValueError("either both or neither of x and y should be given")
    holds = condition if array_of(condition).dtype.kind == "b" else c.ne(condition, 0)
    return ch.where(holds, *[operand(x) for x in xy])


def nan_to_num(x: Any, *, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    limits = np.finfo(array_of(x).dtype) if array_of(x).dtype.kind == "f" else None
    if limits is None:
        return clone(x)
    finite = ch.where(c.isnan(x), nan, x)
    finite = ch.where(c.eq(x, np.inf), float(limits.max) if posinf is None else posinf, finite)
    return ch.where(c.eq(x, -np.inf), float(limits.min) if neginf is None else neginf, finite)
