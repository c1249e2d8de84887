"""Adagrad: steps of the gradient over the root of the sum of all its squares so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.optim.optimizer import Optimizer, check_at_least_zero, check_lr, check_plain, step_count
from minigrad.tensor import Tensor


class Adagrad(Optimizer):
    """Adaptive subgradient descent.

    ``g = grad + weight_decay * x``, ``v = v + g**2`` (at first ``initial_accumulator_value``), and at step t
    ``x = x - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(v) + eps)``. ``maximize`` starts from ``-grad``.

    Raises: ValueError for negative options.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Adagrad.html; Duchi, Hazan and Singer 2011.
    """

    scratch = 3

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_at_least_zero("lr_decay value", lr_decay)
        check_at_least_zero("weight_decay value", weight_decay)
        check_at_least_zero("initial_accumulator_value value", initial_accumulator_value)
        check_at_least_zero("epsilon value", eps)
        check_plain("Adagrad", foreach=foreach, differentiable=differentiable, fused=fused)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                self._start(p, group)

    def _state(self, group: dict[str, Any]) -> dict[str, Callable[[Tensor], Tensor]]:
        initial = self.defaults["initial_accumulator_value"]
        return {"step": step_count, "sum": lambda p: Tensor.wrap(np.full(p.array.shape, initial, p.array.dtype))}

    def _factors(self, group: dict[str, Any], t: float) -> tuple[float, ...]:
        return -float(group["lr"]) / (1 + (t - 1) * group["lr_decay"]), group["eps"], group["weight_decay"]

    def _formula(
        self, group: dict[str, Any], first: bool, g: np.ndarray, factors: Sequence[np.ndarray], *arrays: np.ndarray
    ) -> None:
        rate, eps, decay = factors
        x, v, s, r, h = arrays
        if group["maximize"]:
            g = np.negative(g, h)
        if group["weight_decay"] != 0:
            g = np.add(g, np.multiply(x, decay, s), h)
        np.add(v, np.multiply(g, g, s), v)
        np.sqrt(v, s)
        np.add(s, eps, s)
        np.multiply(g, rate, r)
        np.divide(r, s, r)
        np.add(x, r, x)
