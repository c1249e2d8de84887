"""The one-cycle schedule: the learning rate climbs, then falls far below its start, and the momentum does the reverse."""

from __future__ import annotations

import math
from typing import Any

from minigrad.optim.lr_scheduler.scheduler import LRScheduler, check_optimizer, per_group
from minigrad.optim.optimizer import Optimizer


class OneCycleLR(LRScheduler):
    """From ``max_lr / div_factor`` up to ``max_lr`` and down to ``max_lr / div_factor / final_div_factor``; step once a batch.

    The climb takes the part ``pct_start`` of ``total_steps`` (or ``epochs * steps_per_epoch``). With ``three_phase`` the
    fall first mirrors the climb. A phase from ``a`` to ``b`` is, at its part ``p``, at ``b + (a - b) / 2 * (1 + cos(pi p))``,
    or with ``anneal_strategy="linear"`` at ``a + (b - a) * p``. With ``cycle_momentum`` the momentum (Adam's beta1) goes
    from ``max_momentum`` to ``base_momentum`` while the rate climbs, and back.

    Raises: ValueError for missing or wrong numbers of steps, an optimizer without momentum, a step after the last.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html; Smith and Topin 2018,
    Super-convergence.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        if total_steps is not None:
            self.total_steps = _positive("total_steps", total_steps)
        elif epochs is not None and steps_per_epoch is not None:
            self.total_steps = _positive("epochs", epochs) * _positive("steps_per_epoch", steps_per_epoch)
        else:
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        self._anneal_func_type = anneal_strategy

        highest = per_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, highest, strict=True):
                group["initial_lr"] = lr / div_factor
                group["max_lr"] = lr
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._start_momentum(base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def _start_momentum(self, base: Any, highest: Any, last_epoch: int) -> None:
        if "momentum" not in self.optimizer.defaults and "betas" not in self.optimizer.defaults:
            raise ValueError(
                "optimizer must support momentum or beta1 with `cycle_momentum` option enabled: "
                f"{type(self.optimizer).__name__} has neither, give cycle_momentum=False"
            )
        self.use_beta1 = "betas" in self.optimizer.defaults
        tops = per_group("max_momentum", self.optimizer, highest)
        bases = per_group("base_momentum", self.optimizer, base)
        if last_epoch == -1:
            for top, low, group in zip(tops, bases, self.optimizer.param_groups, strict=True):
                self._set_momentum(group, top)
                group["max_momentum"], group["base_momentum"] = top, low

    def _set_momentum(self, group: dict[str, Any], value: float) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value

    def get_lr(self) -> list[Any]:
        self._check_called_by_step()
        now = self.last_epoch
        if now > self.total_steps:
            raise ValueError(
                f"Tried to step {now} times. The specified number of total steps is {self.total_steps}: "
                "step once a batch, and give total_steps = epochs * batches"
            )
        start = 0.0
        for phase in self._schedule_phases:
            if now <= phase["end_step"] or phase is self._schedule_phases[-1]:
                break
            start = phase["end_step"]
        part = (now - start) / (phase["end_step"] - start)
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._between(group[phase["start_lr"]], group[phase["end_lr"]], part))
            if self.cycle_momentum:
                value = self._between(group[phase["start_momentum"]], group[phase["end_momentum"]], part)
                self._set_momentum(group, value)
        return rates

    def _between(self, start: float, end: float, part: float) -> float:
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)
        return (end - start) * part + start


def _positive(name: str, value: Any) -> int:
    if not isinstance(value, int) or value <= 0:
        raise ValueError(f"Expected positive integer {name}, but got {value}")
    return value


def _phases(total: int, climb: float, three: bool) -> list[dict[str, Any]]:
    """Where each phase ends and between which of the group's values it leads."""

    def phase(end: float, lr: tuple[str, str], momentum: tuple[str, str]) -> dict[str, Any]:
        return {
            "end_step": end,
            "start_lr": lr[0],
            "end_lr": lr[1],
            "start_momentum": momentum[0],
            "end_momentum": momentum[1],
        }

    up, down, stay = (
        ("base_momentum", "max_momentum"),
        ("max_momentum", "base_momentum"),
        ("max_momentum", "max_momentum"),
    )
    first = phase(float(climb * total) - 1, ("initial_lr", "max_lr"), down)
    if not three:
        return [first, phase(total - 1, ("max_lr", "min_lr"), up)]
    second = phase(float(2 * climb * total) - 2, ("max_lr", "initial_lr"), up)
    return [first, second, phase(total - 1, ("initial_lr", "min_lr"), stay)]
