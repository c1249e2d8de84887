"""What all schedules share: counting epochs and writing the learning rate into the optimizer's groups."""

from __future__ import annotations

import functools
import warnings
import weakref
from typing import Any

from minigrad.optim.optimizer import Optimizer
from minigrad.tensor import Tensor

EPOCH_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler, which counts the epochs itself."
)


class LRScheduler:
    """Base of the schedules: ``get_lr`` gives each group's learning rate for ``self.last_epoch``.

    Call ``scheduler.step()`` after ``optimizer.step()``, once an epoch. The starting rates are kept as ``initial_lr`` in
    the optimizer's groups. With ``last_epoch`` other than -1 a former run is resumed.

    Raises: TypeError if ``optimizer`` is none; KeyError on resuming without ``initial_lr`` in the groups.
    Source: https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with last_epoch >= 0: "
                    "load the optimizer's state_dict first, or leave last_epoch out for a fresh run"
                )
        self.base_lrs = [copied(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        _watch(optimizer)
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_lr(self) -> list[Any]:
        """The learning rates of ``self.last_epoch``, one a group."""
        raise NotImplementedError(f"{type(self).__name__} must define get_lr()")

    def get_last_lr(self) -> list[Any]:
        """The learning rates that the last step set, one a group."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch, or to ``epoch`` (deprecated), and set its learning rates."""
        if self._step_count == 1:
            self._check_order()
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_WARNING, UserWarning, stacklevel=2)
        self._get_lr_called_within_step = True
        try:
            if epoch is None:
                self.last_epoch += 1
                rates = self.get_lr()
            else:
                self.last_epoch = epoch
                rates = self._rates_at_last_epoch()
        finally:
            self._get_lr_called_within_step = False
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            set_lr(group, lr)
        self._last_lr = self._current()

    def _rates_at_last_epoch(self) -> list[Any]:
        """The learning rates of ``self.last_epoch`` without those of the epoch before, where a formula exists."""
        return self.get_lr()

    def _current(self) -> list[Any]:
        return [copied(group["lr"]) for group in self.optimizer.param_groups]

    def _check_order(self) -> None:
        step = self.optimizer.step
        if not hasattr(step, "watched"):
            warnings.warn(
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. Please, make "
                "sure to call `optimizer.step()` before `lr_scheduler.step()`.",
                UserWarning,
                stacklevel=3,
            )
        elif not getattr(self.optimizer, "_stepped", False):
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. You should call them in the opposite "
                "order: `optimizer.step()` before `lr_scheduler.step()`. Failure to do this will result in skipping the first "
                "value of the learning rate schedule.",
                UserWarning,
                stacklevel=3,
            )

    def _check_called_by_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` gave."""
        self.__dict__.update(state_dict)


def _watch(optimizer: Optimizer) -> None:
    """Let the optimizer remember that its step was called, so that the wrong order can be told."""
    if hasattr(optimizer.step, "watched"):
        return
    found = weakref.ref(optimizer)  # weak: the optimizer holds the wrapper
    function = optimizer.step.__func__  # type: ignore[attr-defined]  # a bound method

    @functools.wraps(function)
    def step(*args: Any, **kwargs: Any) -> Any:
        optimizer = found()
        optimizer._stepped = True  # type: ignore[union-attr]  # alive, since its step was called
        return function(optimizer, *args, **kwargs)

    step.watched = True  # type: ignore[attr-defined]  # the mark that the order can be checked
    optimizer.step = step  # type: ignore[method-assign]


def check_optimizer(optimizer: Any) -> None:
    """Raises TypeError unless it is one."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def copied(value: Any) -> Any:
    """A number as it is, a tensor as a copy."""
    return value.clone() if isinstance(value, Tensor) else value


def set_lr(group: dict[str, Any], lr: Any) -> None:
    """Set a group's learning rate; a tensor keeps its identity and gets the new value."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(float(lr))
    else:
        group["lr"] = lr


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """One value a group, from one value or a list of as many. Raises ValueError for another number of them."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [copied(value) for _ in range(count)]
    if len(value) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, "
            f"param_groups has {count}."
        )
    return [copied(v) for v in value]
