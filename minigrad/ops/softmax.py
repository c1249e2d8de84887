"""Sums of exponentials, without overflow: ``logsumexp``, ``softmax`` and its logarithm, each with its rule beneath it."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import promote_float
from minigrad.engine import Primitive, cast, define
from minigrad.ops.dims import Axes, array_of, axes_of, numpy_names
from minigrad.ops.exponential import exp
from minigrad.ops.reduce import _sum, converted, unreduce


@define("LogsumexpBackward0")
def _logsumexp(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    if x.size == 0:
        return np.log(np.add.reduce(x, axis=axis, keepdims=keepdims))
    top = np.maximum.reduce(x, axis=axis, keepdims=True)
    top = np.where(np.isinf(top), x.dtype.type(0), top)
    y = np.log(np.add.reduce(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else y.reshape(tuple(n for i, n in enumerate(x.shape) if i not in axis))


_logsumexp.vjp(
    x=lambda g, x, y, axis, keepdims: (
        unreduce(g, axis, keepdims, tuple(x.shape)) * exp(x - unreduce(y, axis, keepdims, tuple(x.shape)))
    )
)


@numpy_names
def logsumexp(input: Any, dim: Axes, keepdim: bool = False) -> Any:
    """``log sum exp(input)`` over ``dim``, without overflow."""
    x = array_of(input)
    return _logsumexp(
        input if x.dtype.kind == "f" else cast(input, promote_float(x[:0] if x.ndim else x).dtype),
        axes_of(input, dim),
        keepdim,
    )


@Primitive
def _softmax(x: Any, axis: tuple[int, ...]) -> Any:
    e = np.exp(x - np.maximum.reduce(x, axis=axis, keepdims=True)) if x.size else x
    return e / np.add.reduce(e, axis=axis, keepdims=True)


# dL/dx_i = sum_j g_j y_j (delta_ij - y_i) = y_i (g_i - sum_j g_j y_j)
_softmax.vjp(x=lambda g, y, axis: y * (g - _sum(g * y, axis, True)))


@define("LogSoftmaxBackward0")
def _log_softmax(x: Any, axis: tuple[int, ...]) -> Any:
    if x.size == 0:
        return x.copy()
    shifted = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    return shifted - np.log(np.add.reduce(np.exp(shifted), axis=axis, keepdims=True))


_log_softmax.vjp(x=lambda g, y, axis: g - exp(y) * _sum(g, axis, True))


def _real(input: Any, name: str) -> Any:
    if array_of(input).dtype.kind != "f":
        raise NotImplementedError(
            f"{name} is not implemented for {array_of(input).dtype}: convert with .float(), or give a dtype"
        )
    return input


@numpy_names
def softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """``y_i = exp(x_i) / sum_j exp(x_j)`` along ``dim``."""
    return _softmax(_real(converted(input, dtype), "softmax"), axes_of(input, (dim,)))


@numpy_names
def log_softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """``y_i = x_i - log sum_j exp(x_j)`` along ``dim``, more accurate than the logarithm of ``softmax``."""
    return _log_softmax(_real(converted(input, dtype), "log_softmax"), axes_of(input, (dim,)))
