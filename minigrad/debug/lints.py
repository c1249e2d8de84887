"""``lint``: watches the steps of a training loop for mistakes on which PyTorch stays silent.

It sits on the optimizer's step and on the gradients of the parameters, and changes nothing. Each kind of mistake is told
once, as a warning when it happens, and kept in ``findings``.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.autograd.tracing import Origin, origin
from minigrad.debug.table import listed, plural
from minigrad.nn.modules.module import Module
from minigrad.optim.optimizer import Optimizer


class LintWarning(UserWarning):
    """A training loop does something that is rarely meant."""


@dataclass(frozen=True)
class Finding:
    """One kind of mistake, where it was first seen: ``code`` in a word, ``text`` in sentences with numbers."""

    code: str
    text: str
    step: int
    names: tuple[str, ...]
    origin: Origin

    def __str__(self) -> str:
        code = f": {self.origin.code}" if self.origin.code else ""
        return f"Step {self.step} ({self.origin}{code}): {self.text}"


class _Seen:
    """What has happened to one parameter since the last step."""

    def __init__(self) -> None:
        self.backwards = 0  # how many gradients have arrived
        self.clean = False  # whether one of them found no gradient, or zeros, and so began anew
        self.left = 0.0  # the norm of what the first one found
        self.grad: Any = None  # and the tensor it was in


class lint:
    """``with lint(model, optimizer): ...`` around a training loop.

    It finds: ``zero_grad`` forgotten (a gradient is added to the one of the step before), a step on gradients that are None,
    or on nan, parameters that no optimizer changes, tensors in an optimizer that are no longer the model's, and steps in eval
    mode. Several backward passes for one step, and several optimizers, are no mistake. Raises ValueError without an optimizer.
    """

    def __init__(self, model: Module, *optimizers: Optimizer, warn: bool = True) -> None:
        if not optimizers:
            raise ValueError("lint needs the optimizer to watch: lint(model, optimizer)")
        self.model, self.optimizers, self.warn = model, optimizers, warn
        self.findings: list[Finding] = []
        self.steps = 0
        self._handles: list[Any] = []

    def __enter__(self) -> lint:
        self.findings, self.steps = [], 0
        self._names = {id(p): name for name, p in self.model.named_parameters()}
        self._seen: dict[int, _Seen] = {}
        for optimizer in self.optimizers:
            self._handles.append(optimizer.register_step_pre_hook(self._before_step))
            self._handles.append(optimizer.register_step_post_hook(self._after_step))
        for p in self._parameters():
            if p.requires_grad:
                self._handles.append(p.register_hook(self._arrival(p)))
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _parameters(self) -> Iterator[Any]:
        """Those of the model and of the optimizers, each once."""
        known: set[int] = set()
        groups = [group["params"] for optimizer in self.optimizers for group in optimizer.param_groups]
        for p in [*self.model.parameters(), *(p for group in groups for p in group)]:
            if id(p) not in known:
                known.add(id(p))
                yield p

    def _name(self, p: Any) -> str:
        return self._names.get(id(p), f"a tensor of shape {tuple(p.shape)}")

    def _arrival(self, p: Any) -> Callable[[Any], None]:
        """What to note when a gradient of ``p`` arrives, before it is added to ``p.grad``."""
        seen = self._seen[id(p)] = _Seen()

        def arrived(g: Any) -> None:
            left = 0.0 if p.grad is None else float(np.linalg.norm(p.grad.array))
            if not seen.backwards:
                seen.left, seen.grad = left, p.grad
            seen.backwards += 1
            seen.clean = seen.clean or left == 0

        return arrived

    # At each step

    def _before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        self.steps += 1
        params = [p for group in optimizer.param_groups for p in group["params"]]
        if not _has_closure(args, kwargs):  # a closure computes the gradients after this
            self._look_for_old_gradients(params)
            self._look_for_none(params)
            self._look_for_bad(params)
        if self.steps == 1:
            self._look_at_the_model(params)

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        params = [p for group in optimizer.param_groups for p in group["params"]]
        if _has_closure(args, kwargs):
            self._look_for_old_gradients(params)
        for p in params:
            seen = self._seen.get(id(p))
            if seen is not None:
                seen.backwards, seen.clean, seen.left, seen.grad = 0, False, 0.0, None

    def _look_for_old_gradients(self, params: list[Any]) -> None:
        # a gradient that the program itself has put in place of the old one was not added to it
        old = [p for p in params if (s := self._seen.get(id(p))) and s.backwards and not s.clean and s.grad is p.grad]
        if self.steps > 1 and old:
            former = math.hypot(*(self._seen[id(p)].left for p in old))
            total = math.hypot(*(float(np.linalg.norm(p.grad.array)) for p in old if p.grad is not None))
            self._tell(
                "zero_grad",
                f"zero_grad() was not called since the last step: {len(old)} of {plural(len(params), 'parameter')} still had its "
                f"gradient, of norm {former:.3g}, when backward began, and the new one was added to it (norm now {total:.3g}). The "
                f"optimizer steps along the sum of all steps so far. Call optimizer.zero_grad() before each backward.",
                old,
            )

    def _look_for_none(self, params: list[Any]) -> None:
        wanted = [p for p in params if p.requires_grad]
        none = [p for p in wanted if p.grad is None]
        if not none:
            return
        cleared = [p for p in none if (seen := self._seen.get(id(p))) and seen.backwards]
        if cleared:
            self._tell(
                "cleared",
                f"{plural(len(cleared), 'gradient')} arrived by backward and had been set to None again before the step: "
                f"{listed(map(self._name, cleared))}. The step skips them. Call zero_grad() before backward, not between backward "
                f"and step.",
                cleared,
            )
        elif len(none) == len(wanted):
            self._tell(
                "all_none",
                f"all {plural(len(none), 'gradient')} of the optimizer are None, so the step changes nothing: backward() has not "
                f"been called, or its loss does not depend on these parameters (unreached(loss, model) tells).",
                none,
            )
        else:
            self._tell(
                "none",
                f"{len(none)} of {plural(len(wanted), 'gradient')} are None, and the step skips them silently: "
                f"{listed(map(self._name, none))}. The loss does not depend on them; unreached(loss, model) tells why.",
                none,
            )

    def _look_for_bad(self, params: list[Any]) -> None:
        bad = [p for p in params if p.grad is not None and not np.isfinite(p.grad.array).all()]
        if bad:
            count = sum(int((~np.isfinite(p.grad.array)).sum()) for p in bad)
            self._tell(
                "not_finite",
                f"{plural(count, 'entry').replace('entrys', 'entries')} of the gradients of {listed(map(self._name, bad))} "
                f"{'is' if count == 1 else 'are'} nan or inf, and the step writes them into the parameters. Run the step under "
                f"autograd.detect_anomaly() to see where the first one is born.",
                bad,
            )

    def _look_at_the_model(self, params: list[Any]) -> None:
        groups = [group["params"] for optimizer in self.optimizers for group in optimizer.param_groups]
        held = {id(p) for group in groups for p in group}
        forgotten = [p for p in self.model.parameters() if p.requires_grad and id(p) not in held]
        if forgotten:
            self._tell(
                "not_in_optimizer",
                f"{len(forgotten)} of {plural(len(self._names), 'parameter')} of the model require a gradient but are in no "
                f"optimizer, and are never changed: {listed(map(self._name, forgotten))}.",
                forgotten,
            )
        foreign = [p for p in params if id(p) not in self._names]
        if foreign:
            self._tell(
                "foreign",
                f"{len(foreign)} of {plural(len(params), 'tensor')} in the optimizer are not parameters of the model: of shape "
                f"{listed(tuple(p.shape) for p in foreign)}. If the model was made or converted anew, make the optimizer after "
                f"that.",
                foreign,
            )
        if not self.model.training and any(type(m).__name__ in _MODES for m in self.model.modules()):
            kinds = sorted({type(m).__name__ for m in self.model.modules() if type(m).__name__ in _MODES})
            self._tell(
                "eval_mode",
                f"the model is in eval mode while it is trained, in which {listed(kinds)} behaves differently. Call model.train().",
                [],
            )

    def _tell(self, code: str, text: str, params: list[Any]) -> None:
        if any(finding.code == code for finding in self.findings):
            return
        finding = Finding(code, text, self.steps, tuple(map(self._name, params)), origin())
        self.findings.append(finding)
        if self.warn:
            warnings.warn(str(finding), LintWarning, stacklevel=5)

    def __bool__(self) -> bool:
        return bool(self.findings)

    def __str__(self) -> str:
        seen = f"{plural(self.steps, 'step')} watched"
        if not self.findings:
            return f"{seen}, nothing found."
        return f"{seen}, {plural(len(self.findings), 'finding')}:\n" + "\n".join(f"- {f}" for f in self.findings)

    __repr__ = __str__


def _has_closure(args: Any, kwargs: Any) -> bool:
    return (len(args) > 1 and args[1] is not None) or kwargs.get("closure") is not None


_MODES = {"Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "BatchNorm1d", "BatchNorm2d"}
