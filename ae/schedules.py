"""Schedules of the learning rate by name: how each makes PyTorch's scheduler of an optimizer and a run's length.

All step once an epoch. Those of `lasting` know the number of epochs beforehand, so a run with one cannot be prolonged.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from minigrad import optim

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Schedule:
    """A row of the list: what it is in a line, its options with their defaults, and how it is made."""

    about: str
    options: Options
    make: Callable[[optim.Optimizer, int, Options], Any]
    lasting: bool = False


def _step(optimizer: optim.Optimizer, epochs: int, options: Options) -> Any:
    return optim.lr_scheduler.StepLR(optimizer, options["every"], gamma=options["gamma"])


def _exponential(optimizer: optim.Optimizer, epochs: int, options: Options) -> Any:
    return optim.lr_scheduler.ExponentialLR(optimizer, gamma=options["gamma"])


def _cosine(optimizer: optim.Optimizer, epochs: int, options: Options) -> Any:
    floor = optimizer.param_groups[0]["lr"] * options["floor"]
    return optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs, eta_min=floor)


def _warmup(optimizer: optim.Optimizer, epochs: int, options: Options) -> Any:
    return optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: min(1.0, (epoch + 1) / options["over"]))


def _stages(optimizer: optim.Optimizer, epochs: int, options: Options) -> Any:
    """Stage i of n lasts b^(i-1) parts of the run and multiplies the rate by 10^(-(i-1)/(n-1)), rounded to tenths."""
    count, base = options["count"], options["base"]
    ends = [sum(base**i for i in range(stage + 1)) for stage in range(count)]

    def factor(epoch: int) -> float:
        stage = next((i for i, end in enumerate(ends) if epoch * ends[-1] < end * epochs), count - 1)
        return round(10 * 10 ** (-stage / max(count - 1, 1)), 0) / 10

    return optim.lr_scheduler.LambdaLR(optimizer, factor)


def _plateau(optimizer: optim.Optimizer, epochs: int, options: Options) -> Any:
    return optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=options["gamma"], patience=options["wait"])


SCHEDULES: Mapping[str, Schedule] = MappingProxyType(
    {
        "constant": Schedule("the same rate throughout", {}, lambda *_: None),
        "step": Schedule("times gamma after every so many epochs", {"every": 30, "gamma": 0.1}, _step),
        "exponential": Schedule("times gamma after every epoch", {"gamma": 0.95}, _exponential),
        "warmup": Schedule("grows in a straight line over the first epochs", {"over": 5}, _warmup),
        "cosine": Schedule(
            "falls along a cosine to a share of itself (Loshchilov and Hutter 2017)", {"floor": 0.0}, _cosine, True
        ),
        "stages": Schedule(
            "longer and longer stages at falling rates (Burda et al. 2016, section 5)",
            {"count": 8, "base": 3},
            _stages,
            True,
        ),
        "plateau": Schedule(
            "times gamma when the validation loss has not fallen for a while", {"gamma": 0.5, "wait": 5}, _plateau
        ),
    }
)


def check(name: str, options: Options) -> None:
    """Raise ValueError for an unknown schedule or option, and for a value that is no number in its range."""
    if name not in SCHEDULES:
        raise ValueError(f"unknown schedule {name!r}; there are {', '.join(SCHEDULES)}")
    entry = SCHEDULES[name]
    for option, value in options.items():
        if option not in entry.options:
            known = ", ".join(entry.options) or "none"
            raise ValueError(f"the schedule {name} has no option {option!r}; it has {known}")
        whole = isinstance(entry.options[option], int)
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            raise ValueError(f"{option} of the schedule {name} needs a {'whole ' * whole}number, got {value!r}")
        if not int(whole) <= value < math.inf:
            raise ValueError(f"{option} of the schedule {name} needs a number from {int(whole)}, got {value!r}")


def build(name: str, optimizer: optim.Optimizer, epochs: int, options: Options) -> Any:
    """Return a scheduler by its name, None if the rate is constant. Raises ValueError as `check` does."""
    check(name, options)
    return SCHEDULES[name].make(optimizer, epochs, {**SCHEDULES[name].options, **options})
