"""Losses: how far an ``input`` is from a ``target``. ``reduction`` is "mean" (over all elements), "sum" or "none".

The cores with their rules are in ``minigrad/ops/loss.py``; here are PyTorch's arguments, checks and the rarer cases.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from minigrad.ops import elementwise as e
from minigrad.ops import kinks as k
from minigrad.ops import loss as core
from minigrad.ops.dims import array_of
from minigrad.ops.index import masked_fill
from minigrad.ops.loss import check_reduction
from minigrad.ops.shape import broadcast_to, reshape
from minigrad.ops.softmax import log_softmax

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "gaussian_nll_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
]


def _mode(reduction: str, size_average: bool | None, reduce: bool | None) -> str:
    """``reduction``, or what the two arguments that it replaced say."""
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=3,
        )
    check_reduction(reduction)
    return reduction


def _reduce(loss: Any, reduction: str) -> Any:
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def _size(x: Any) -> str:
    return f"torch.Size({list(array_of(x).shape)})"


def _warn_if_sizes_differ(input: Any, target: Any) -> None:
    if array_of(input).shape != array_of(target).shape:
        warnings.warn(
            f"Using a target size ({_size(target)}) that is different to the input size ({_size(input)}). This will likely "
            f"lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )


def _constant(name: str, weight: Any) -> None:
    if getattr(weight, "requires_grad", False):
        raise RuntimeError(f"the derivative for '{name}' is not implemented: pass {name}.detach()")


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
    reduction = _mode(reduction, size_average, reduce)
    _warn_if_sizes_differ(input, target)
    if weight is None:
        return core.mse_loss(input, target, reduction)
    return _weighted(core.mse_loss(input, target, "none"), weight, input, reduction)


def _same_size(weight: Any, input: Any) -> None:
    if array_of(weight).shape != array_of(input).shape:
        raise ValueError(f"Weights and input must have the same size, got {_size(weight)} and {_size(input)}")


def _weighted(loss: Any, weight: Any, input: Any, reduction: str) -> Any:
    _same_size(weight, input)
    loss = loss * weight
    return loss.sum() / weight.sum() if reduction == "mean" else _reduce(loss, reduction)


def l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """``|input - target|``, reduced; the gradient where they agree is 0. Warns if the sizes differ."""
    reduction = _mode(reduction, size_average, reduce)
    _warn_if_sizes_differ(input, target)
    loss = k.abs(input - target)
    return _reduce(loss, reduction) if weight is None else _weighted(loss, weight, input, reduction)


def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """With d = |input - target|: ``d^2 / (2 beta)`` where d < beta, else ``d - beta / 2``; reduced."""
    reduction = _mode(reduction, size_average, reduce)
    _warn_if_sizes_differ(input, target)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    return core.smooth_l1_loss(input, target, reduction, beta)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """With d = |input - target|: ``d^2 / 2`` where d < delta, else ``delta (d - delta / 2)``; reduced (unweighted mean)."""
    check_reduction(reduction)
    _warn_if_sizes_differ(input, target)
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, got {delta}")
    if weight is None:
        return core.huber_loss(input, target, reduction, delta)
    _same_size(weight, input)
    return _reduce(core.huber_loss(input, target, "none", delta) * weight, reduction)


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
            raise ValueError(f"var is of incorrect size: {_size(var)} for an input of size {_size(input)}")
    check_reduction(reduction)
    floor = np.maximum(array_of(var), array_of(var).dtype.type(eps)) - array_of(var)
    var = var + floor  # the gradient passes as if var had not been kept from 0, as in PyTorch
    loss = 0.5 * (e.log(var) + (input - target) ** 2 / var)
    return _reduce(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


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
    reduction = _mode(reduction, size_average, reduce)
    loss = e.exp(input) - target * input if log_input else input - target * e.log(input + eps)
    if full:
        stirling = target * e.log(target) - target + 0.5 * e.log(2 * math.pi * target)
        loss = loss + masked_fill(stirling, target <= 1, 0)
    return _reduce(loss, reduction)


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

    Raises ValueError if the sizes differ, RuntimeError if a p is outside [0, 1] or the types differ.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html
    """
    reduction = _mode(reduction, size_average, reduce)
    x, t = array_of(input), array_of(target)
    if x.shape != t.shape:
        raise ValueError(
            f"Using a target size ({_size(target)}) that is different to the input size ({_size(input)}) is deprecated. "
            f"Please ensure they have the same size."
        )
    if x.dtype != t.dtype:
        raise RuntimeError(
            f"Found dtype {t.dtype} but expected {x.dtype}: convert the target, as in target.to(input.dtype)"
        )
    if weight is not None:
        _constant("weight", weight)
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
    reduction = _mode(reduction, size_average, reduce)
    x, t = array_of(input), array_of(target)
    if x.shape != t.shape:
        raise ValueError(f"Target size ({_size(target)}) must be the same as input size ({_size(input)})")
    _constant("weight", weight)
    _constant("pos_weight", pos_weight)
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
    reduction = "sum" if batch else _mode(reduction, size_average, reduce)
    loss = e.exp(target) * (target - input) if log_target else e.xlogy(target, target) - target * input
    loss = _reduce(loss, reduction)
    return loss / array_of(input).shape[0] if batch and array_of(input).ndim else loss


# Classes


def _by_class(input: Any, target: Any, name: str) -> tuple[Any, Any]:
    """A batch of inputs and its class indices, checked."""
    x, t = array_of(input), array_of(target)
    if t.dtype not in (np.int64, np.uint8):
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {t.dtype}: class indices are made by .long()"
        )
    if x.ndim == 0:
        raise RuntimeError(
            f"{name}: input tensor should be of shape (classes,), (batch, classes) or (batch, classes, ...)"
        )
    if x.ndim == 1:
        if t.ndim > 1 or t.size != 1:
            raise ValueError(
                f"Expected one class index for an input of size {_size(input)}, got a target of {_size(target)}"
            )
        return reshape(input, (1, -1)), reshape(target, (1,))
    if t.shape[:1] != x.shape[:1]:
        raise ValueError(
            f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({(t.shape or (0,))[0]})."
        )
    if x.shape[2:] != t.shape[1:]:
        if x.ndim == 2:
            raise RuntimeError(
                "0D or 1D target tensor expected, multi-target not supported: give one class index per row"
            )
        raise RuntimeError(f"{name}: an input of size {_size(input)} needs a target of {[x.shape[0], *x.shape[2:]]}")
    return input, target


def _class_weight(weight: Any, classes: int) -> None:
    _constant("weight", weight)
    if weight is not None and array_of(weight).shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all or no classes: {classes} classes, weight of {_size(weight)}"
        )


def _indexed(primitive: Any, input: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
    single = array_of(input).ndim == 1
    x, t = _by_class(input, target, primitive.__name__)
    _class_weight(weight, array_of(x).shape[1])
    loss = primitive(x, t, weight, ignore_index, reduction)
    return reshape(loss, ()) if single and reduction == "none" else loss


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """``-weight_c input_c`` with c the target class; input are log-probabilities ``(N, C, *)``, target ``(N, *)``.

    "mean" divides by the weights of the targets. Raises IndexError for a target that is no class.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html
    """
    return _indexed(core.nll_loss, input, target, weight, ignore_index, _mode(reduction, size_average, reduce))


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """``-sum_c weight_c t_c log softmax(input)_c`` in nats, of logits ``(N, C, *)``.

    The target is class indices ``(N, *)``, or probabilities of the shape of input. ``label_smoothing`` mixes the target
    with the uniform distribution. "mean" divides by the weights of the target classes, or by N for probabilities.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
    """
    reduction = _mode(reduction, size_average, reduce)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    x, t = array_of(input), array_of(target)
    if x.shape == t.shape and t.dtype.kind == "f":
        return _to_distribution(input, target, weight, reduction, label_smoothing)
    if label_smoothing == 0:
        return _indexed(core.cross_entropy, input, target, weight, ignore_index, reduction)
    return _smoothed(input, target, weight, ignore_index, reduction, label_smoothing)


def _rows(weight: Any, ndim: int) -> Any:
    """Class weights shaped to broadcast over ``(N, C, *)``, or over ``(C,)``."""
    return weight if ndim == 1 else reshape(weight, (1, -1) + (1,) * (ndim - 2))


def _to_distribution(input: Any, target: Any, weight: Any, reduction: str, smoothing: float) -> Any:
    shape = array_of(input).shape
    axis = min(1, len(shape) - 1)
    _class_weight(weight, shape[axis])
    if smoothing:
        target = target * (1 - smoothing) + smoothing / shape[axis]
    terms = log_softmax(input, axis) * target
    if weight is not None:
        terms = terms * _rows(weight, len(shape))
    if reduction == "none":
        return -terms.sum(axis)
    return -terms.sum() if reduction == "sum" else -terms.sum() / max(math.prod(shape) // shape[axis], 1)


def _smoothed(input: Any, target: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float) -> Any:
    """``(1 - s) l_c + s / C sum_k l_k``, ``l_k`` being the loss had k been the target."""
    logits = array_of(input)
    classes = logits.shape[min(1, logits.ndim - 1)]
    logp = log_softmax(input, min(1, logits.ndim - 1))
    nll = _indexed(core.nll_loss, logp, target, weight, ignore_index, reduction)
    every = -(logp if weight is None else logp * _rows(weight, logits.ndim)).sum(min(1, logits.ndim - 1))
    t = array_of(target).reshape(array_of(every).shape)
    ignored = t == ignore_index
    every = masked_fill(every, ignored, 0.0)
    if reduction == "mean":
        w = ~ignored if weight is None else array_of(weight)[np.where(ignored, 0, t)] * ~ignored
        every = every.sum() / float(w.sum())
    else:
        every = _reduce(every, reduction)
    return nll * (1 - smoothing) + every * (smoothing / classes)
