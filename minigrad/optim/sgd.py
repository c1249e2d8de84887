"""Stochastic gradient descent, with momentum after Polyak or Nesterov."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.optim.optimizer import Optimizer, check_at_least_zero, check_lr, check_plain, zeros_like
from minigrad.tensor import Tensor


class SGD(Optimizer):
    """Stochastic gradient descent.

    ``g = grad + weight_decay * x``; with momentum ``b = momentum * b + (1 - dampening) * g`` (at first ``b = g``), and then
    ``g = g + momentum * b`` if ``nesterov``, else ``g = b``; last ``x = x - lr * g``. ``maximize`` starts from ``-grad``.

    Raises: ValueError for negative options, and for ``nesterov`` without momentum or with dampening.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html; Sutskever et al. 2013, On the importance of
    initialization and momentum in deep learning.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_at_least_zero("momentum value", momentum)
        check_at_least_zero("weight_decay value", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                "Nesterov momentum requires a momentum and zero dampening, got "
                f"momentum={momentum}, dampening={dampening}"
            )
        check_plain("SGD", foreach=foreach, differentiable=differentiable, fused=fused)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _state(self, group: dict[str, Any]) -> dict[str, Callable[[Tensor], Tensor]]:
        return {"momentum_buffer": zeros_like} if group["momentum"] != 0 else {}

    def _factors(self, group: dict[str, Any], t: float) -> tuple[float, ...]:
        momentum = group["momentum"]
        sign = -1.0 if group["maximize"] and momentum == 0 else 1.0  # a factor changes no rounding and costs no pass
        return -sign * float(group["lr"]), sign * float(group["weight_decay"]), momentum, 1 - group["dampening"]

    def _formula(
        self, group: dict[str, Any], first: bool, g: np.ndarray, factors: Sequence[np.ndarray], *arrays: np.ndarray
    ) -> None:
        rate, decay, momentum, fresh = factors
        x, *buffer, s, r = arrays
        if buffer and group["maximize"]:
            g = np.negative(g, s)
        if group["weight_decay"] != 0:
            g = np.add(g, np.multiply(x, decay, r), s)
        if buffer:
            (b,) = buffer
            if first:
                np.copyto(b, g)
            else:
                np.multiply(b, momentum, b)
                np.add(b, np.multiply(g, fresh, r), b)
            g = np.add(g, np.multiply(b, momentum, r), s) if group["nesterov"] else b
        np.add(x, np.multiply(g, rate, r), x)
