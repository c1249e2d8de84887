"""``dead_units``: the units of a network that no input of the data switches on, or whose activation is saturated for all.

Each activation function that the forward pass runs is watched, be it a layer or a call in ``forward``. A unit is one entry
along the last dimension. Its slope is the derivative of the activation: where that is 0 for every example, no gradient ever
reaches the weights of the unit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.autograd.anomaly import Step, array_of
from minigrad.autograd.tracing import Listener, Origin, Table, origin
from minigrad.debug.table import html_table, listed, plain_table, plural, share
from minigrad.engine import TensorBase
from minigrad.grad_mode import no_grad
from minigrad.nn.modules.module import Module
from minigrad.tensor import Tensor

_ACTIVATIONS = "minigrad.ops.activation"
_OTHERS = {"tanh"}
SATURATED = 0.01  # of the largest slope the activation can have
_STEEPEST = {"sigmoid": 0.25}


@dataclass(frozen=True)
class Site:
    """One place where an activation is applied."""

    name: str  # the layer's name, or the line
    operation: str
    units: int
    dead: list[int]  # slope 0 for every example
    saturated: list[int]  # slope below 1 % of the largest for every example, but not 0
    active: float  # share of all values whose slope is not 0
    origin: Origin


@dataclass(frozen=True)
class DeadUnits:
    """The activations of a model over all batches; true if a unit is dead."""

    sites: list[Site]
    examples: int
    batches: int

    @property
    def dead(self) -> int:
        return sum(len(site.dead) for site in self.sites)

    @property
    def units(self) -> int:
        return sum(site.units for site in self.sites)

    def __bool__(self) -> bool:
        return self.dead > 0

    def _sentence(self) -> str:
        seen = f"{plural(self.examples, 'example')} in {plural(self.batches, 'batch').replace('batchs', 'batches')}"
        if not self.sites:
            return f"No activation function was run on {seen}: there are no units to judge."
        text = (
            f"{self.dead} of {plural(self.units, 'unit')} {'is' if self.dead == 1 else 'are'} dead over {seen}"
            f"{': no example gives them a slope other than 0, so their weights get no gradient' if self.dead else ''}."
        )
        for site in self.sites:
            place = f"\n- {site.name} ({site.operation})"
            if site.dead:
                part = f"{len(site.dead)} of {site.units} dead, {share(len(site.dead), site.units)}"
                text += f"{place}: {part}: units {listed(site.dead)}."
            if site.saturated:
                part = f"{len(site.saturated)} of {site.units} saturated (less than 1 % of the largest slope on every example)"
                text += f"{place}: {part}: units {listed(site.saturated)}."
        if self.dead:
            text += "\nUsual remedies: a smaller learning rate, leaky_relu, a bias that starts at 0 or above, normalised inputs."
        return text

    def _rows(self) -> list[list[str]]:
        return [
            [s.name, s.operation, str(s.units), str(len(s.dead)), str(len(s.saturated)), f"{100 * s.active:.0f} %"]
            for s in self.sites
        ]

    def __str__(self) -> str:
        return self._sentence() + (f"\n\n{plain_table(_HEAD, self._rows())}" if self.sites else "")

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table(_HEAD, self._rows(), self._sentence())


_HEAD = ["activation", "function", "units", "dead", "saturated", "values with slope"]


class _Tally:
    """What has been seen at one site."""

    def __init__(self, step: Step, name: str) -> None:
        self.step, self.name = step, name
        self.largest: np.ndarray | None = None
        self.on = self.count = 0

    def add(self, step: Step) -> None:
        slopes = step.gradient(0, np.ones_like(step.output))
        assert slopes is not None
        slopes = np.absolute(slopes.reshape(-1, slopes.shape[-1] if slopes.ndim else 1))
        largest = slopes.max(axis=0)
        if self.largest is not None and self.largest.shape != largest.shape:
            raise ValueError(
                f"dead_units: {self.name} has {self.largest.size} units in one batch and {largest.size} in another; "
                f"each batch must have the same last dimension"
            )
        self.largest = largest if self.largest is None else np.maximum(self.largest, largest)
        self.on += int((slopes != 0).sum())
        self.count += slopes.size

    def site(self) -> Site:
        assert self.largest is not None
        name = self.step.name
        low = (self.largest != 0) & (self.largest < SATURATED * _STEEPEST.get(name, 1.0))
        return Site(
            self.name,
            name,
            self.largest.size,
            np.flatnonzero(self.largest == 0).tolist(),
            np.flatnonzero(low).tolist(),
            self.on / self.count,
            self.step.origin,
        )


class _Watch(Listener):
    """Tallies the activations of one model.

    Calls of one layer that follow the same weights are one site: a unit is dead only if it is in all of them.
    """

    def __init__(self, model: Module) -> None:
        self.layers = {id(module): name for name, module in model.named_modules()}
        self.tallies: dict[Any, _Tally] = {}
        self.weights = Table()  # array -> the parameters it was last computed with
        self.sites: Counter[Any] = Counter()

    def leave(self, primitive: Any, args: Any, result: Any) -> None:
        super().leave(primitive, args, result)
        given = [a for a in args if isinstance(a, TensorBase)]
        weights = frozenset(id(a) for a in given if a.needs_grad and a.node is None)
        weights = weights or frozenset().union(*(self.weights.get(a.array) or () for a in given))
        self.weights[result.array] = weights
        if (primitive.__module__ == _ACTIVATIONS or primitive.__name__ in _OTHERS) and result.array.size:
            self._add(Step(primitive, [array_of(a) for a in args], result.array, origin()), weights)

    def _add(self, step: Step, weights: frozenset[int]) -> None:
        layer = step.origin.layer() if step.origin.layer is not None else None
        name = self.layers.get(id(layer)) or str(step.origin)
        place = name, step.name, weights
        if place not in self.tallies:
            nth = self.sites[place[:2]] = self.sites[place[:2]] + 1
            self.tallies[place] = _Tally(step, name if nth == 1 else f"{name} #{nth}")
        self.tallies[place].add(step)


def dead_units(model: Module, data: Tensor | Iterable[Any], forward: Callable[[Any], Any] | None = None) -> DeadUnits:
    """Run ``model`` on all batches of ``data`` and find the units that are dead, or saturated, on every example.

    ``data`` is one tensor, or batches such as a DataLoader gives; of a batch that is a tuple or list the first entry goes in.
    ``forward(batch)``, if given, is called instead of ``model(batch[0])``. The model runs in eval mode, unrecorded, and is
    switched back afterwards. Raises ValueError for no data.
    """
    training = [(module, module.training) for module in model.modules()]
    watch = _Watch(model)
    examples = batches = 0
    model.eval()
    try:
        with no_grad(), watch:
            for batch in [data] if isinstance(data, Tensor) else data:
                first = batch[0] if isinstance(batch, (tuple, list)) else batch
                if forward is None:
                    model(first)
                else:
                    forward(batch)
                examples, batches = (
                    examples + (len(first) if isinstance(first, Tensor) and first.ndim > 1 else 1),
                    batches + 1,
                )
    finally:
        for module, flag in training:
            module.training = flag
    if not batches:
        raise ValueError("dead_units: the data has no batches; a generator that was used up gives none a second time")
    return DeadUnits([tally.site() for tally in watch.tallies.values()], examples, batches)
