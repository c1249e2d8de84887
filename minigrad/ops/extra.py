"""Operations on each element that plain NumPy has and neural networks seldom need, each with its rule beneath it."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import promote_float
from minigrad.engine import Primitive
from minigrad.ops.elementwise import rsqrt


@Primitive
def asinh(x: Any) -> Any:
    return np.arcsinh(promote_float(x))


asinh.vjp(x=lambda g, x: g * rsqrt(x * x + 1))


@Primitive
def acosh(x: Any) -> Any:
    return np.arccosh(promote_float(x))


acosh.vjp(x=lambda g, x: g * rsqrt(x * x - 1))


@Primitive
def atanh(x: Any) -> Any:
    return np.arctanh(promote_float(x))


atanh.vjp(x=lambda g, x: g / (1 - x * x))


@Primitive
def cbrt(x: Any) -> Any:
    return np.cbrt(promote_float(x))


cbrt.vjp(x=lambda g, y: g / (3 * y * y))
