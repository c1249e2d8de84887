"""Operations on each element, each with its rule beneath it.

``g`` is dL/dy. Operands of different types meet in PyTorch's common type; their broadcasting and conversion are undone by
the engine, so that every rule here reads as in a table of derivatives.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import default, promote, promote_float
from minigrad.engine import Primitive, TensorBase, cast, clone, define

__all__ = [
    "abs",
    "acos",
    "add",
    "arctan",
    "asin",
    "atan",
    "atan2",
    "ceil",
    "clamp",
    "clone",
    "copysign",
    "cos",
    "cosh",
    "div",
    "elu",
    "eq",
    "erf",
    "exp",
    "expm1",
    "floor",
    "floor_divide",
    "fmax",
    "ge",
    "gelu",
    "gt",
    "hardtanh",
    "hypot",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "leaky_relu",
    "lerp",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logsigmoid",
    "lt",
    "maximum",
    "minimum",
    "mul",
    "ne",
    "neg",
    "pow",
    "reciprocal",
    "relu",
    "remainder",
    "round",
    "rsqrt",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinc",
    "sinh",
    "softplus",
    "sqrt",
    "square",
    "sub",
    "tan",
    "tanh",
    "trunc",
    "where",
    "xlogy",
]


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


# Trigonometry


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
arctan = atan


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
def sinc(x: Any) -> Any:
    return np.sinc(promote_float(x)).astype(promote_float(x).dtype, copy=False)


# sinc x = sin(pi x) / (pi x), and at 0 its slope is 0
sinc.vjp(x=lambda g, x, y: where(x == 0, 0.0, g * (cos(x * math.pi) - y) / where(x == 0, 1.0, x)))

_ERF_SERIES = 2 / math.sqrt(math.pi)
_erf = np.vectorize(math.erf, otypes=[np.float64])


@Primitive
def erf(x: Any) -> Any:
    x = promote_float(x)
    return _erf(x).astype(x.dtype) if x.size else x.copy()


erf.vjp(x=lambda g, x: g * (_ERF_SERIES * exp(-x * x)))


# Kinks: the value at the kink itself is PyTorch's


@Primitive
def abs(x: Any) -> Any:
    return np.absolute(x)


abs.vjp(x=lambda g, x: g * sign(x))  # 0 at 0


@Primitive
def maximum(x: Any, other: Any) -> Any:
    return np.maximum(*promote(x, other))


@Primitive
def minimum(x: Any, other: Any) -> Any:
    return np.minimum(*promote(x, other))


@Primitive
def fmax(x: Any, other: Any) -> Any:
    return np.fmax(*promote(x, other))


def _share(lose: Any, tie: Any) -> Any:
    """0 where the operand loses, 1/2 at a tie, 1 where it wins and where either is nan."""
    return where(tie, 0.5, where(lose, 0.0, 1.0))


maximum.vjp(
    x=lambda g, x, other: cast_like(_share(x < other, x == other), g) * g,
    other=lambda g, x, other: cast_like(_share(other < x, x == other), g) * g,
)
minimum.vjp(
    x=lambda g, x, other: cast_like(_share(x > other, x == other), g) * g,
    other=lambda g, x, other: cast_like(_share(other > x, x == other), g) * g,
)
fmax.vjp(
    x=lambda g, x, other: where((x >= other) | isnan(other), g, 0.0),
    other=lambda g, x, other: where((x >= other) | isnan(other), 0.0, g),
)


@define("ClampBackward1")
def _clamp(x: Any, min: Any, max: Any) -> Any:
    if min is not None:
        x = np.asarray(np.maximum(*promote(x, min)))
    return x.copy() if max is None and min is None else x if max is None else np.minimum(*promote(x, max))


def _inside(x: Any, min: Any, max: Any) -> Any:
    """Where clamping changes nothing: the bounds themselves count, nan does not."""
    inside = x >= min if min is not None else x <= max
    return inside if min is None or max is None else inside & (x <= max)


_clamp.vjp(
    x=lambda g, x, min, max: keep(g, _inside(x, min, max)),
    min=lambda g, x, min, max: where((x < min) & (min < max if max is not None else True), g, 0.0),
    max=lambda g, x, min, max: where((x > max) | (max < min if min is not None else False), g, 0.0),
)


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """``input`` limited to [min, max]; the gradient is 1 inside and at the bounds, 0 outside and at nan."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    return _clamp(input, min, max)


@Primitive
def sign(x: Any) -> Any:
    if x.dtype.kind == "b":
        return x.copy()
    y = np.sign(x)
    return np.where(np.isnan(y), x.dtype.type(0), y) if x.dtype.kind == "f" else y  # nan has no sign


@Primitive
def floor(x: Any) -> Any:
    return np.floor(x)


@Primitive
def ceil(x: Any) -> Any:
    return np.ceil(x)


@Primitive
def trunc(x: Any) -> Any:
    return np.trunc(x)


@Primitive
def _round(x: Any, decimals: int = 0) -> Any:
    return np.round(x, decimals)


def round(input: Any, *, decimals: int = 0) -> Any:
    """To the nearest integer, halves to the even one; to ``decimals`` places if given. The gradient is zero."""
    return _round(input, decimals)


for _step in (sign, floor, ceil, trunc, _round):
    _step.vjp(x=lambda g: g * 0)


@Primitive
def copysign(x: Any, other: Any) -> Any:
    x, other = promote(x, other)
    return np.copysign(promote_float(np.asarray(x)), promote_float(np.asarray(other)))


copysign.vjp(x=lambda g, x, y: where(x == 0, 0.0, g * sign(x) * sign(y)), other=lambda g: g * 0)


# Choosing


@Primitive
def _where(condition: Any, x: Any, other: Any) -> Any:
    return np.where(condition, *promote(x, other))


_where.vjp(x=lambda g, condition: _where(condition, g, 0.0), other=lambda g, condition: _where(condition, 0.0, g))


def where(condition: Any, input: Any, other: Any) -> Any:
    """``input`` where ``condition`` holds, else ``other``."""
    kind = condition.array.dtype.kind if isinstance(condition, TensorBase) else np.asarray(condition).dtype.kind
    if kind not in "bu":
        raise RuntimeError("where expected condition to be a boolean tensor, as x > 0 gives")
    typed = (TensorBase, np.ndarray) if isinstance(condition, TensorBase) else (TensorBase, np.ndarray, np.generic)
    if not any(isinstance(v, typed) for v in (input, other)):
        input, other = (np.asarray(v, default.numpy) if isinstance(v, float) else np.asarray(v) for v in (input, other))
    return _where(condition, input, other)


_BITS = {2: np.int16, 4: np.int32, 8: np.int64}


@define("MulBackward0")
def keep(x: Any, mask: Any) -> Any:
    """``x`` where ``mask`` holds and exactly 0 elsewhere, also where ``x`` is inf or nan."""
    bits = x.view(_BITS[x.itemsize])
    return np.multiply(bits, mask).view(x.dtype)  # a float's bits times 0 or 1, five times as fast as np.where


keep.vjp(x=lambda g, mask: keep(g, mask))


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


def cast_like(x: Any, g: Any) -> Any:
    """``x`` in the element type of ``g``."""
    target = g.array.dtype if isinstance(g, TensorBase) else g.dtype
    return cast(x, target)


# Activations


@Primitive
def sigmoid(x: Any) -> Any:
    x = promote_float(x)
    # 1 / (1 + e^-x) overflows to the right limit: e^-x = inf gives 0
    return np.reciprocal(np.add(np.exp(np.negative(x)), x.dtype.type(1)))


sigmoid.vjp(x=lambda g, y: g * y * (1 - y))


@Primitive
def relu(x: Any) -> Any:
    if x.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu: convert with .float()")
    return np.maximum(x, x.dtype.type(0))


relu.vjp(x=lambda g, y: keep(g, y != 0))  # y is positive, 0 or nan, and nan lets the gradient pass


@Primitive
def leaky_relu(x: Any, slope: float) -> Any:
    return np.where(x > 0, x, x * slope)


leaky_relu.vjp(x=lambda g, x, slope: where(x > 0, g, g * slope))


@Primitive
def elu(x: Any, alpha: float, scale: float = 1.0) -> Any:
    return np.where(x > 0, x * scale, np.expm1(np.minimum(x, x.dtype.type(0))) * (alpha * scale))


elu.vjp(x=lambda g, x, alpha, scale: where(x <= 0, g * exp(where(x < 0, x, 0.0)) * (alpha * scale), g * scale))


@Primitive
def silu(x: Any) -> Any:
    return x * sigmoid(x)


# d x s(x) = s + x s (1 - s)
silu.vjp(x=lambda g, x: g * (sigmoid(x) * (1 + x * (1 - sigmoid(x)))))


@Primitive
def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    return np.where(x * beta > threshold, x, np.log1p(np.exp(x * beta)) / beta)


softplus.vjp(x=lambda g, x, beta, threshold: where(x * beta > threshold, g, g * sigmoid(x * beta)))


@define("LogSigmoidBackward0")
def logsigmoid(x: Any) -> Any:
    return np.minimum(x, x.dtype.type(0)) - np.log1p(np.exp(-np.absolute(x)))


logsigmoid.vjp(x=lambda g, x: g * sigmoid(-x))


@Primitive
def gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(_GELU_TANH * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1 + erf(x * math.sqrt(0.5)))


_GELU_TANH = math.sqrt(2 / math.pi)


def _gelu_x(g: Any, x: Any, approximate: str) -> Any:
    if approximate == "tanh":
        t = tanh(_GELU_TANH * (x + 0.044715 * x * x * x))
        return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (_GELU_TANH * (1 + 3 * 0.044715 * x * x)))
    # d x Phi(x) = Phi(x) + x phi(x), with the normal density phi
    return g * (0.5 * (1 + erf(x * math.sqrt(0.5))) + x * exp(-0.5 * x * x) / math.sqrt(2 * math.pi))


gelu.vjp(x=_gelu_x)


@define("HardtanhBackward0")
def hardtanh(x: Any, low: float, high: float) -> Any:
    return np.clip(x, x.dtype.type(low), x.dtype.type(high))


hardtanh.vjp(x=lambda g, x, low, high: keep(g, (x > low) & (x < high)))  # 0 at the bounds, unlike clamp


def selu(input: Any) -> Any:
    """``scale * elu(input, alpha)`` with the constants of Klambauer et al. 2017, for which unit variance is a fixed point."""
    return elu(input, 1.6732632423543772, 1.0507009873554805)


# Comparisons and tests: their results are bool, nothing flows through them


@Primitive
def eq(x: Any, other: Any) -> Any:
    return np.equal(*promote(x, other))


@Primitive
def ne(x: Any, other: Any) -> Any:
    return np.not_equal(*promote(x, other))


@Primitive
def lt(x: Any, other: Any) -> Any:
    return np.less(*promote(x, other))


@Primitive
def le(x: Any, other: Any) -> Any:
    return np.less_equal(*promote(x, other))


@Primitive
def gt(x: Any, other: Any) -> Any:
    return np.greater(*promote(x, other))


@Primitive
def ge(x: Any, other: Any) -> Any:
    return np.greater_equal(*promote(x, other))


@Primitive
def isnan(x: Any) -> Any:
    return np.isnan(x)


@Primitive
def isinf(x: Any) -> Any:
    return np.isinf(x)


@Primitive
def isfinite(x: Any) -> Any:
    return np.isfinite(x)


@Primitive
def logical_not(x: Any) -> Any:
    return np.logical_not(x)


@Primitive
def logical_and(x: Any, other: Any) -> Any:
    return np.logical_and(x, other)


@Primitive
def logical_or(x: Any, other: Any) -> Any:
    return np.logical_or(x, other)


@Primitive
def logical_xor(x: Any, other: Any) -> Any:
    return np.logical_xor(x, other)


@Primitive
def bitwise_and(x: Any, other: Any) -> Any:
    return np.bitwise_and(*promote(x, other))


@Primitive
def bitwise_or(x: Any, other: Any) -> Any:
    return np.bitwise_or(*promote(x, other))


@Primitive
def bitwise_xor(x: Any, other: Any) -> Any:
    return np.bitwise_xor(*promote(x, other))


@Primitive
def bitwise_not(x: Any) -> Any:
    return np.invert(x)
