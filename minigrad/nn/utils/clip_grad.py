"""Limit the size of gradients before a step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.grad_mode import mode
from minigrad.mutation import touch
from minigrad.tensor import Tensor


def _list(parameters: Any) -> list[Tensor]:
    found = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    if mode.capture is not None:
        mode.capture.enter([*found, *(t.grad for t in found)])
    return found


def get_total_norm(
    tensors: Iterable[Tensor] | Tensor,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The ``norm_type`` norm of all elements of the tensors together.

    Raises RuntimeError if it is nan or infinite and ``error_if_nonfinite``.
    """
    order = float(norm_type)
    arrays = [t.array for t in _list(tensors)]
    norms = np.stack(
        [np.linalg.norm(a.reshape(-1), order) if a.size else 0.0 for a in arrays or [np.zeros(1, np.float32)]]
    )
    kind = arrays[0].dtype if arrays else np.dtype(np.float32)
    total = np.linalg.norm(norms, order)
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {order} for gradients from `parameters` is non-finite, so it cannot be clipped. To "
            f"disable this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return Tensor.wrap(np.asanyarray(total.astype(kind, copy=False)))


def clip_grads_with_norm_(
    parameters: Iterable[Tensor] | Tensor, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale the gradients, in place, by ``max_norm / total_norm`` if that is below 1."""
    factor = np.minimum(float(max_norm) / (total_norm.array + total_norm.array.dtype.type(1e-6)), 1.0)
    for p in _list(parameters):
        if p.grad is not None:
            p.grad.array *= factor.astype(p.grad.array.dtype)
            touch(p.grad, "clip_grad_norm_")


def clip_grad_norm_(
    parameters: Iterable[Tensor] | Tensor,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients together, in place, so that their norm is at most ``max_norm``; returns the norm before.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
    """
    found = _list(parameters)
    total = get_total_norm([p.grad for p in found if p.grad is not None], norm_type, error_if_nonfinite)
    clip_grads_with_norm_(found, max_norm, total)
    return total


def clip_grad_value_(parameters: Iterable[Tensor] | Tensor, clip_value: float, foreach: bool | None = None) -> None:
    """Limit each element of the gradients, in place, to [-clip_value, clip_value].

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html
    """
    bound = float(clip_value)
    for p in _list(parameters):
        if p.grad is not None:
            np.clip(p.grad.array, -bound, bound, out=p.grad.array)
            touch(p.grad, "clip_grad_value_")
