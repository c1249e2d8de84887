"""Losses over classes: how far log-probabilities or logits ``(N, C, *)`` are from the right class of each of N.

The cores with their rules are in ``minigrad/ops/loss.py``; here are PyTorch's arguments, checks and the rarer cases.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.nn.functional.reduction import constant, reduced, reduction_of, size_text
from minigrad.ops import loss as core
from minigrad.ops.dims import array_of
from minigrad.ops.index import masked_fill
from minigrad.ops.shape import reshape
from minigrad.ops.softmax import log_softmax

__all__ = ["cross_entropy", "nll_loss"]


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
                f"Expected one class index for an input of size {size_text(input)}, got a target of {size_text(target)}"
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
        raise RuntimeError(
            f"{name}: an input of size {size_text(input)} needs a target of {[x.shape[0], *x.shape[2:]]}"
        )
    return input, target


def _class_weight(weight: Any, classes: int) -> None:
    constant("weight", weight)
    if weight is not None and array_of(weight).shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all or no classes: {classes} classes, weight of {size_text(weight)}"
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
    return _indexed(core.nll_loss, input, target, weight, ignore_index, reduction_of(reduction, size_average, reduce))


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
    reduction = reduction_of(reduction, size_average, reduce)
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
        every = reduced(every, reduction)
    return nll * (1 - smoothing) + every * (smoothing / classes)
