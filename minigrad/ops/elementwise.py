"""Arithmetic and powers of each element, each with its rule beneath it.

``g`` is dL/dy. Operands of different types meet in PyTorch's common type; their broadcasting and conversion are undone by
the engine, so that every rule here reads as in a table of derivatives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import promote, promote_float
from minigrad.engine import Primitive, TensorBase, define
from minigrad.ops.choosing import where
from minigrad.ops.dims import takes_out
from minigrad.ops.exponential import log

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
            if np.asanyarray(v).dtype.kind == "b":
                raise RuntimeError("Subtraction with a bool tensor is not supported: use ^ or logical_not (~)")
    return np.subtract(a, b)


sub.vjp(x=lambda g: g, other=lambda g: -g)


@define("RsubBackward1")
def rsub(x: Any, other: Any) -> Any:
    """``other - x``: what Python asks of ``x`` for ``3 - x``."""
    return sub.forward(other, x)


rsub.vjp(x=lambda g: -g, other=lambda g: g)


@define(keeps=True)
def mul(x: Any, other: Any) -> Any:
    return np.multiply(*promote(x, other))


mul.vjp(x=lambda g, other: g * other, other=lambda g, x: g * x)


@define(keeps=True)
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


def _guard_zero(x: Any, other: Any, name: str) -> tuple[Any, Any]:
    x, other = promote(x, other)
    if np.asanyarray(x).dtype.kind in "iu" and np.any(np.equal(other, 0)):
        raise RuntimeError(
            f"ZeroDivisionError: {name} of integers by zero; convert to a floating type to get inf or nan"
        )
    return x, other


@define("DivBackward2")
def _div_trunc(x: Any, other: Any) -> Any:
    x, other = _guard_zero(x, other, "division")
    if np.asanyarray(x).dtype.kind in "iu":
        return np.subtract(x, np.fmod(x, other)) // other
    return np.trunc(np.divide(x, other))


@Primitive
def floor_divide(x: Any, other: Any) -> Any:
    return np.floor_divide(*_guard_zero(x, other, "floor division"))


_div_floor = define("DivBackward2")(floor_divide.forward)

for _flat in (_div_trunc, _div_floor, floor_divide):
    _flat.vjp(x=lambda g: g * 0, other=lambda g: g * 0)


@takes_out
def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """``input / other``; ``rounding_mode`` "trunc" rounds towards zero, "floor" down (their gradient is zero)."""
    if rounding_mode is None:
        return _div(input, other)
    if rounding_mode == "floor":
        return _div_floor(input, other)
    if rounding_mode == "trunc":
        return _div_trunc(input, other)
    raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")


@define("RemainderBackward1")
def _remainder(x: Any, other: Any) -> Any:
    return np.remainder(*_guard_zero(x, other, "remainder"))


_remainder_number = define("RemainderBackward0")(_remainder.forward)


@define("FmodBackward1")
def _fmod(x: Any, other: Any) -> Any:
    return np.fmod(*_guard_zero(x, other, "fmod"))


_fmod_number = define("FmodBackward0")(_fmod.forward)

# x % o = x - o floor(x / o), and fmod the same with trunc
_remainder.vjp(x=lambda g: g, other=lambda g, x, other: -g * floor_divide(x, other))
_fmod.vjp(x=lambda g: g, other=lambda g, x, other: -g * _div_trunc(x, other))
_remainder_number.vjp(x=lambda g: g)
_fmod_number.vjp(x=lambda g: g)


@takes_out
def remainder(input: Any, other: Any) -> Any:
    """What is left of ``input`` after whole multiples of ``other``, with the sign of ``other``: Python's ``%``."""
    return (_remainder if isinstance(other, (TensorBase, np.ndarray)) else _remainder_number)(input, other)


@takes_out
def fmod(input: Any, other: Any) -> Any:
    """What is left of ``input`` after whole multiples of ``other``, with the sign of ``input``: C's ``fmod``."""
    return (_fmod if isinstance(other, (TensorBase, np.ndarray)) else _fmod_number)(input, other)


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
    return np.asanyarray(x).dtype.kind in "iub"


@define("PowBackward1")
def _pow(x: Any, other: Any) -> Any:
    if isinstance(other, int) and other < 0 and _whole(x):
        raise RuntimeError("Integers to negative integer powers are not allowed: convert the base to a floating type")
    x, other = promote(x, other)
    if _whole(x) and np.any(np.less(other, 0)):
        # the integer part of 1 / x^n is not 0 only for x = 1 and x = -1
        units = (x == 1) + (x == -1) * (1 - 2 * (other % 2))
        return np.where(np.less(other, 0), units, np.power(x, np.abs(other))).astype(x.dtype)
    return np.power(x, other) if np.asanyarray(x).dtype.kind != "b" else x | ~other


def _pow_number(g: Any, x: Any, exponent: Any) -> Any:
    return g * 0 if exponent == 0 else g * (exponent * x ** (exponent - 1))


def _pow_x(g: Any, x: Any, other: Any) -> Any:
    if not isinstance(other, (TensorBase, np.ndarray)):
        return _pow_number(g, x, other)
    exponent: Any = other
    return where(exponent == 0, 0.0, g * (exponent * x ** (exponent - 1)))  # x**0 is flat, also at 0


def _pow_other(g: Any, x: Any, other: Any, y: Any) -> Any:
    flat = (x == 0) & (other >= 0) if isinstance(x, (TensorBase, np.ndarray)) else (other >= 0 if x == 0 else False)
    return where(flat, 0.0, g * (y * log(x if isinstance(x, (TensorBase, np.ndarray)) else np.asanyarray(float(x)))))


_pow.vjp(x=_pow_x, other=_pow_other)


@define("PowBackward0")
def _pow_scalar(x: Any, exponent: Any) -> Any:
    if x.dtype.kind == "f" and exponent in (2, 0.5, -0.5):  # quicker, and at -0.0 and -inf as in PyTorch
        return np.square(x) if exponent == 2 else np.sqrt(x) if exponent == 0.5 else 1 / np.sqrt(x)
    return _pow.forward(x, exponent)


_pow_scalar.vjp(x=lambda g, x, exponent: g * (x * 2) if exponent == 2 else _pow_number(g, x, exponent))


@define("PowBackward2")
def rpow(x: Any, base: Any) -> Any:
    """``base ** x`` of a number ``base``."""
    return _pow.forward(base, x)


rpow.vjp(x=lambda g, x, base, y: _pow_other(g, base, x, y))


@takes_out
def pow(input: Any, exponent: Any) -> Any:
    """``input ** exponent``, of tensors or numbers."""
    return (_pow if isinstance(exponent, (TensorBase, np.ndarray)) else _pow_scalar)(input, exponent)


@define("PowBackward0")
def square(x: Any) -> Any:
    return np.square(x if x.dtype.kind != "b" else x.astype(np.int64))


square.vjp(x=lambda g, x: g * (x * 2))


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


@define("LerpBackward1")
def _lerp(x: Any, end: Any, weight: Any) -> Any:
    for name, other in (("end", end), ("weight", weight)):
        if isinstance(other, np.ndarray) and other.dtype != x.dtype and (other.ndim or name == "end"):
            raise RuntimeError(f"lerp: expected dtype {x.dtype} for `{name}` but got dtype {other.dtype}: convert one")
    if x.dtype.kind != "f":
        raise NotImplementedError(f"lerp is not implemented for {x.dtype}: convert with .float()")
    weight = np.asanyarray(weight, x.dtype)
    # from the nearer end, so that the weights 0 and 1 give the ends exactly
    return np.where(np.abs(weight) < 0.5, x + weight * (end - x), end - (end - x) * (1 - weight))


_lerp_number = define("LerpBackward0")(_lerp.forward)

for _mix in (_lerp, _lerp_number):
    _mix.vjp(x=lambda g, weight: g * (1 - weight), end=lambda g, weight: g * weight)
_lerp.vjp(weight=lambda g, x, end: g * (end - x))


@takes_out
def lerp(input: Any, end: Any, weight: Any) -> Any:
    """``input + weight (end - input)``."""
    return (_lerp if isinstance(weight, (TensorBase, np.ndarray)) else _lerp_number)(input, end, weight)


def _thrice(x: Any, tensor1: Any, tensor2: Any, function: Any, value: Any) -> Any:
    a, b = promote(tensor1, tensor2)
    return np.add(*promote(x, function(a, b) if value == 1 else function(np.multiply(*promote(a, value)), b)))


@Primitive
def addcmul(x: Any, tensor1: Any, tensor2: Any, value: Any = 1) -> Any:
    """``x + value * tensor1 * tensor2``."""
    return _thrice(x, tensor1, tensor2, np.multiply, value)


addcmul.vjp(
    x=lambda g: g,
    tensor1=lambda g, tensor2, value: g * (tensor2 * value),
    tensor2=lambda g, tensor1, value: g * (tensor1 * value),
)


@Primitive
def addcdiv(x: Any, tensor1: Any, tensor2: Any, value: Any = 1) -> Any:
    """``x + value * tensor1 / tensor2``."""
    if all(np.asanyarray(v).dtype.kind in "iub" for v in (tensor1, tensor2)):
        raise RuntimeError("Integer division with addcdiv is no longer supported: convert one with .float()")
    return _thrice(x, tensor1, tensor2, np.divide, value)


addcdiv.vjp(
    x=lambda g: g,
    tensor1=lambda g, tensor2, value: g * (value / tensor2),
    tensor2=lambda g, tensor1, tensor2, value: -g * ((tensor1 * value) / (tensor2 * tensor2)),
)
