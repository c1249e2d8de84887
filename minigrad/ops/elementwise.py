"""Smooth operations on each element, each with its rule beneath it.

``g`` is dL/dy. Operands of different types meet in PyTorch's common type; their broadcasting and conversion are undone by
the engine, so that every rule here reads as in a table of derivatives.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import promote, promote_float
from minigrad.engine import Primitive, TensorBase, define
from minigrad.ops.choosing import where

# Arithmetic


@Primitive
def add(x: Any, other: Any) -> Any:
    return np.add(*promote(x, other))


add.vjp(x=lambda g: g, other=lambda g: g)


@Primitive
def sub(x: Any, other: Any) -> Any:
    a, b = promote(x, other)
    if a is not x or b is not other or a.dtype.kind == "b":
        for v in (x, other):
            if np.asarray(v).dtype.kind == "b":
                raise RuntimeError("Subtraction with a bool tensor is not supported: use ^ or logical_not (~)")
    return np.subtract(a, b)


sub.vjp(x=lambda g: g, other=lambda g: -g)


@Primitive
def mul(x: Any, other: Any) -> Any:
    return np.multiply(*promote(x, other))


mul.vjp(x=lambda g, other: g * other, other=lambda g, x: g * x)


@Primitive
def _div(x: Any, other: Any) -> Any:
    # Integers divide as floats; a Python number must not wrap around in their type first
    if isinstance(other, int) and isinstance(x, np.ndarray):
        x = promote_float(x)
    elif isinstance(x, int) and isinstance(other, np.ndarray):
        other = promote_float(other)
    x, other = promote(x, other)
    if not isinstance(other, np.ndarray):
        return np.divide(x, other)  # a Python number: x is floating, and decides the type
    return np.divide(promote_float(x), promote_float(other))


_div.vjp(x=lambda g, other: g / other, other=lambda g, other, y: -g * y / other)


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """``input / other``; ``rounding_mode`` "trunc" rounds towards zero, "floor" down (their gradient is zero)."""
    if rounding_mode is None:
        return _div(input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode == "trunc":
        return _div_trunc(input, other)
    raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")


def _guard_zero(x: Any, other: Any, name: str) -> tuple[Any, Any]:
    x, other = promote(x, other)
    if np.asarray(x).dtype.kind in "iu" and np.any(np.equal(other, 0)):
        raise RuntimeError(
            f"ZeroDivisionError: {name} of integers by zero; convert to a floating type to get inf or nan"
        )
    return x, other


@define("DivBackward1")
def _div_trunc(x: Any, other: Any) -> Any:
    x, other = _guard_zero(x, other, "division")
    if np.asarray(x).dtype.kind in "iu":
        return np.subtract(x, np.fmod(x, other)) // other
    return np.trunc(np.divide(x, other))


@Primitive
def floor_divide(x: Any, other: Any) -> Any:
    return np.floor_divide(*_guard_zero(x, other, "floor division"))


for _flat in (_div_trunc, floor_divide):
    _flat.vjp(x=lambda g: g * 0, other=lambda g: g * 0)


@Primitive
def remainder(x: Any, other: Any) -> Any:
    return np.remainder(*_guard_zero(x, other, "remainder"))


# x % o = x - o * floor(x / o)
remainder.vjp(x=lambda g: g, other=lambda g, x, other: -g * floor_divide(x, other))


@Primitive
def neg(x: Any) -> Any:
    if x.dtype.kind == "b":
        raise RuntimeError("Negation, the `-` operator, on a bool tensor is not supported: use `~` or logical_not()")
    return np.negative(x)


neg.vjp(x=lambda g: -g)


@Primitive
def reciprocal(x: Any) -> Any:
    return np.reciprocal(promote_float(x))


reciprocal.vjp(x=lambda g, y: -g * y * y)


def _whole(x: Any) -> bool:
    return np.asarray(x).dtype.kind in "iub"


@Primitive
def _pow(x: Any, other: Any) -> Any:
    if isinstance(other, int) and other < 0 and _whole(x):
        raise RuntimeError("Integers to negative integer powers are not allowed: convert the base to a floating type")
    x, other = promote(x, other)
    if _whole(x) and np.any(np.less(other, 0)):
        # the integer part of 1 / x^n is not 0 only for x = 1 and x = -1
        units = (x == 1) + (x == -1) * (1 - 2 * (other % 2))
        return np.where(np.less(other, 0), units, np.power(x, np.abs(other))).astype(x.dtype)
    return np.power(x, other) if np.asarray(x).dtype.kind != "b" else x | ~other


def _pow_number(g: Any, x: Any, exponent: Any) -> Any:
    return g * 0 if exponent == 0 else g * (exponent * x ** (exponent - 1))


def _pow_x(g: Any, x: Any, other: Any) -> Any:
    if not isinstance(other, (TensorBase, np.ndarray)):
        return _pow_number(g, x, other)
    exponent: Any = other
    return where(exponent == 0, 0.0, g * (exponent * x ** (exponent - 1)))  # x**0 is flat, also at 0


def _pow_other(g: Any, x: Any, other: Any, y: Any) -> Any:
    flat = (x == 0) & (other >= 0) if isinstance(x, (TensorBase, np.ndarray)) else (other >= 0 if x == 0 else False)
    return where(flat, 0.0, g * (y * log(x if isinstance(x, (TensorBase, np.ndarray)) else np.asarray(float(x)))))


_pow.vjp(x=_pow_x, other=_pow_other)


@define("PowBackward0")
def _pow_scalar(x: Any, exponent: Any) -> Any:
    if x.dtype.kind == "f" and exponent in (2, 0.5, -0.5):  # quicker, and at -0.0 and -inf as in PyTorch
        return np.square(x) if exponent == 2 else np.sqrt(x) if exponent == 0.5 else 1 / np.sqrt(x)
    return _pow.forward(x, exponent)


_pow_scalar.vjp(x=lambda g, x, exponent: g * (x * 2) if exponent == 2 else _pow_number(g, x, exponent))
_pow.name = "PowBackward1"


def pow(input: Any, exponent: Any) -> Any:
    """``input ** exponent``, of tensors or numbers."""
    return (_pow if isinstance(exponent, (TensorBase, np.ndarray)) else _pow_scalar)(input, exponent)


@define("PowBackward0")
def square(x: Any) -> Any:
    return np.square(x if x.dtype.kind != "b" else x.astype(np.int64))


square.vjp(x=lambda g, x: g * (x * 2))


@Primitive
def lerp(x: Any, end: Any, weight: Any) -> Any:
    for name, other in (("end", end), ("weight", weight)):
        if isinstance(other, np.ndarray) and other.dtype != x.dtype and (other.ndim or name == "end"):
            raise RuntimeError(f"lerp: expected dtype {x.dtype} for `{name}` but got dtype {other.dtype}: convert one")
    weight = np.asarray(weight, x.dtype)
    # from the nearer end, so that the weights 0 and 1 give the ends exactly
    return np.where(np.abs(weight) < 0.5, x + weight * (end - x), end - (end - x) * (1 - weight))


lerp.vjp(
    x=lambda g, weight: g * (1 - weight),
    end=lambda g, weight: g * weight,
    weight=lambda g, x, end: g * (end - x),
)


# Exponentials and logarithms


@Primitive
def exp(x: Any) -> Any:
    return np.exp(promote_float(x))


exp.vjp(x=lambda g, y: g * y)


@Primitive
def expm1(x: Any) -> Any:
    return np.expm1(promote_float(x))


expm1.vjp(x=lambda g, y: g * (y + 1))


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
def sqrt(x: Any) -> Any:
    return np.sqrt(promote_float(x))


sqrt.vjp(x=lambda g, y: g / (2 * y))


@Primitive
def rsqrt(x: Any) -> Any:
    return 1 / np.sqrt(promote_float(x))


rsqrt.vjp(x=lambda g, y: g * -0.5 * y * y * y)


@Primitive
def cbrt(x: Any) -> Any:
    return np.cbrt(promote_float(x))


cbrt.vjp(x=lambda g, y: g / (3 * y * y))


@Primitive
def logaddexp(x: Any, other: Any) -> Any:
    return np.logaddexp(*promote(x, other))


# d log(e^x + e^o) / dx = e^x / (e^x + e^o) = 1 / (1 + e^(o - x)), right also where the exponential overflows
logaddexp.vjp(x=lambda g, x, other: g / (1 + exp(other - x)), other=lambda g, x, other: g / (1 + exp(x - other)))


@Primitive
def xlogy(x: Any, other: Any) -> Any:
    if np.asarray(x).dtype.kind != "f" and np.asarray(other).dtype.kind != "f":
        x, other = promote_float(np.asarray(x)), promote_float(np.asarray(other))
    x, other = promote(x, other)
    other = np.asarray(other, x.dtype)
    return np.where((x == 0) & ~np.isnan(other), x.dtype.type(0), x * np.log(other))


xlogy.vjp(
    x=lambda g, x, other: where((x == 0) & (other <= 0), 0.0, g * log(other)), other=lambda g, x, other: g * x / other
)


_ERF_SERIES = 2 / math.sqrt(math.pi)
_erf = np.vectorize(math.erf, otypes=[np.float64])


@Primitive
def erf(x: Any) -> Any:
    x = promote_float(x)
    return _erf(x).astype(x.dtype) if x.size else x.copy()


erf.vjp(x=lambda g, x: g * (_ERF_SERIES * exp(-x * x)))
