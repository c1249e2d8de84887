"""The linear layer and the losses: operations fused because one rule for the whole is faster or more stable than many.

A loss of elements ``l_i`` ends in a reduction: "none" keeps ``l``, "sum" adds it up, "mean" divides by the count n.
For the rules that is only a factor: dL/dl_i is g_i, g or g / n, which ``_per_element`` gives. Every slope below is a
primitive of its own, so that its forward may reuse buffers and its rule makes the second derivative.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import bound, constant, promote
from minigrad.engine import Primitive, define
from minigrad.ops.activation import sigmoid
from minigrad.ops.choosing import where
from minigrad.ops.dims import array_of
from minigrad.ops.exponential import exp, log
from minigrad.ops.kinks import sign
from minigrad.ops.linalg import _mm, matmul
from minigrad.ops.shape import _t, reshape, unsqueeze
from minigrad.ops.softmax import _softmax

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "gaussian_kl",
    "huber_loss",
    "linear",
    "mse_loss",
    "nll_loss",
    "smooth_l1_loss",
]

# The linear layer


@define("AddmmBackward0")
def _addmm(x: Any, weight: Any, bias: Any) -> Any:
    y = np.dot(x, weight.T)
    return np.add(y, bias, y)


# y_no = sum_i x_ni w_oi + b_o, so dx_ni = sum_o g_no w_oi, dw_oi = sum_n g_no x_ni, db_o = sum_n g_no
_addmm.vjp(
    x=lambda g, weight: _mm(g, weight),
    weight=lambda g, x: _mm(g.T, x),
    bias=lambda g: g.sum(0),
)


@define("ViewBackward0")
def _addmv(x: Any, weight: Any, bias: Any) -> Any:
    y = np.matmul(weight, x)
    y += bias
    return y


# the same for a single x: y_o = sum_i w_oi x_i + b_o
_addmv.vjp(
    x=lambda g, weight: matmul(g, weight),
    weight=lambda g, x: reshape(g, (-1, 1)) * x,
    bias=lambda g: g,
)


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """``y = x W^T + b``: x is ``(*, in_features)``, W ``(out_features, in_features)``, b ``(out_features,)``.

    Raises RuntimeError if the sizes do not fit or the types differ.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear.html
    """
    x, w = array_of(input), array_of(weight)
    if w.ndim != 2 or not x.ndim or x.shape[-1] != w.shape[1] or x.dtype != w.dtype:
        return _unusual(input, weight, bias)
    if bias is None:
        return matmul(input, _t(weight))
    b = array_of(bias)
    if b.shape != w.shape[:1] or b.dtype != w.dtype:
        return matmul(input, _t(weight)) + bias
    if x.ndim == 2:
        return _addmm(input, weight, bias)
    if x.ndim == 1:
        return _addmv(input, weight, bias)
    rows = _addmm(reshape(input, (math.prod(x.shape[:-1]), x.shape[-1])), weight, bias)
    return reshape(rows, (*x.shape[:-1], w.shape[0]))


def _unusual(input: Any, weight: Any, bias: Any) -> Any:
    """A vector as weight; every other case is a mistake that is explained."""
    x, w = array_of(input), array_of(weight)
    if x.dtype != w.dtype:
        raise RuntimeError(
            f"mat1 and mat2 must have the same dtype, but got {x.dtype} and {w.dtype}: convert the input of linear, "
            f"or the layer"
        )
    if w.ndim == 1 and x.ndim and x.shape[-1] == w.shape[0] and bias is None:
        return matmul(input, weight)
    if w.ndim != 2 or not x.ndim:
        raise RuntimeError(
            f"linear needs an input of shape (*, in_features) and a weight of shape (out_features, in_features), got "
            f"{list(x.shape)} and {list(w.shape)}"
        )
    raise RuntimeError(
        f"mat1 and mat2 shapes cannot be multiplied "
        f"({math.prod(x.shape[:-1])}x{x.shape[-1]} and {w.shape[1]}x{w.shape[0]}): "
        f"this layer takes {w.shape[1]} features in the last dimension of its input, whose shape is {list(x.shape)}"
    )


# Reductions


def check_reduction(reduction: str) -> None:
    """Raises ValueError unless ``reduction`` is "none", "mean" or "sum"."""
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction: use 'none', 'mean' or 'sum'")


def _reduced(loss: np.ndarray, reduction: str) -> Any:
    if reduction == "none":
        return loss
    total = np.add.reduce(loss, axis=None)
    return total if reduction == "sum" else total / loss.size


def _per_element(g: Any, reduction: str, size: int) -> Any:
    """dL/dl_i, shaped to broadcast over the elements."""
    return g / size if reduction == "mean" and size else g


def _size(*shapes: Any) -> int:
    return math.prod(np.broadcast_shapes(*(tuple(s) for s in shapes)))


# Squared error: l = (x - t)^2, dl/dx = 2 (x - t) = -dl/dt


@define("MseLossBackward0")
def mse_loss(x: Any, target: Any, reduction: str = "mean") -> Any:
    loss = np.subtract(*promote(x, target))
    return _reduced(np.multiply(loss, loss, out=loss if loss.ndim else None), reduction)


def _mse_x(g: Any, x: Any, target: Any, reduction: str) -> Any:
    n = _size(x.shape, target.shape) if reduction == "mean" else 1
    return (g * (2 / n) if n else g) * (x - target)


mse_loss.vjp(x=_mse_x, target=lambda g, target, x, reduction: _mse_x(g, target, x, reduction))


# With d = |x - t|: smooth L1 is d^2 / (2 beta) below beta and d - beta / 2 above; Huber is beta times that


def _bent(x: Any, target: Any, beta: float) -> Any:
    d = np.absolute(np.subtract(*promote(x, target)))
    return np.where(d < beta, d * d * (0.5 / beta if beta else 0.0), d - 0.5 * beta)


def _bend(x: Any, target: Any, beta: float) -> Any:
    """The slope of ``_bent``: d / beta between -beta and beta, the sign of d outside."""
    d = x - target
    return where((d < beta) & (d > -beta), d / beta, sign(d)) if beta else sign(d)


@define("SmoothL1LossBackward0")
def smooth_l1_loss(x: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    return _reduced(_bent(x, target, beta), reduction)


@define("HuberLossBackward0")
def huber_loss(x: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    return _reduced(_bent(x, target, delta) * delta, reduction)


def _smooth_x(g: Any, x: Any, target: Any, reduction: str, beta: float) -> Any:
    return _per_element(g, reduction, _size(x.shape, target.shape)) * _bend(x, target, beta)


def _huber_x(g: Any, x: Any, target: Any, reduction: str, delta: float) -> Any:
    return _smooth_x(g, x, target, reduction, delta) * delta


smooth_l1_loss.vjp(x=_smooth_x, target=lambda g, target, x, reduction, beta: _smooth_x(g, target, x, reduction, beta))
huber_loss.vjp(x=_huber_x, target=lambda g, target, x, reduction, delta: _huber_x(g, target, x, reduction, delta))


# Binary cross entropy of probabilities: l = -(t log p + (1 - t) log(1 - p))


@Primitive
def binary_cross_entropy(x: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    least = bound(-100, x)  # what the logarithm of 0 is taken as, so that the loss stays finite
    loss, part = np.negative(x, np.empty_like(x)), np.log(x, np.empty_like(x))
    np.maximum(np.log1p(loss, loss), least, out=loss)  # log(1 - p)
    np.subtract(loss, np.maximum(part, least, out=part), part)
    loss = np.subtract(np.multiply(part, target, part), loss, part)  # t (log(1 - p) - log p) - log(1 - p)
    total = _reduced(loss if weight is None else loss * weight, reduction)
    check = total if reduction != "none" else np.add.reduce(loss, axis=None)
    if check != check:  # a logarithm of less than 0 is nan: looking here spares two passes over x
        _check_probabilities(x, "input", "sigmoid's output, or pass logits to binary_cross_entropy_with_logits")
    _check_probabilities(target, "target", "pixels of 0 to 255 divided by 255, for example")
    return total


# The bits of 1.0. Read as integers without sign, the bits of a float grow with it, and a negative number's exceed all.
_ONE = {2: (np.uint16, 0x3C00), 4: (np.uint32, 0x3F800000), 8: (np.uint64, 0x3FF0000000000000)}


def _check_probabilities(x: Any, name: str, such_as: str) -> None:
    kind, one = _ONE[x.itemsize]
    if not x.size or np.maximum.reduce(x.view(kind), None) <= one:
        return  # the usual case in one pass
    least, most = np.minimum.reduce(x, axis=None, initial=0), np.maximum.reduce(x, axis=None, initial=1)
    if not (least >= 0 and most <= 1):
        raise RuntimeError(
            f"all elements of {name} should be between 0 and 1, and they lie between {x.min()} and {x.max()}: pass "
            f"probabilities ({such_as})"
        )


def _buffer(x: Any) -> Any:
    return x if isinstance(x, np.ndarray) else None  # an operation on a 0-d array gives a scalar


@define("BinaryCrossEntropyBackwardBackward0")
def _bce_slope(x: Any, target: Any, scale: Any) -> Any:
    # dl/dp = -t/p + (1 - t)/(1 - p) = (p - t) / (p (1 - p)), the denominator kept from 0
    low, slope = np.subtract(constant(1, x.dtype), x, np.empty_like(x)), np.subtract(x, target, np.empty_like(x))
    np.maximum(np.multiply(low, x, low), bound(1e-12, x), out=low)
    return np.multiply(np.divide(slope, low, slope), scale, slope)


def _spread(x: Any) -> Any:
    """``p (1 - p)``, kept from 0 as in the slope."""
    d = x * (1 - x)
    return where(d < 1e-12, 1e-12, d)


# with D = p (1 - p): d/dp (p - t)/D = (D - (p - t)(1 - 2p)) / D^2 = (p^2 - 2 p t + t) / D^2, where
# PyTorch keeps D from 0 by adding to it
_bce_slope.vjp(
    x=lambda g, x, target, scale: g * scale * (x * x - 2 * x * target + target) / (x * (1 - x) + 1e-12) ** 2,
    target=lambda g, x, scale: -g * scale / _spread(x),
    scale=lambda g, x, target: g * (x - target) / _spread(x),
)


def _scale(g: Any, x: Any, weight: Any, reduction: str) -> Any:
    g = _per_element(g, reduction, math.prod(x.shape))
    return g if weight is None else g * weight


binary_cross_entropy.vjp(
    x=lambda g, x, target, weight, reduction: _bce_slope(x, target, _scale(g, x, weight, reduction)),
    target=lambda g, x, weight, reduction: _scale(g, x, weight, reduction) * (log(1 - x) - log(x)),
)


# The same of logits, p = s(x): -log p = softplus(-x), -log(1 - p) = x + softplus(-x), so with positives weighted by w
# l = (1 - t) x + (1 + (w - 1) t) softplus(-x), where softplus(-x) = max(-x, 0) + log(1 + e^-|x|) cannot overflow


@Primitive
def _softplus_minus(x: Any) -> Any:
    tail = np.absolute(x)
    tail = np.negative(tail, out=_buffer(tail))
    tail = np.exp(tail, out=_buffer(tail))
    tail = np.log1p(tail, out=_buffer(tail))
    return np.subtract(tail, np.minimum(x, x.dtype.type(0)), out=_buffer(tail))


_softplus_minus.vjp(x=lambda g, x: -g * sigmoid(-x))


@Primitive
def binary_cross_entropy_with_logits(
    x: Any, target: Any, weight: Any = None, pos_weight: Any = None, reduction: str = "mean"
) -> Any:
    x, target = promote(x, target)
    loss = _softplus_minus.forward(x)
    if pos_weight is not None:
        loss = loss * (1 + (pos_weight - 1) * target)
    part = np.subtract(1, target)
    part = np.multiply(part, x, out=_buffer(part))
    loss = np.add(loss, part, out=_buffer(loss))
    return _reduced(loss if weight is None else loss * weight, reduction)


def _logits_x(g: Any, x: Any, target: Any, weight: Any, pos_weight: Any, reduction: str) -> Any:
    # (1 - t) - (1 + (w - 1) t) (1 - p) = (1 + (w - 1) t) p - w t
    g, p = _scale(g, x, weight, reduction), sigmoid(x)
    return g * (p - target if pos_weight is None else (1 + (pos_weight - 1) * target) * p - pos_weight * target)


def _logits_target(g: Any, x: Any, weight: Any, pos_weight: Any, reduction: str) -> Any:
    g = _scale(g, x, weight, reduction)
    return -g * x if pos_weight is None else g * ((pos_weight - 1) * _softplus_minus(x) - x)


binary_cross_entropy_with_logits.vjp(x=_logits_x, target=_logits_target)


# Classes: l_n = -w_c log softmax(x_n)_c with c = target_n, 0 where c is ignored; "mean" divides by the sum of the w_c


def _classes(x: Any, target: Any, weight: Any, ignore_index: int) -> tuple[tuple[np.ndarray, ...], np.ndarray, Any]:
    """Where in ``x`` the logit of each target is, its weight, and whether it counts (None: all do)."""
    wanted, kept = array_of(target), None
    if ignore_index >= 0 or (wanted.size and wanted.min() < 0):
        kept = wanted != ignore_index
        wanted = np.where(kept, wanted, 0)
    n = x.shape[1]
    if wanted.size and (wanted.min() < 0 or wanted.max() >= n):
        wrong = wanted.min() if wanted.min() < 0 else wanted.max()
        raise IndexError(f"Target {wrong} is out of bounds: with {n} classes a target is between 0 and {n - 1}")
    w = np.ones(wanted.shape, x.dtype) if weight is None else array_of(weight)[wanted]
    return _place(wanted), w if kept is None else w * kept, kept


def _place(classes: np.ndarray) -> tuple[np.ndarray, ...]:
    """The index of element ``[n, classes[n, ...], ...]``, for every n, ..."""
    if classes.ndim == 1:
        return np.arange(len(classes)), classes
    batch, *rest = np.ogrid[tuple(slice(n) for n in classes.shape)]
    return batch, classes, *rest


def _picked(x: np.ndarray, place: tuple[np.ndarray, ...], w: np.ndarray, kept: Any, reduction: str) -> Any:
    loss = -w * x[place]
    if kept is not None:
        loss = np.where(kept, loss, loss.dtype.type(0))  # also where the logit is infinite
    if reduction == "mean":
        return np.divide(np.add.reduce(loss, axis=None), np.add.reduce(w, axis=None))
    return _reduced(loss, reduction)


def _class_scale(g: Any, w: np.ndarray, kept: Any, reduction: str) -> Any:
    """dL/dl_n times the weight, with the axis of classes put back; 0 where ignored, even if all are and the loss is nan."""
    if reduction == "mean":
        w = w / np.add.reduce(w, axis=None)
        w = w if kept is None else np.where(kept, w, w.dtype.type(0))
    return unsqueeze(g * w, 1)


def _one_hot(place: tuple[np.ndarray, ...], x: Any) -> np.ndarray:
    hot = np.zeros(tuple(x.shape), array_of(x).dtype, like=array_of(x))
    hot[place] = 1
    return hot


@define("NllLossBackward0")
def nll_loss(x: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    return _picked(x, *_classes(x, target, weight, ignore_index), reduction)


def _nll_x(g: Any, x: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
    place, w, kept = _classes(x, target, weight, ignore_index)
    return -_class_scale(g, w, kept, reduction) * _one_hot(place, x)


nll_loss.vjp(x=_nll_x)


@define("NllLossBackward0")
def cross_entropy(x: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    place, w, kept = _classes(x, target, weight, ignore_index)
    shifted = x - np.maximum.reduce(x, axis=1, keepdims=True) if x.size else x
    return _picked(shifted - np.log(np.add.reduce(np.exp(shifted), axis=1, keepdims=True)), place, w, kept, reduction)


def _cross_entropy_x(g: Any, x: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
    # d/dx_j (log sum_k e^x_k - x_c) = softmax(x)_j - (1 if j is c else 0)
    place, w, kept = _classes(x, target, weight, ignore_index)
    return _class_scale(g, w, kept, reduction) * (_softmax(x, (1,)) - _one_hot(place, x))


cross_entropy.vjp(x=_cross_entropy_x)


# The divergence of a Gaussian with mean mu and variance e^v from the standard one


@Primitive
def gaussian_kl(mu: Any, logvar: Any) -> Any:
    """``KL(N(mu, e^logvar) || N(0, 1)) = -1/2 sum(1 + logvar - mu^2 - e^logvar)``, in nats, summed over all elements.

    Source: Kingma and Welling 2014, Auto-Encoding Variational Bayes, appendix B
    """
    part = np.exp(logvar)
    part = np.subtract(part, logvar, out=_buffer(part))
    part = part + mu * mu
    return 0.5 * (np.add.reduce(part, axis=None) - part.dtype.type(part.size))


gaussian_kl.vjp(mu=lambda g, mu: g * mu, logvar=lambda g, logvar: (g * 0.5) * (exp(logvar) - 1))
