"""Stochastic gradient descent, with momentum after Polyak or Nesterov."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.optim.optimizer import Optimizer, check_at_least_zero, check_lr, check_plain
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

    def _update(self, p: Any, group: dict[str, Any]) -> None:
        decay, momentum = float(group["weight_decay"]), group["momentum"]
        if momentum != 0:
            self._update_with_momentum(p, group, decay, momentum)
            return
        plan = self._workspace.plan(p, group)
        sign = -1.0 if group["maximize"] else 1.0  # within the factors, where it changes no rounding
        rate, decay_ = plan.factors(-sign * float(group["lr"]), sign * decay)
        for g, (x, s, _) in zip(plan.cut(p.grad.array), plan.blocks, strict=True):
            if decay != 0:
                g = np.add(g, np.multiply(x, decay_, s), s)
            np.add(x, np.multiply(g, rate, s), x)

    def _update_with_momentum(self, p: Any, group: dict[str, Any], decay: float, momentum: float) -> None:
        state = self.state[p]
        first = state.get("momentum_buffer") is None
        if first:
            state["momentum_buffer"] = Tensor.wrap(np.empty(p.array.shape, p.array.dtype))
        plan = self._workspace.plan(p, group, state["momentum_buffer"].array)
        rate, decay_, mu, fresh = plan.factors(-float(group["lr"]), decay, momentum, 1 - group["dampening"])
        for g, (x, b, s, r) in zip(plan.cut(p.grad.array), plan.blocks, strict=True):
            if group["maximize"]:
                g = np.negative(g, s)
            if decay != 0:
                np.multiply(x, decay_, r)
                g = np.add(g, r, s)
            if first:
                np.copyto(b, g)
            else:
                np.multiply(b, mu, b)
                np.add(b, np.multiply(g, fresh, r), b)
            if group["nesterov"]:
                g = np.add(g, np.multiply(b, mu, r), s)
            else:
                g = b
            np.add(x, np.multiply(g, rate, r), x)
