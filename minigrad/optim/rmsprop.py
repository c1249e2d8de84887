"""RMSprop: steps of the gradient over the root of its running mean square."""

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


class RMSprop(Optimizer):
    """Root mean square propagation.

    ``g = grad + weight_decay * x``, ``v = alpha * v + (1 - alpha) * g**2``, ``d = sqrt(v) + eps``; if ``centered``,
    ``a = a + (1 - alpha) * (g - a)`` and ``d = sqrt(v - a**2) + eps``. Without momentum ``x = x - lr * g / d``; with it
    ``b = momentum * b + g / d`` and ``x = x - lr * b``. ``maximize`` starts from ``-grad``.

    Raises: ValueError for negative options.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html; Tieleman and Hinton 2012, lecture 6.5;
    Graves 2013, Generating sequences with recurrent neural networks (centered).
    """

    scratch = 3

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check_at_least_zero("epsilon value", eps)
        check_at_least_zero("momentum value", momentum)
        check_at_least_zero("weight_decay value", weight_decay)
        check_at_least_zero("alpha value", alpha)
        check_plain("RMSprop", capturable=capturable, foreach=foreach, differentiable=differentiable)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _state(self, group: dict[str, Any]) -> dict[str, Callable[[Tensor], Tensor]]:
        makers: dict[str, Callable[[Tensor], Tensor]] = {"step": step_count, "square_avg": zeros_like}
        if group["momentum"] > 0:
            makers["momentum_buffer"] = zeros_like
        return {**makers, "grad_avg": zeros_like} if group["centered"] else makers

    def _factors(self, group: dict[str, Any], t: float) -> tuple[float, ...]:
        alpha = group["alpha"]
        return -float(group["lr"]), alpha, 1 - alpha, group["eps"], group["momentum"], group["weight_decay"]

    def _formula(
        self, group: dict[str, Any], first: bool, g: np.ndarray, factors: Sequence[np.ndarray], *arrays: np.ndarray
    ) -> None:
        rate, alpha, fresh, eps, mu, decay = factors
        x, v, *more, s, r, h = arrays
        if group["maximize"]:
            g = np.negative(g, h)
        if group["weight_decay"] != 0:
            g = np.add(g, np.multiply(x, decay, s), h)
        np.multiply(v, alpha, v)
        np.multiply(g, fresh, s)
        np.multiply(s, g, s)
        np.add(v, s, v)
        if group["centered"]:
            a = more[-1]
            lerp(a, g, fresh, alpha, s)
            np.multiply(a, a, s)
            v = np.subtract(v, s, s)
        np.sqrt(v, s)
        np.add(s, eps, s)
        if group["momentum"] > 0:
            b = more[0]
            np.multiply(b, mu, b)
            np.add(b, np.divide(g, s, r), b)
            np.multiply(b, rate, r)
        else:
            np.multiply(g, rate, r)
            np.divide(r, s, r)
        np.add(x, r, x)
