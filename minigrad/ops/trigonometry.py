"""Circular and hyperbolic functions of each element, each with its rule beneath it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import promote, promote_float
from minigrad.engine import Primitive, define
from minigrad.ops.choosing import where
from minigrad.ops.elementwise import rsqrt


@Primitive
def sin(x: Any) -> Any:
    return np.sin(promote_float(x))


sin.vjp(x=lambda g, x: g * cos(x))


@Primitive
def cos(x: Any) -> Any:
    return np.cos(promote_float(x))


cos.vjp(x=lambda g, x: -g * sin(x))


@Primitive
def tan(x: Any) -> Any:
    return np.tan(promote_float(x))


tan.vjp(x=lambda g, y: g * (1 + y * y))


@Primitive
def asin(x: Any) -> Any:
    return np.arcsin(promote_float(x))


asin.vjp(x=lambda g, x: g * rsqrt(1 - x * x))


@Primitive
def acos(x: Any) -> Any:
    return np.arccos(promote_float(x))


acos.vjp(x=lambda g, x: -g * rsqrt(1 - x * x))


@Primitive
def atan(x: Any) -> Any:
    return np.arctan(promote_float(x))


atan.vjp(x=lambda g, x: g / (1 + x * x))


@Primitive
def atan2(x: Any, other: Any) -> Any:
    x, other = promote(x, other)
    return np.arctan2(promote_float(x), promote_float(other))


def _squares(x: Any, other: Any) -> Any:
    """``x^2 + other^2``, and 1 at the origin, where the gradient of the angle is taken as 0."""
    found = x * x + other * other
    return where(found == 0, 1.0, found)


atan2.vjp(
    x=lambda g, x, other: g * other / _squares(x, other),
    other=lambda g, x, other: -g * x / _squares(x, other),
)


@Primitive
def hypot(x: Any, other: Any) -> Any:
    return np.hypot(*promote(x, other))


hypot.vjp(x=lambda g, x, y: g * x / y, other=lambda g, other, y: g * other / y)


@Primitive
def sinh(x: Any) -> Any:
    return np.sinh(promote_float(x))


sinh.vjp(x=lambda g, x: g * cosh(x))


@Primitive
def cosh(x: Any) -> Any:
    return np.cosh(promote_float(x))


cosh.vjp(x=lambda g, x: g * sinh(x))


@Primitive
def tanh(x: Any) -> Any:
    return np.tanh(promote_float(x))


tanh.vjp(x=lambda g, y: g * (1 - y * y))


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
def sinc(x: Any) -> Any:
    return np.sinc(promote_float(x)).astype(promote_float(x).dtype, copy=False)


# sinc x = sin(pi x) / (pi x), and at 0 its slope is 0
sinc.vjp(x=lambda g, x, y: where(x == 0, 0.0, g * (cos(x * math.pi) - y) / where(x == 0, 1.0, x)))


@define("Deg2RadBackward0")
def deg2rad(x: Any) -> Any:
    return promote_float(x) * (math.pi / 180)


@define("Rad2DegBackward0")
def rad2deg(x: Any) -> Any:
    return promote_float(x) * (180 / math.pi)


deg2rad.vjp(x=lambda g: g * (math.pi / 180))
rad2deg.vjp(x=lambda g: g * (180 / math.pi))
