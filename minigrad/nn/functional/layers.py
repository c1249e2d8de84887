"""The functions behind the layers: linear maps, normalisation, dropout, lookup and padding."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minigrad.engine import define
from minigrad.generator import default_generator
from minigrad.grad_mode import mode
from minigrad.mutation import change, touch
from minigrad.ops import kinks as k
from minigrad.ops.dims import along, array_of, laid_like
from minigrad.ops.index import _put_add
from minigrad.ops.loss import linear
from minigrad.ops.normalization import batch_standardized, rescaled, standardized
from minigrad.ops.reduce import sum
from minigrad.ops.shape import broadcast_shapes, broadcast_to, reshape
from minigrad.ops.statistics import norm

__all__ = [
    "alpha_dropout",
    "batch_norm",
    "cosine_similarity",
    "dropout",
    "embedding",
    "layer_norm",
    "linear",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
]


def _kept(p: float) -> Callable[[tuple[int, ...]], np.ndarray]:
    return lambda shape: default_generator.bernoulli(1 - p, shape)


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training, each element becomes 0 with probability ``p``, else is divided by ``1 - p``; else the input itself.

    Raises ValueError unless 0 <= p <= 1.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    x = array_of(input)
    if not training or p == 0 or not x.size:
        return input
    if p == 1:
        mask = np.zeros_like(x)
    else:
        mask = laid_like(x, _kept(p)).astype(x.dtype, copy=False)
        mask /= x.dtype.type(1 - p)
    return change(input, input * mask, "dropout_") if inplace else input * mask


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` over the last dimensions, whose shape is ``normalized_shape``.

    The variance is the biased one. Raises RuntimeError if the shapes do not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html
    """
    shape, x = tuple(normalized_shape), array_of(input)
    if not shape or x.shape[-len(shape) :] != shape or len(shape) > x.ndim:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*, {', '.join(map(str, shape))}], but got input "
            f"of size{list(x.shape)}"
        )
    for name, part in (("weight", weight), ("bias", bias)):
        if part is not None and array_of(part).shape != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(array_of(part).shape)} and normalized_shape = {list(shape)}"
            )
    return standardized(input, weight, bias, tuple(range(x.ndim - len(shape), x.ndim)), eps)


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel (dimension 1) standardized over the batch; outside training, by the running mean and variance.

    In training the running values move by ``momentum`` towards the batch's, the variance unbiased.
    Raises ValueError in training for a single value per channel.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html
    """
    x = array_of(input)
    axes = tuple(i for i in range(x.ndim) if i != 1)
    n, row = x.size // x.shape[1] if x.shape[1] else 0, (1, -1) + (1,) * (x.ndim - 2)
    weight, bias = (None if p is None else reshape(p, row) for p in (weight, bias))
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError("Expected running_mean and running_var to be defined when training=False")
        scale = 1 / np.sqrt(array_of(running_var) + array_of(running_var).dtype.type(eps))
        return rescaled(input, weight, bias, array_of(running_mean).reshape(row), scale.reshape(row))
    if n == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size torch.Size({list(x.shape)}): use a larger "
            f"batch, or eval()"
        )
    if running_mean is not None:
        mode.quietly(_move, running_mean, np.mean, x, axes, momentum)
    if running_var is not None:
        mode.quietly(_move, running_var, partial(np.var, ddof=1), x, axes, momentum)
    return batch_standardized(input, weight, bias, axes, eps)


def _move(running: Any, statistic: Any, x: np.ndarray, axes: tuple[int, ...], momentum: Any) -> None:
    if mode.capture is not None:
        mode.capture.enter((running,))
    rest, own = 1 - momentum, running.array.dtype
    if isinstance(momentum, np.ndarray):  # calculated in the step: rounded as a Python number would be
        rest, momentum = rest.astype(own), momentum.astype(own)
    running.array *= rest
    running.array += momentum * statistic(x, axis=axes)
    touch(running, "batch_norm")


def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Any = None) -> Any:
    """``x / max(|x|_p, eps)`` along ``dim``."""
    if out is not None:
        raise NotImplementedError("normalize(out=...): minigrad has no out arguments; assign the result")
    return input / k.clamp(norm(input, p, dim, True), eps)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """``x1 . x2 / (max(|x1|, eps) max(|x2|, eps))`` along ``dim``."""
    shape = broadcast_shapes(array_of(x1).shape, array_of(x2).shape)
    a, b = (x if array_of(x).shape == shape else broadcast_to(x, shape) for x in (x1, x2))
    a, b = (x / k.clamp(norm(x, 2, dim, True), eps) for x in (a, b))
    return sum(a * b, dim)


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """``|x1 - x2 + eps|_p`` along the last dimension."""
    return norm(x1 - x2 + eps, p, -1, keepdim)


# Lookup


@define("EmbeddingBackward0")
def _lookup(x: Any, index: Any, padding_idx: int) -> Any:
    return x[index]


def _lookup_x(g: Any, x_shape: Any, index: Any, padding_idx: int) -> Any:
    at = array_of(index)
    if padding_idx >= 0:
        g = g * (at != padding_idx)[..., None].astype(array_of(g).dtype)  # the padding learns nothing
    return _put_add(g, (at,), x_shape)


_lookup.vjp(x=_lookup_x)


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of ``weight`` that ``input`` names: shape ``(*, dim)`` for indices ``(*)``. ``padding_idx`` gets no gradient.

    Raises IndexError for an index that names no row.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html
    """
    if scale_grad_by_freq or sparse:
        raise NotImplementedError(
            "embedding: minigrad has neither scale_grad_by_freq nor sparse gradients; leave them out"
        )
    at, rows = array_of(input), array_of(weight).shape[0]
    if at.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"Expected tensor for argument 'indices' to be Long or Int, but got {at.dtype}: use .long()")
    if at.size and (at.min() < 0 or at.max() >= rows):
        raise IndexError(
            f"index out of range in self: indices are between 0 and {rows - 1}, got {at.min()} to {at.max()}"
        )
    if padding_idx is None:
        padding = -1
    elif -rows <= padding_idx < rows:
        padding = padding_idx % rows
    else:
        raise AssertionError(f"Padding_idx must be within num_embeddings: got {padding_idx} for {rows} rows")
    if max_norm is not None:
        _renormalize(weight, np.unique(at), max_norm, norm_type)
    return _lookup(weight, input, padding)


def _renormalize(weight: Any, rows: np.ndarray, max_norm: float, norm_type: float) -> None:
    """Shorten, in place, the named rows that are longer than ``max_norm``."""
    if mode.capture is not None:
        mode.capture.enter((weight,))
    length = np.linalg.norm(weight.array[rows], norm_type, axis=1)
    long = length > max_norm
    weight.array[rows[long]] *= (max_norm / (length[long] + 1e-7))[:, None].astype(weight.array.dtype)
    touch(weight, "embedding(max_norm)")


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """1 at the place that each index names, else 0, along a new last dimension of ``num_classes`` (-1: as many as needed).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.one_hot.html
    """
    x = array_of(tensor)
    if x.dtype != np.int64:
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type LongTensor, got {x.dtype}: convert with .long()"
        )
    if x.size == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if x.size and x.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes == -1:
        num_classes = int(x.max()) + 1
    elif num_classes < 1:
        raise RuntimeError("num_classes should be positive")
    if x.size and x.max() >= num_classes:
        raise RuntimeError(f"Class values must be smaller than num_classes: the largest is {x.max()} of {num_classes}")
    return tensor.wrap((x[..., None] == np.arange(num_classes)).astype(np.int64))


# Padding


@define("ConstantPadNdBackward0")
def _pad(x: Any, widths: tuple[tuple[int, int], ...], value: float) -> Any:
    inner = x[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape, widths, strict=True))]
    return np.pad(inner, [(max(a, 0), max(b, 0)) for a, b in widths], constant_values=value)


_pad.vjp(x=lambda g, widths: _pad(g, tuple((-a, -b) for a, b in widths), 0.0))


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """``value`` (0) around the input: ``pad`` is (before, after) of the last dimension, then of the one before it, ...

    A negative width cuts off. The modes "reflect", "replicate" and "circular" repeat the input instead.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html
    """
    x, widths = array_of(input), tuple(int(n) for n in pad)
    if len(widths) % 2:
        raise RuntimeError(
            f"Padding length must be divisible by 2: one (before, after) per dimension, got {len(widths)}"
        )
    if len(widths) // 2 > x.ndim:
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension: {len(widths)} > 2 * {x.ndim}"
        )
    pairs = [(widths[2 * i], widths[2 * i + 1]) for i in range(len(widths) // 2)]
    full = ((0, 0),) * (x.ndim - len(pairs)) + tuple(reversed(pairs))
    for n, (a, b) in zip(x.shape, full, strict=True):
        if n + a + b < 0:
            raise RuntimeError(
                f"narrow(): the padding {list(widths)} cuts more off than the input of size {list(x.shape)} has"
            )
    if mode == "constant":
        return _pad(input, full, 0.0 if value is None else value)
    kinds = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    if mode not in kinds:
        raise NotImplementedError(
            f"Unrecognised padding mode {mode}: use 'constant', 'reflect', 'replicate' or 'circular'"
        )
    if value is not None:
        raise ValueError(f'Padding mode "{mode}" doesn\'t take in value argument')
    for axis, (n, (a, b)) in enumerate(zip(x.shape, full, strict=True)):
        if (a, b) != (0, 0):
            if max(a, b) >= (n if mode == "reflect" else n + 1) and mode != "replicate":
                raise RuntimeError(
                    f"Padding size should be less than the corresponding input dimension: {(a, b)} for size {n}"
                )
            places = np.pad(np.arange(n), (a, b), mode=kinds[mode])  # type: ignore[call-overload]  # a mode by name
            input = input[along(axis, places)]
    return input


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Dropout for ``selu``: dropped elements take its negative limit, then mean and variance are restored."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    x = array_of(input)
    if not training or p == 0 or not x.size:
        return input
    limit = -1.7580993408473766  # -scale * alpha of selu
    kept = np.zeros_like(x) if p == 1 else laid_like(x, _kept(p)).astype(x.dtype, copy=False)
    a = 0.0 if p == 1 else 1 / math.sqrt((1 - p) * (1 + p * limit * limit))
    result = input * (kept * x.dtype.type(a)) + ((1 - kept) * (a * limit) + a * p * -limit).astype(x.dtype)
    return change(input, result, "alpha_dropout_") if inplace else result
