"""``grad_report``: how large the gradients are, layer by layer, and whether the steps taken with them are.

A step that changes a weight by about a thousandth of its size is usual; by a tenth, training is likely to diverge; by a
millionth, it stands still. Gradients that shrink or grow by the same factor from layer to layer vanish or explode.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad.debug.table import html_table, listed, plain_table, plural
from minigrad.nn.modules.module import Module
from minigrad.optim.optimizer import Optimizer

FAST, SLOW = 0.1, 1e-6  # update ratios beyond which a step is worth a word
# How much smaller and larger the first weight's gradient may be than the last one's, and how large all may be: over eight
# steps of 90 healthy models, every autoencoder of this project among them, it was 0.001 to 49 times as large, the norm 17.
VANISHED, EXPLODED, LARGE = 1e-4, 1e3, 1e5


@dataclass(frozen=True)
class Layer:
    """One parameter: root mean squares of its values and of its gradient, and what one step changes."""

    name: str
    shape: tuple[int, ...]
    weight: float
    grad: float | None  # None without a gradient
    zeros: float  # share of entries of the gradient that are 0
    ratio: float | None  # |change of one step| / |weight|; None if it is not known, or the weight is 0
    bad: int = 0  # entries of the gradient that are nan or inf

    @property
    def matrix(self) -> bool:
        """Whether it is a weight, not a bias or scale: only these are compared by depth."""
        return len(self.shape) >= 2


@dataclass(frozen=True)
class GradReport:
    """The gradients of a model. ``findings`` are the sentences that deserve attention, by code."""

    layers: list[Layer]
    norm: float  # of all gradients together, as clip_grad_norm_ measures it
    factor: float | None  # by which the gradient changes from one weight to the one before it, going back from the loss
    spread: float | None  # first weight's gradient over the last one's
    findings: dict[str, str] = field(default_factory=dict)

    def _sentence(self) -> str:
        have = [layer for layer in self.layers if layer.grad is not None]
        text = f"{len(have)} of {plural(len(self.layers), 'parameter')} have a gradient; the norm of all is {self.norm:.3g}."
        ratios = [layer.ratio for layer in have if layer.matrix and layer.ratio is not None]
        if ratios:
            text += (
                f"\nOne step changes the weights by {min(ratios):.1e} to {max(ratios):.1e} of their size (usual: 1e-3)."
            )
        if self.factor is not None and self.spread is not None:
            text += (
                f"\nGoing back from the last weight to the first, |g| becomes {self.spread:.3g} times as large, "
                f"{self.factor:.2g} times per layer."
            )
        if not self.findings:
            return text + "\nNothing unusual."
        return text + "\n" + "\n".join(f"- {finding}" for finding in self.findings.values())

    def _rows(self) -> list[list[str]]:
        return [
            [
                layer.name,
                str(layer.shape),
                f"{layer.weight:.2e}",
                "-" if layer.grad is None else f"{layer.grad:.2e}",
                "-" if layer.ratio is None else f"{layer.ratio:.1e}",
                "-" if layer.grad is None else f"{100 * layer.zeros:.0f} %",
            ]
            for layer in self.layers
        ]

    def __str__(self) -> str:
        return f"{self._sentence()}\n\n{plain_table(_HEAD, self._rows())}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table(_HEAD, self._rows(), self._sentence())


_HEAD = ["parameter", "shape", "|w|", "|g|", "update", "zeros in g"]


def grad_report(model: Module, optimizer: Optimizer | None = None, lr: float | None = None) -> GradReport:
    """Measure the gradients that the last backward left in the parameters of ``model``.

    ``|w|`` and ``|g|`` are root mean squares. The update is what one step changes, |dw| / |w|: with ``optimizer``, measured on
    a copy of model and optimizer; with ``lr``, that of plain gradient descent, lr |g| / |w|.
    Raises RuntimeError if no parameter has a gradient.
    """
    named = list(model.named_parameters())
    if all(p.grad is None for _, p in named):
        raise RuntimeError("grad_report: no parameter has a gradient; call it after backward() and before zero_grad()")
    changes = _changes(model, optimizer) if optimizer is not None else {}
    layers = [_layer(name, p, changes.get(name), lr) for name, p in named]
    factor, spread = _trend(layers)
    return GradReport(layers, _norm(layers), factor, spread, _findings(layers, factor, spread))


def _rms(array: np.ndarray) -> float:
    values = array.astype(np.float64).ravel()
    with np.errstate(all="ignore"):
        return math.sqrt(float(values @ values) / values.size) if values.size else 0.0


def _norm(layers: Sequence[Layer]) -> float:
    """The norm of all gradients together."""
    return math.hypot(*((layer.grad or 0.0) * math.sqrt(math.prod(layer.shape)) for layer in layers))


def _layer(name: str, p: Any, change: float | None, lr: float | None) -> Layer:
    weight = _rms(p.array)
    if p.grad is None:
        return Layer(name, tuple(p.shape), weight, None, 0.0, None)
    g = p.grad.array
    if change is None and lr is not None:
        change = lr * _rms(g)
    ratio = change / weight if change is not None and weight else None
    bad = int(g.size - np.isfinite(g).sum())
    return Layer(name, tuple(p.shape), weight, _rms(g), float((g == 0).mean()) if g.size else 0.0, ratio, bad)


def _changes(model: Module, optimizer: Optimizer) -> dict[str, float]:
    """How much one step would change each parameter that the optimizer holds: taken on a copy."""
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    trial_model, trial = copy.deepcopy((model, optimizer))
    trial.step()
    pairs = zip(model.named_parameters(), trial_model.named_parameters(), strict=True)
    return {name: _rms(q.array.astype(np.float64) - p.array) for (name, p), (_, q) in pairs if id(p) in held}


def _trend(layers: Sequence[Layer]) -> tuple[float | None, float | None]:
    """The factor per weight and the whole ratio, first over last, of the gradients; None for fewer than three weights."""
    sizes = [x.grad for x in layers if x.matrix and x.grad is not None and math.isfinite(x.grad) and x.grad > 0]
    if len(sizes) < 3:
        return None, None
    logs = np.log(sizes)
    slope = np.polyfit(np.arange(len(logs)), logs, 1)[0]
    return float(np.exp(-slope)), float(np.exp(logs[0] - logs[-1]))


def _findings(layers: Sequence[Layer], factor: float | None, spread: float | None) -> dict[str, str]:
    found: dict[str, str] = {}
    have = [x for x in layers if x.grad is not None]
    weights = [x for x in have if x.matrix]
    bad = [x for x in have if x.bad]
    if bad:
        found["not_finite"] = (
            f"Not finite: {listed(f'{x.name} ({x.bad} of {math.prod(x.shape)})' for x in bad)}. Run the step under "
            f"autograd.detect_anomaly() to see where the first such value is born."
        )
    missing = [x.name for x in layers if x.grad is None]
    if missing:
        found["none"] = f"No gradient: {listed(missing)}. See unreached(loss, model)."
    dead = [x.name for x in have if x.zeros == 1]
    if dead:
        found["zero"] = f"All gradients are 0: {listed(dead)}. See dead_units(model, data)."
    if factor is not None and spread is not None and not bad:
        first, last = weights[0], weights[-1]
        ends = f"|g| is {last.grad:.1e} at {last.name} and {first.grad:.1e} at {first.name}"
        if spread < VANISHED and factor < 1 / 1.5:
            found["vanishing"] = (
                f"Vanishing: {ends}, {1 / spread:.1e} times less, {1 / factor:.2g} times less per layer. Use relu, normalisation, "
                f"skip connections, or an initialisation for the activation (nn.init)."
            )
        elif spread > EXPLODED and factor > 1.5:
            found["exploding"] = (
                f"Exploding: {ends}, {spread:.1e} times more, {factor:.2g} times more per layer. Use a smaller initialisation, "
                f"normalisation, or clip_grad_norm_."
            )
    norm = _norm(layers)
    if norm > LARGE and not bad and "exploding" not in found:
        found["large"] = (
            f"Large: the norm of all gradients is {norm:.1e}. Usual causes: activations that grow from layer to layer, for weights "
            f"that start too large; inputs of large size; a loss summed where a mean is meant."
        )
    fast = [x for x in weights if x.ratio is not None and x.ratio > FAST]
    if fast:
        found["fast"] = (
            f"Large steps: one step changes {listed(f'{x.name} by {x.ratio:.1e}' for x in fast)} of its size, against the usual "
            f"1e-3. Lower the learning rate."
        )
    slow = [x for x in weights if x.ratio is not None and x.ratio < SLOW and x.zeros < 1]
    if slow:
        found["slow"] = (
            f"Small steps: one step changes {listed(f'{x.name} by {x.ratio:.1e}' for x in slow)} of its size, against the usual "
            f"1e-3. Raise the learning rate, or look why the gradient is small."
        )
    return found
