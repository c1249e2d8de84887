"""Exponentials, logarithms and the error function of each element, each with its rule beneath it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import promote, promote_float
from minigrad.engine import Primitive
from minigrad.ops.choosing import where
from minigrad.ops.kinks import clamp


@Primitive
def exp(x: Any) -> Any:
    return np.exp(promote_float(x))


exp.vjp(x=lambda g, y: g * y)


@Primitive
def expm1(x: Any) -> Any:
    return np.expm1(promote_float(x))


expm1.vjp(x=lambda g, y: g * (y + 1))


@Primitive
def exp2(x: Any) -> Any:
    return np.exp2(promote_float(x))


exp2.vjp(x=lambda g, y: g * y * math.log(2))


@Primitive
def log(x: Any) -> Any:
    return np.log(promote_float(x))


log.vjp(x=lambda g, x: g / x)


@Primitive
def log2(x: Any) -> Any:
    return np.log2(promote_float(x))


log2.vjp(x=lambda g, x: g / (x * math.log(2)))


@Primitive
def log10(x: Any) -> Any:
    return np.log10(promote_float(x))


log10.vjp(x=lambda g, x: g / (x * math.log(10)))


@Primitive
def log1p(x: Any) -> Any:
    return np.log1p(promote_float(x))


log1p.vjp(x=lambda g, x: g / (x + 1))


@Primitive
def logaddexp(x: Any, other: Any) -> Any:
    return np.logaddexp(*promote(x, other))


# d log(e^x + e^o) / dx = e^x / (e^x + e^o) = 1 / (1 + e^(o - x)), right also where the exponential overflows
logaddexp.vjp(x=lambda g, x, other: g / (1 + exp(other - x)), other=lambda g, x, other: g / (1 + exp(x - other)))


@Primitive
def xlogy(x: Any, other: Any) -> Any:
    if np.asanyarray(x).dtype.kind != "f" and np.asanyarray(other).dtype.kind != "f":
        x, other = promote_float(np.asanyarray(x)), promote_float(np.asanyarray(other))
    x, other = promote(x, other)
    other = np.asanyarray(other, x.dtype)
    return np.where((x == 0) & ~np.isnan(other), x.dtype.type(0), x * np.log(other))


xlogy.vjp(
    x=lambda g, x, other: where((x == 0) & (other <= 0), 0.0, g * log(other)), other=lambda g, x, other: g * x / other
)


_ERF_SERIES = 2 / math.sqrt(math.pi)
_erf, _erfc = np.frompyfunc(math.erf, 1, 1), np.frompyfunc(math.erfc, 1, 1)


@Primitive
def erf(x: Any) -> Any:
    x = promote_float(x)
    return _erf(x, out=np.empty_like(x, object)).astype(x.dtype)


erf.vjp(x=lambda g, x: g * (_ERF_SERIES * exp(-x * x)))


@Primitive
def erfc(x: Any) -> Any:
    x = promote_float(x)
    return _erfc(x, out=np.empty_like(x, object)).astype(x.dtype)


erfc.vjp(x=lambda g, x: -g * (_ERF_SERIES * exp(-x * x)))


@Primitive
def _logit(x: Any) -> Any:
    x = promote_float(x)
    return np.log(x / (1 - x))


_logit.vjp(x=lambda g, x: where((x < 0) | (x > 1), math.nan, g / (x * (1 - x))))  # nan where the value is


def logit(input: Any, eps: float | None = None) -> Any:
    """``log(x / (1 - x))``, the inverse of the sigmoid; with ``eps``, x is first limited to [eps, 1 - eps]."""
    return _logit(input if eps is None else clamp(input, eps, 1 - eps))
