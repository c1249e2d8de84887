"""Activation functions, each with its rule beneath it. At a kink the value taken is PyTorch's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import bound, constant, promote_float
from minigrad.engine import Primitive, define
from minigrad.ops.choosing import keep, where
from minigrad.ops.exponential import erf, exp
from minigrad.ops.trigonometry import tanh


@Primitive
def sigmoid(x: Any) -> Any:
    x = promote_float(x)
    y, one = np.negative(x, np.empty_like(x)), constant(1, x.dtype)
    # 1 / (1 + e^-x) overflows to the right limit: e^-x = inf gives 0. NumPy divides twice as fast as it takes reciprocals.
    return np.divide(one, np.add(np.exp(y, y), one, y), y)


sigmoid.vjp(x=lambda g, y: g * (1 - y) * y)


@Primitive
def relu(x: Any) -> Any:
    if x.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu: convert with .float()")
    return np.maximum(x, bound(0, x))


@define("ThresholdBackwardBackward0")
def _where_positive(x: Any, result: Any) -> Any:
    return keep.forward(x, result != 0)  # the result of relu is positive, 0 or nan, and nan lets the gradient pass


relu.vjp(x=lambda g, y: _where_positive(g, y))
# the slope of relu depends on its input by jumps only: the second derivative is there, and is 0
_where_positive.vjp(x=lambda g, result: _where_positive(g, result), result=lambda g: keep(g, np.False_))


@Primitive
def leaky_relu(x: Any, slope: float) -> Any:
    return np.where(x > 0, x, x * slope)


@define("LeakyReluBackwardBackward0")
def _leaky_slope(x: Any, input: Any, slope: float) -> Any:
    return np.where(input > 0, x, x * slope)


leaky_relu.vjp(x=lambda g, x, slope: _leaky_slope(g, x, slope))
_leaky_slope.vjp(x=lambda g, input, slope: _leaky_slope(g, input, slope), input=lambda g: keep(g, np.False_))


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


# Seldom met


@Primitive
def celu(x: Any, alpha: float) -> Any:
    return np.where(x > 0, x, np.expm1(np.minimum(x, x.dtype.type(0)) / alpha) * alpha)


celu.vjp(x=lambda g, x, alpha: where(x <= 0, g * exp(where(x < 0, x, 0.0) / alpha), g))


@Primitive
def mish(x: Any) -> Any:
    return x * np.tanh(softplus.forward(x, 1.0, 20.0))


def _mish_x(g: Any, x: Any) -> Any:
    # with t = tanh(softplus(x)): d x t = t + x (1 - t^2) sigmoid(x)
    t = tanh(softplus(x, 1.0, 20.0))
    return g * (t + x * sigmoid(x) * (1 - t * t))


mish.vjp(x=_mish_x)


@Primitive
def hardsigmoid(x: Any) -> Any:
    return np.clip(x + 3, x.dtype.type(0), x.dtype.type(6)) / 6


hardsigmoid.vjp(x=lambda g, x: keep(g / 6, (x > -3) & (x < 3)))


@Primitive
def hardswish(x: Any) -> Any:
    return x * np.clip(x + 3, x.dtype.type(0), x.dtype.type(6)) / 6


hardswish.vjp(x=lambda g, x: where(x <= -3, 0.0, where(x < 3, g * (x / 3 + 0.5), g)))


@Primitive
def hardshrink(x: Any, lambd: float) -> Any:
    return np.where((x >= -lambd) & (x <= lambd), x.dtype.type(0), x)


@Primitive
def softshrink(x: Any, lambd: float) -> Any:
    return np.where((x >= -lambd) & (x <= lambd), x.dtype.type(0), x - np.sign(x) * x.dtype.type(lambd))


for _shrink in (hardshrink, softshrink):
    _shrink.vjp(x=lambda g, x, lambd: where((x >= -lambd) & (x <= lambd), 0.0, g))


@Primitive
def threshold(x: Any, bound: float, value: float) -> Any:
    return np.where(x <= bound, x.dtype.type(value), x)


threshold.vjp(x=lambda g, x, bound: where(x <= bound, 0.0, g))


@define("PreluKernelBackward0")
def prelu(x: Any, weight: Any) -> Any:
    return np.where(x > 0, x, weight * x)


prelu.vjp(x=lambda g, x, weight: where(x > 0, g, weight * g), weight=lambda g, x: where(x > 0, 0.0, g * x))


def selu(input: Any) -> Any:
    """``scale * elu(input, alpha)`` with the constants of Klambauer et al. 2017, for which unit variance is a fixed point."""
    return elu(input, 1.6732632423543772, 1.0507009873554805)
