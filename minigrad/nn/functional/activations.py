"""Activation functions: each element by itself, or a softmax along a dimension.

Their values and gradients are in ``minigrad/ops/activation.py`` and ``minigrad/ops/softmax.py``; here they get PyTorch's
names and arguments. The gradient at a kink is PyTorch's, too.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.generator import default_generator
from minigrad.mutation import change
from minigrad.ops import activation as a
from minigrad.ops import kinks as k
from minigrad.ops import softmax as sm
from minigrad.ops import trigonometry as tr
from minigrad.ops.dims import array_of

__all__ = [
    "celu",
    "elu",
    "gelu",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
]


def _apply(input: Any, function: Callable[[Any], Any], inplace: bool, name: str) -> Any:
    # in place, the rule still needs the former values: they are kept in a copy
    return change(input, function(input.clone()), name) if inplace else function(input)


def relu(input: Any, inplace: bool = False) -> Any:
    """``max(0, x)``; the gradient at 0 is 0, and nan passes through."""
    return a.relu(input) if not inplace else change(input, a.relu(input), "relu_")


def relu_(input: Any) -> Any:
    """``relu`` in place."""
    return relu(input, True)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """``x`` where positive, else ``negative_slope * x``."""
    return _apply(input, lambda x: a.leaky_relu(x, negative_slope), inplace, "leaky_relu_")


def prelu(input: Any, weight: Any) -> Any:
    """``leaky_relu`` whose slope ``weight`` is learned: one number, or one for each channel (dimension 1)."""
    x, w = array_of(input), array_of(weight)
    channels = x.shape[1] if x.ndim > 1 else 1
    if w.size not in (1, channels):
        raise RuntimeError(
            f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {w.size}, channel size = {channels}."
        )
    if w.size > 1:
        weight = weight.reshape((-1,) + (1,) * (x.ndim - 2))
    return a.prelu(input, weight)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """``x`` where positive, else ``alpha * (e^x - 1)``."""
    return _apply(input, lambda x: a.elu(x, alpha), inplace, "elu_")


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """``max(0, x) + min(0, alpha * (e^(x / alpha) - 1))``."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _apply(input, lambda x: a.celu(x, alpha), inplace, "celu_")


def selu(input: Any, inplace: bool = False) -> Any:
    """``scale * elu(x, alpha)`` with the constants for which mean 0 and variance 1 are kept (Klambauer et al. 2017)."""
    return _apply(input, lambda x: a.selu(x), inplace, "selu_")


def gelu(input: Any, approximate: str = "none") -> Any:
    """``x Phi(x)``, Phi being the normal distribution function; "tanh" approximates it."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"approximate argument must be either none or tanh, got {approximate!r}")
    return a.gelu(input, approximate)


def silu(input: Any, inplace: bool = False) -> Any:
    """``x sigmoid(x)``."""
    return _apply(input, lambda x: a.silu(x), inplace, "silu_")


def mish(input: Any, inplace: bool = False) -> Any:
    """``x tanh(softplus(x))``."""
    return _apply(input, a.mish, inplace, "mish_")


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """``log(1 + e^(beta x)) / beta``, and ``x`` itself where ``beta x > threshold``."""
    return a.softplus(input, beta, threshold)


def logsigmoid(input: Any) -> Any:
    """``log sigmoid(x)`` without overflow."""
    return a.logsigmoid(input)


def sigmoid(input: Any) -> Any:
    """``1 / (1 + e^-x)``."""
    return a.sigmoid(input)


def tanh(input: Any) -> Any:
    """The hyperbolic tangent."""
    return tr.tanh(input)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """``x`` limited to [min_val, max_val]; the gradient at the bounds is 0."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return _apply(input, lambda x: a.hardtanh(x, min_val, max_val), inplace, "hardtanh_")


def relu6(input: Any, inplace: bool = False) -> Any:
    """``min(max(0, x), 6)``; the gradient at the bounds is 0."""
    return _apply(input, lambda x: a.hardtanh(x, 0.0, 6.0), inplace, "relu6_")


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """``relu6(x + 3) / 6``."""
    return _apply(input, a.hardsigmoid, inplace, "hardsigmoid_")


def hardswish(input: Any, inplace: bool = False) -> Any:
    """``x relu6(x + 3) / 6``."""
    return _apply(input, a.hardswish, inplace, "hardswish_")


def softsign(input: Any) -> Any:
    """``x / (1 + |x|)``."""
    return input / (k.abs(input) + 1)


def tanhshrink(input: Any) -> Any:
    """``x - tanh(x)``."""
    return input - tr.tanh(input)


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """``x`` moved towards 0 by ``lambd``, and 0 within ``lambd`` of it."""
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}.")
    return a.softshrink(input, lambd)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """0 within ``lambd`` of 0, else ``x``."""
    return a.hardshrink(input, lambd)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """``x`` where it exceeds ``threshold``, else ``value``."""
    return _apply(input, lambda x: a.threshold(x, threshold, value), inplace, "threshold_")


def _softmax_dim(name: str, input: Any, dim: int | None) -> int:
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=4,
    )
    return 0 if array_of(input).ndim in (0, 1, 3) else 1


def _along(name: str, function: Callable[..., Any], input: Any, dim: int | None, dtype: Any) -> Any:
    return function(input, _softmax_dim(name, input, dim), dtype=dtype)


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """``e^x_i / sum_j e^x_j`` along ``dim``."""
    return _along("softmax", sm.softmax, input, dim, dtype)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """``softmax(-x)``."""
    return _along("softmin", sm.softmax, -input, dim, dtype)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """``x_i - log sum_j e^x_j`` along ``dim``."""
    return _along("log_softmax", sm.log_softmax, input, dim, dtype)


def gumbel_softmax(logits: Any, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """A random choice by ``logits``, softened so that it has a gradient: ``softmax((logits + g) / tau)``, g from Gumbel's law.

    ``hard`` gives 1 and 0 with the gradient of the soft choice. Source: Jang, Gu and Poole 2017, equation 2
    """
    x = array_of(logits)
    gumbels = -np.log(default_generator.exponential(x.shape, x.dtype))
    soft = sm.softmax((logits + gumbels) / tau, dim)
    if not hard:
        return soft
    place = array_of(soft).argmax(dim)
    one_hot = (np.moveaxis(np.arange(x.shape[dim]) == place[..., None], -1, dim)).astype(x.dtype)
    return (one_hot - soft.detach()) + soft
