"""Losses: how far an ``input`` is from a ``target``. ``reduction`` is "mean" (over all elements), "sum" or "none".

The cores with their rules are in ``minigrad/ops/loss.py``; here are PyTorch's arguments, checks and the rarer cases. Losses
over classes are in ``class_losses.py``.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from minigrad.nn.functional.reduction import constant, reduced, reduction_of, size_text, warn_if_sizes_differ
from minigrad.ops import exponential as ex
from minigrad.ops import kinks as k
from minigrad.ops import loss as core
from minigrad.ops.dims import array_of
from minigrad.ops.index import masked_fill
from minigrad.ops.loss import check_reduction
from minigrad.ops.shape import broadcast_to

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "gaussian_nll_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "mse_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
]


# Real targets


def mse_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """``(input - target)^2``, reduced; with ``weight`` the mean is weighted. Warns if the sizes differ.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html
    """
    reduction = reduction_of(reduction, size_average, reduce)
    warn_if_sizes_differ(input, target)
    if weight is None:
        return core.mse_loss(input, target, reduction)
    return _weighted(core.mse_loss(input, target, "none"), weight, input, reduction)


def _same_size(weight: Any, input: Any) -> None:
    if array_of(weight).shape != array_of(input).shape:
        raise ValueError(f"Weights and input must have the same size, got {size_text(weight)} and {size_text(input)}")


def _weighted(loss: Any, weight: Any, input: Any, reduction: str) -> Any:
    _same_size(weight, input)
    loss = loss * weight
    return loss.sum() / weight.sum() if reduction == "mean" else reduced(loss, reduction)


def l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """``|input - target|``, reduced; the gradient where they agree is 0. Warns if the sizes differ."""
    reduction = reduction_of(reduction, size_average, reduce)
    warn_if_sizes_differ(input, target)
    loss = k.abs(input - target)
    return reduced(loss, reduction) if weight is None else _weighted(loss, weight, input, reduction)


def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """With d = |input - target|: ``d^2 / (2 beta)`` where d < beta, else ``d - beta / 2``; reduced."""
    reduction = reduction_of(reduction, size_average, reduce)
    warn_if_sizes_differ(input, target)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    return core.smooth_l1_loss(input, target, reduction, beta)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """With d = |input - target|: ``d^2 / 2`` where d < delta, else ``delta (d - delta / 2)``; reduced (unweighted mean)."""
    check_reduction(reduction)
    warn_if_sizes_differ(input, target)
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, got {delta}")
    if weight is None:
        return core.huber_loss(input, target, reduction, delta)
    _same_size(weight, input)
    return reduced(core.huber_loss(input, target, "none", delta) * weight, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """``(log var + (input - target)^2 / var) / 2``, var at least ``eps`` (without gradient there); ``full`` adds log(2 pi) / 2.

    Raises ValueError for a negative variance, or one that has neither the shape of input nor a last dimension of 1.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gaussian_nll_loss.html
    """
    if isinstance(var, (int, float)):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = input.detach() * 0 + var
    v, shape = array_of(var), array_of(input).shape
    if (v < 0).any():
        raise ValueError("var has negative entry/entries")
    if v.shape != shape:
        if v.shape == shape[:-1]:
            var = var.unsqueeze(-1)
        elif shape[:-1] != v.shape[:-1] or v.shape[-1] != 1:
            raise ValueError(f"var is of incorrect size: {size_text(var)} for an input of size {size_text(input)}")
    check_reduction(reduction)
    floor = np.maximum(array_of(var), array_of(var).dtype.type(eps)) - array_of(var)
    var = var + floor  # the gradient passes as if var had not been kept from 0, as in PyTorch
    loss = 0.5 * (ex.log(var) + (input - target) ** 2 / var)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """``e^input - target * input``, or ``input - target log(input + eps)``; ``full`` adds Stirling's log target! where > 1."""
    reduction = reduction_of(reduction, size_average, reduce)
    loss = ex.exp(input) - target * input if log_input else input - target * ex.log(input + eps)
    if full:
        stirling = target * ex.log(target) - target + 0.5 * ex.log(2 * math.pi * target)
        loss = loss + masked_fill(stirling, target <= 1, 0)
    return reduced(loss, reduction)


# Probabilities


def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """``-weight (t log p + (1 - t) log(1 - p))`` in nats, the logarithms at least -100; reduced.

    Raises ValueError if the sizes differ, RuntimeError if a p or t is outside [0, 1] or the types differ.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html
    """
    reduction = reduction_of(reduction, size_average, reduce)
    x, t = array_of(input), array_of(target)
    if x.shape != t.shape:
        raise ValueError(
            f"Using a target size ({size_text(target)}) that is different to the input size ({size_text(input)}) is deprecated. "
            f"Please ensure they have the same size."
        )
    if x.dtype != t.dtype:
        raise RuntimeError(
            f"Found dtype {t.dtype} but expected {x.dtype}: convert the target, as in target.to(input.dtype)"
        )
    if weight is not None:
        constant("weight", weight)
        weight = broadcast_to(weight, x.shape)
    return core.binary_cross_entropy(input, target, weight, reduction)


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """``binary_cross_entropy(sigmoid(input), target)`` without overflow; ``pos_weight`` multiplies the term of t.

    Raises ValueError if the sizes differ.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html
    """
    reduction = reduction_of(reduction, size_average, reduce)
    x, t = array_of(input), array_of(target)
    if x.shape != t.shape:
        raise ValueError(f"Target size ({size_text(target)}) must be the same as input size ({size_text(input)})")
    constant("weight", weight)
    constant("pos_weight", pos_weight)
    if weight is not None:
        weight = broadcast_to(weight, x.shape)
    return core.binary_cross_entropy_with_logits(input, target, weight, pos_weight, reduction)


def kl_div(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """``t (log t - input)``, input being log-probabilities; 0 where t is 0. "batchmean" divides by the batch, "mean" by all.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html
    """
    batch = reduction == "batchmean" and size_average is None and reduce is None
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size. 'batchmean' divides only "
            "by the batch size, and aligns with the KL div math definition.",
            stacklevel=2,
        )
    reduction = "sum" if batch else reduction_of(reduction, size_average, reduce)
    loss = ex.exp(target) * (target - input) if log_target else ex.xlogy(target, target) - target * input
    loss = reduced(loss, reduction)
    return loss / array_of(input).shape[0] if batch and array_of(input).ndim else loss
