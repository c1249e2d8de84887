"""Operations on each element that have a kink or a step, each with its rule beneath it.

At the kink itself there is no derivative; the value taken there is PyTorch's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import promote, promote_float
from minigrad.engine import Primitive, TensorBase, define
from minigrad.ops.choosing import cast_like, keep, where
from minigrad.ops.comparison import isfinite, isnan
from minigrad.ops.dims import takes_out


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


@Primitive
def fmin(x: Any, other: Any) -> Any:
    return np.fmin(*promote(x, other))


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
fmin.vjp(
    x=lambda g, x, other: where((x <= other) | isnan(other), g, 0.0),
    other=lambda g, x, other: where((x <= other) | isnan(other), 0.0, g),
)


@define("ClampBackward1")
def _clamp(x: Any, min: Any, max: Any) -> Any:
    if min is not None:
        x = np.asanyarray(np.maximum(*promote(x, min)))
    return x.copy() if max is None and min is None else x if max is None else np.minimum(*promote(x, max))


def _inside(x: Any, min: Any, max: Any) -> Any:
    """Where clamping changes nothing: the bounds themselves count, nan does not."""
    inside = x >= min if min is not None else x <= max
    return inside if min is None or max is None else inside & (x <= max)


_clamp_min = define("ClampMinBackward0")(_clamp.forward)
_clamp_max = define("ClampMaxBackward0")(_clamp.forward)
_clamp_tensors = define("ClampBackward0")(_clamp.forward)

for _limit in (_clamp, _clamp_min, _clamp_max, _clamp_tensors):
    _limit.vjp(x=lambda g, x, min, max: keep(g, _inside(x, min, max)))
_clamp_tensors.vjp(
    min=lambda g, x, min, max: where((x < min) & (min < max if max is not None else True), g, 0.0),
    max=lambda g, x, min, max: where((x > max) | (max < min if min is not None else False), g, 0.0),
)


@takes_out
def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """``input`` limited to [min, max]; the gradient is 1 inside and at the bounds, 0 outside and at nan."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    tensors = isinstance(min, (TensorBase, np.ndarray)) or isinstance(max, (TensorBase, np.ndarray))
    return (_clamp_tensors if tensors else _clamp)(input, min, max)


@takes_out
def clamp_min(input: Any, min: Any) -> Any:
    """``clamp`` from below."""
    return clamp(input, min) if isinstance(min, (TensorBase, np.ndarray)) else _clamp_min(input, min, None)


@takes_out
def clamp_max(input: Any, max: Any) -> Any:
    """``clamp`` from above."""
    return clamp(input, None, max) if isinstance(max, (TensorBase, np.ndarray)) else _clamp_max(input, None, max)


@Primitive
def nan_to_num(x: Any, nan: Any = None, posinf: Any = None, neginf: Any = None) -> Any:
    """``x`` with nan as 0 and infinities as the largest finite numbers, or as what is given for them."""
    return np.nan_to_num(x, True, 0.0 if nan is None else nan, posinf, neginf)


nan_to_num.vjp(x=lambda g, x: keep(g, isfinite(x)))


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
def _round(x: Any) -> Any:
    return np.round(x)


@define("RoundBackward1")
def _round_to(x: Any, decimals: int) -> Any:
    return np.round(x, decimals)


@takes_out
def round(input: Any, *, decimals: int | None = None) -> Any:
    """To the nearest integer, halves to the even one; to ``decimals`` places if given. The gradient is zero."""
    return _round(input) if decimals is None else _round_to(input, decimals)


for _step in (sign, floor, ceil, trunc, _round, _round_to):
    _step.vjp(x=lambda g: g * 0)


@Primitive
def frac(x: Any) -> Any:
    """What follows the point: ``x - trunc(x)``."""
    return x - np.trunc(x)


frac.vjp(x=lambda g: g)


@Primitive
def copysign(x: Any, other: Any) -> Any:
    x, other = promote(x, other)
    return np.copysign(promote_float(np.asanyarray(x)), promote_float(np.asanyarray(other)))


copysign.vjp(x=lambda g, x, y: where(x == 0, 0.0, g * sign(x) * sign(y)), other=lambda g: g * 0)
