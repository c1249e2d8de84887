"""Adam: steps of the gradient's running mean over the root of its running mean square."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.optim.optimizer import (
    Optimizer,
    check_at_least_zero,
    check_lr,
    check_plain,
    step_count,
    zeros_like,
)
from minigrad.optim.workspace import lerp
from minigrad.tensor import Tensor


class Adam(Optimizer):
    """Adaptive moment estimation.

    ``g = grad + weight_decay * x``, ``m = m + (1 - beta1) * (g - m)``, ``v = beta2 * v + (1 - beta2) * g**2``, and at step t
    ``x = x - lr / (1 - beta1**t) * m / (sqrt(v) / sqrt(1 - beta2**t) + eps)``. ``amsgrad`` takes the largest ``v`` so far;
    ``decoupled_weight_decay`` leaves ``g`` alone and first shrinks ``x`` by ``lr * weight_decay`` (AdamW); ``maximize`` starts
    from ``-grad``.

    Raises: ValueError for options out of range.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html; Kingma and Ba 2015, algorithm 1; Reddi et
    al. 2018, On the convergence of Adam and beyond (amsgrad).
    """

    scratch = 3

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_lr(lr)
        check_at_least_zero("epsilon value", eps)
        for i in range(2):
            if isinstance(betas[i], Tensor):
                raise NotImplementedError(f"betas[{i}] is a tensor: give Python floats, such as betas=(0.9, 0.999)")
            if not 0.0 <= betas[i] < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {betas[i]}")
        check_at_least_zero("weight_decay value", weight_decay)
        if not all(isinstance(beta, float) for beta in betas):
            raise ValueError(f"betas must be either both floats or both Tensors, got {betas}")
        check_plain(
            type(self).__name__, foreach=foreach, capturable=capturable, differentiable=differentiable, fused=fused
        )
        defaults = {
            "lr": lr,
            "betas": tuple(betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _state(self, group: dict[str, Any]) -> dict[str, Callable[[Tensor], Tensor]]:
        makers: dict[str, Callable[[Tensor], Tensor]] = {
            "step": step_count,
            "exp_avg": zeros_like,
            "exp_avg_sq": zeros_like,
        }
        return {**makers, "max_exp_avg_sq": zeros_like} if group["amsgrad"] else makers

    def _factors(self, group: dict[str, Any], t: float) -> tuple[float, ...]:
        (beta1, beta2), lr, decay = group["betas"], float(group["lr"]), group["weight_decay"]
        # With r = sqrt(1 - beta2**t), m / (sqrt(v) / r + eps) is written r * m / (sqrt(v) + r * eps): one pass less.
        root = (1 - beta2**t) ** 0.5
        rate, eps = -lr / (1 - beta1**t) * root, group["eps"] * root
        shrink = 1 - lr * decay if group["decoupled_weight_decay"] else decay
        return rate, eps, beta1, 1 - beta1, beta2, 1 - beta2, shrink

    def _formula(
        self, group: dict[str, Any], first: bool, g: np.ndarray, factors: Sequence[np.ndarray], *arrays: np.ndarray
    ) -> None:
        rate, eps, beta1, fresh1, beta2, fresh2, decay = factors
        x, m, v, *top, s, r, h = arrays
        if group["maximize"]:
            g = np.negative(g, h)
        if group["weight_decay"] != 0:
            if group["decoupled_weight_decay"]:
                np.multiply(x, decay, x)
            else:
                g = np.add(g, np.multiply(x, decay, s), h)
        lerp(m, g, fresh1, beta1, s)
        np.multiply(v, beta2, v)
        np.multiply(g, fresh2, s)
        np.multiply(s, g, s)
        np.add(v, s, v)
        if top:
            v = np.maximum(top[0], v, out=top[0])
        np.sqrt(v, s)
        np.add(s, eps, s)
        np.multiply(m, rate, r)
        np.divide(r, s, r)
        np.add(x, r, x)
