"""``detect_anomaly``: stop at the first value or gradient that is nan or inf, and say where it comes from.

Inside the context each recorded operation is kept with its inputs. In the forward pass a result that takes part in
differentiation must be finite, in the backward pass each gradient that a rule gives. An operation that is not recorded is
no error by itself: what it makes is followed, and named as the origin if it reaches one that is. An inf that the program put
in itself, as a number or in a constant such as an attention mask, may stay; nan may not.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

import numpy as np

from minigrad.autograd.anomaly import (
    Anomaly,
    AnomalyError,
    Step,
    array_of,
    backward_anomaly,
    born_here,
    first_bad,
    forward_anomaly,
)
from minigrad.autograd.tracing import Origin, Table, from_library, trace_lines
from minigrad.engine import Node, TensorBase
from minigrad.grad_mode import mode

__all__ = ["AnomalyError", "detect_anomaly", "set_detect_anomaly"]


class _Watch(trace_lines):
    """Looks at every value and gradient."""

    def __init__(self) -> None:
        self.check_nan = True
        self.steps = Table()  # node -> Step
        self.born = Table()  # array that was not recorded -> Anomaly
        self.senders = Table()  # node -> the Steps that have sent it a gradient in this walk

    def note(self, primitive: Any, args: Sequence[Any], result: TensorBase, where: Origin) -> None:
        super().note(primitive, args, result, where)
        title = result.node.name() if result.node is not None else ""
        step = Step(primitive, [array_of(a) for a in args], result.array, where, title)
        if result.node is not None:
            self.steps[result.node] = step
        if not self.check_nan or first_bad(result.array) is None:
            return
        born = born_here(step)
        if not result.needs_grad:
            known = None if born else self._origin(args)
            self.born[result.array] = known or forward_anomaly(step, born, self._given(step, args))
        elif not _differentiating():
            anomaly = self._judge(step, born, args)
            if anomaly is not None:
                raise AnomalyError(anomaly)

    def _origin(self, args: Sequence[Any]) -> Anomaly | None:
        return next((a for a in (self.born.get(array_of(x)) for x in args if isinstance(x, TensorBase)) if a), None)

    def _judge(self, step: Step, born: bool, args: Sequence[Any]) -> Anomaly | None:
        """The anomaly of a recorded result that is not finite; None for an inf that may stay."""
        known = self.born.get(step.output)  # made inside a Function's forward
        if known is not None:
            return known
        # from a parameter, or from an operation before the context was on
        unseen = any(
            isinstance(x, TensorBase) and x.needs_grad and first_bad(x.array) and self.steps.get(x.node) is None
            for x in args
        )
        if born and not unseen:
            return forward_anomaly(step, True)
        if not unseen and not np.isnan(step.output).any():
            return None
        return forward_anomaly(step, False, self._given(step, args), self._origin(args))

    @staticmethod
    def _given(step: Step, args: Sequence[Any]) -> str:
        """Which input was not finite already."""
        for i, x in enumerate(args):
            if isinstance(x, float) and not math.isfinite(x):
                return f"its argument {step.argument(i)} is {x}"
            index = first_bad(array_of(x))
            if index is not None:
                at = "".join(f"[{k}]" for k in index)
                text = f"its input {step.argument(i)}{at} is {array_of(x)[index].item()}"
                if isinstance(x, TensorBase):
                    text += f", in a tensor of shape {x.array.shape}"
                    if x.needs_grad and x.node is None:
                        text += " that is a leaf with requires_grad=True"
                    if x.version.changed_by:
                        text += f", last changed by {x.version.changed_by}"
                return text
        return ""

    def pulled(self, node: Node, g: Any, found: Sequence[tuple[Node, Any]]) -> None:
        super().pulled(node, g, found)
        step, senders = self.steps.get(node), self.senders.get(node) or []
        if self.check_nan:
            for array in _arrays(g):
                if first_bad(array) is not None:
                    raise AnomalyError(self._arrived(node, step, array, senders))
        seen: list[Node] = []
        for source, x_bar in found:
            for array in _arrays(x_bar):
                if self.check_nan and first_bad(array) is not None:
                    position = _position(node, source, seen.count(source))
                    upstream = next(iter(_arrays(g)), None) if not hasattr(g, "parts") else None
                    raise AnomalyError(backward_anomaly(node.name(), step, position, upstream, array, senders))
            seen.append(source)
            if step is not None:
                waiting = self.senders.get(source)
                if waiting is None:
                    self.senders[source] = [step]
                else:
                    waiting.append(step)
        if senders:
            senders.clear()

    @staticmethod
    def _arrived(node: Node, step: Step | None, g: np.ndarray, senders: Sequence[Step]) -> Anomaly:
        """What is wrong with a gradient that was not finite before any rule had it."""
        anomaly = backward_anomaly(node.name(), None, 0, None, g, ())
        anomaly.born, anomaly.argument, anomaly.rule = False, "the output", ""
        if step is not None:
            anomaly.operation, anomaly.origin = step.name, step.origin
        if node.hooks:
            anomaly.cause = "a hook on this tensor returned it, or the gradients that arrived add up to it"
        elif senders:
            names = ", ".join(f"{s.name} ({s.origin})" for s in senders)
            anomaly.born = True
            anomaly.cause = (
                f"each of the {len(senders)} gradients that arrived is finite, their sum is not; from {names}"
            )
        else:
            anomaly.cause = "it was given to backward() or grad()"
        return anomaly


def _arrays(g: Any) -> list[np.ndarray]:
    parts = getattr(g, "parts", None)  # the gradients of several outputs of a Function
    return [array_of(part) for part in parts.values()] if parts is not None else [array_of(g)]


def _position(node: Node, source: Node, nth: int) -> int:
    """Which input of ``node`` gets the ``nth`` gradient that goes to ``source``."""
    places = [i for i, (other, _) in enumerate(node.next_functions) if other is source]
    return places[min(nth, len(places) - 1)] if places else 0


def _differentiating() -> bool:
    """Whether a rule is being recorded: its steps may pass through inf, its result is looked at when it is there."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "walk" and from_library(frame):
            return True
        frame = frame.f_back
    return False


def _current() -> _Watch | None:
    tape: Any = mode.tape
    while tape is not None and not isinstance(tape, _Watch):
        tape = getattr(tape, "outer", None)
    return tape


def _set(enabled: bool, check_nan: bool) -> tuple[bool, bool]:
    """Turn detection on or off in this thread; the former state."""
    watch = _current()
    former = (watch is not None, watch.check_nan if watch is not None else True)
    if enabled and watch is None:
        watch = _Watch()
        watch.start()
    elif not enabled and watch is not None:
        watch.stop()
    if watch is not None:
        watch.check_nan = check_nan
    return former


def is_anomaly_enabled() -> bool:
    """True if detection is on in this thread."""
    return _current() is not None


def is_anomaly_check_nan_enabled() -> bool:
    """True if detection, when on, looks for nan and inf."""
    watch = _current()
    return watch is None or watch.check_nan


class detect_anomaly:
    """Inside, the first nan or inf of a forward or backward pass raises ``AnomalyError`` that says where it was born.

    PyTorch looks at the gradients only, and for nan only; this looks at values too. ``check_nan=False`` notes the lines and
    raises nothing. It costs memory (the inputs of all recorded operations are kept) and some microseconds an operation.
    It holds for the thread that enters it, and gives no warning on entering. Steps of ``compile`` run uncaptured meanwhile.

    Raises AnomalyError (a RuntimeError), with the report as its ``anomaly``.
    Source: https://docs.pytorch.org/docs/stable/autograd.html#torch.autograd.detect_anomaly
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan

    def __enter__(self) -> None:
        self._former = _set(True, self.check_nan)

    def __exit__(self, *_: object) -> None:
        _set(*self._former)


class set_detect_anomaly:
    """Turn detection on or off at once; as a context, the former state returns at the end.

    Source: https://docs.pytorch.org/docs/stable/autograd.html#torch.autograd.set_detect_anomaly
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._former = _set(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        _set(*self._former)
