"""Normalisation: elements brought to mean 0 and variance 1, then scaled and shifted by what is learned.

The shape of ``weight`` and ``bias`` broadcasts with ``x``; that their gradients are sums is the engine's business.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import define
from minigrad.ops.elementwise import rsqrt
from minigrad.ops.reduce import _mean


def _affine(y: Any, weight: Any, bias: Any) -> Any:
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


@define("NativeLayerNormBackward0")
def standardized(x: Any, weight: Any, bias: Any, axis: tuple[int, ...], eps: float) -> Any:
    """``(x - m) / sqrt(var + eps) * weight + bias`` with the mean and the biased variance over ``axis``."""
    d = x - np.mean(x, axis=axis, keepdims=True)
    return _affine(d * (1 / np.sqrt(np.mean(d * d, axis=axis, keepdims=True) + x.dtype.type(eps))), weight, bias)


def _parts(x: Any, axis: tuple[int, ...], eps: float) -> tuple[Any, Any]:
    d = x - _mean(x, axis, True)
    s = rsqrt(_mean(d * d, axis, True) + eps)
    return d * s, s


def _standardized_x(g: Any, x: Any, weight: Any, axis: tuple[int, ...], eps: float) -> Any:
    # y = (x - m) s with s = 1 / sqrt(var + eps): dy_i/dx_j = s (delta_ij - 1/n - y_i y_j / n), so
    # dx = s (g - mean(g) - y mean(g y))
    y, s = _parts(x, axis, eps)
    g = g if weight is None else g * weight
    return s * (g - _mean(g, axis, True) - y * _mean(g * y, axis, True))


batch_standardized = define("NativeBatchNormBackward0")(standardized.forward)

for _norm in (standardized, batch_standardized):
    _norm.vjp(x=_standardized_x, weight=lambda g, x, axis, eps: g * _parts(x, axis, eps)[0], bias=lambda g: g)


@define("NativeBatchNormBackward0")
def rescaled(x: Any, weight: Any, bias: Any, mean: Any, scale: Any) -> Any:
    """``(x - mean) * scale * weight + bias``, the mean and the scale being constants."""
    return _affine((x - mean) * scale, weight, bias)


rescaled.vjp(
    x=lambda g, weight, scale: g * scale if weight is None else g * weight * scale,
    weight=lambda g, x, mean, scale: g * ((x - mean) * scale),
    bias=lambda g: g,
)
