"""What is known of a value that is nan or inf: where it is, where it comes from, and why; and how that reads.

``Step`` is an operation with the arrays it had; ``forward_anomaly`` and ``backward_anomaly`` look at one that went wrong and
fill in an ``Anomaly``. When to look is decided in ``anomaly_mode.py``; the sentences about single operations are in
``causes.py``.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad.autograd.causes import ELEMENTWISE, ZEROS, fix, forward_cause, largest, number, plain_name, summary_cause
from minigrad.autograd.checking.text import tree_of
from minigrad.autograd.tracing import Origin
from minigrad.backward import grad
from minigrad.engine import TensorBase
from minigrad.grad_mode import enable_grad, mode
from minigrad.tensor import Tensor


class AnomalyError(RuntimeError):
    """A value or gradient is not finite; ``anomaly`` says which and why."""

    def __init__(self, anomaly: Anomaly) -> None:
        super().__init__(str(anomaly))
        self.anomaly = anomaly


@dataclass
class Step:
    """An operation as it was run: its inputs as arrays, its output, the user's line."""

    primitive: Any
    args: list[Any]
    output: np.ndarray
    origin: Origin
    title: str = ""  # the name of its node, if it was recorded

    @property
    def custom(self) -> bool:
        """Whether it is a Function of the user's."""
        return self.primitive.__name__ in ("custom", "output")

    @property
    def name(self) -> str:
        return self.title.removesuffix("Backward") if self.custom else plain_name(self.primitive.__name__)

    def argument(self, i: int) -> str:
        names = self.primitive.names
        if self.custom:
            return f"argument {i}"
        return f"{names[0]}[{i}]" if self.primitive.variadic else names[i]

    @property
    def elementwise(self) -> bool:
        if self.primitive.variadic or self.primitive.__module__ not in ELEMENTWISE:
            return False
        try:
            shapes = [a.shape for a in self.args if isinstance(a, np.ndarray)]
            return np.broadcast_shapes(*shapes) == self.output.shape
        except ValueError:
            return False

    def at(self, index: tuple[int, ...]) -> dict[str, Any]:
        """The inputs at an element of the output."""
        shape = self.output.shape
        return {
            self.argument(i): np.broadcast_to(a, shape)[index].item() if isinstance(a, np.ndarray) else a
            for i, a in enumerate(self.args)
            if isinstance(a, (np.ndarray, int, float))
        }

    def ranges(self) -> str:
        """Its inputs in short: ``x (3, 4) in [-1, 2]``."""
        parts = []
        for i, a in enumerate(self.args):
            if isinstance(a, np.ndarray) and a.size:
                parts.append(f"{self.argument(i)} {a.shape} in [{number(a.min())}, {number(a.max())}]")
        return ", ".join(parts)

    def gradient(self, position: int, g: np.ndarray) -> np.ndarray | None:
        """For an elementwise operation, the gradient of one input for each element of the output."""
        if not self.elementwise or not isinstance(self.args[position], np.ndarray):
            return None
        args = [np.broadcast_to(a, self.output.shape) if isinstance(a, np.ndarray) else a for a in self.args]
        args[position] = leaf = Tensor.wrap(np.array(args[position])).requires_grad_()
        tape, mode.tape = mode.tape, None
        try:
            with enable_grad(), np.errstate(all="ignore"):
                found = grad(self.primitive(*args), leaf, Tensor.wrap(np.array(g)))[0]
            return found.array
        finally:
            mode.tape = tape


@dataclass
class Anomaly:
    """A value that is not finite. ``str()`` tells the story; the attributes hold its numbers."""

    phase: str  # "forward" or "backward"
    operation: str  # such as "sqrt"
    rule: str  # the name of its node, such as "SqrtBackward0"; empty if it was not recorded
    kind: str  # "nan" or "inf"
    index: tuple[int, ...]  # of the first value that is not finite
    value: float
    count: int  # how many are not finite, of
    size: int  # so many
    shape: tuple[int, ...]
    born: bool  # in this operation, or passed on from its input
    origin: Origin | None  # the user's line of the operation
    argument: str = ""  # backward: the input whose gradient this is
    position: int = 0
    formula: str = ""  # backward: the rule as it is written
    values: dict[str, Any] = field(default_factory=dict)  # the operation's inputs and output at the element
    upstream: float | None = None  # backward: the gradient of the output there
    slope: float | None = None  # backward: the derivative there
    cause: str = ""
    fix: str = ""
    source: Anomaly | None = None  # of a value passed on: where it was born, if that was seen

    def __str__(self) -> str:
        return "\n".join(line for line in (self._headline(), self._place(), self._story(), self._remedy()) if line)

    def _headline(self) -> str:
        if self.phase == "backward" and self.rule:
            return f"Function '{self.rule}' returned {self.kind} values in its {self.position}th output."
        what = number(self.value) if self.phase == "forward" else self.kind
        return f"{self.operation} {'gave' if self.born else 'was given'} {what} in the {self.phase} pass."

    def _place(self) -> str:
        what = "The value" if self.phase == "forward" else f"The gradient of {self.operation}'s {self.argument}"
        text = f"{what} at {place(self.index)} is {number(self.value)}"
        if self.size > 1:
            are = "is" if self.count == 1 else "are"
            text += f"; of the {self.size} in its shape {self.shape}, {self.count} {are} not finite"
        text += "."
        if self.origin is None:
            return text + f"\n{self.operation} was run before detect_anomaly was on: its line is not known."
        layer = f" in {self.origin.module}" if self.origin.module else ""
        line = f"Line {self.origin}{layer}:"
        if self.origin.code:
            line += f"\n    {self.origin.code}" + (f"\n    {self.origin.carets}" if self.origin.carets else "")
        return f"{text}\n{line}"

    def _story(self) -> str:
        known = ", ".join(f"{k} = {number(v)}" for k, v in self.values.items())
        if self.phase == "backward" and self.upstream is not None:
            known = f"g = {number(self.upstream)}" + (f", {known}" if known else "")
        if not self.born:
            text = f"Passed on: {self.cause}."
            return f"{text}\nIts origin:\n{indented(str(self.source))}" if self.source is not None else text
        text = "Born here"
        if self.formula:
            text += f" by the rule {self.formula}"
        if known:
            text += f" at {known}"
        return text + (f": {self.cause}." if self.cause else ".")

    def _remedy(self) -> str:
        return f"Usual remedy: {self.fix}." if self.fix else ""


def indented(text: str) -> str:
    return "    " + text.replace("\n", "\n    ")


def place(index: tuple[int, ...]) -> str:
    return "its only element" if index == () else f"[{', '.join(map(str, index))}]"


def first_bad(array: Any) -> tuple[int, ...] | None:
    """The index of the first nan, or else of the first inf; None if all is finite."""
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f" or array.size == 0:
        return None
    with np.errstate(all="ignore"):
        total = np.add.reduce(array, axis=None)
    if math.isfinite(total):  # a finite sum has finite terms: one pass without a temporary
        return None
    bad = np.isnan(array)
    if not bad.any():
        bad = np.isinf(array)
        if not bad.any():
            return None
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), array.shape))


def _counted(array: np.ndarray, index: tuple[int, ...]) -> dict[str, Any]:
    value = array[index].item()
    return {
        "index": index,
        "value": value,
        "kind": "nan" if math.isnan(value) else "inf",
        "count": int(array.size - np.isfinite(array).sum()),
        "size": array.size,
        "shape": array.shape,
    }


def born_here(step: Step) -> bool:
    """Whether the output were not finite even if all inputs were: or is nan where no input is."""
    given = [a for a in step.args if isinstance(a, (np.ndarray, float))]
    if all(np.isfinite(a).all() for a in given):
        return True
    if np.isnan(step.output).any() and not any(np.isnan(a).any() for a in given):
        return True
    if step.primitive.variadic:
        return False
    with np.errstate(all="ignore"):
        again = step.primitive.forward(*[_finite(a) for a in step.args])
    return first_bad(np.asarray(again)) is not None


def _finite(a: Any) -> Any:
    if isinstance(a, np.ndarray) and a.dtype.kind == "f":
        return np.where(np.isfinite(a), a, a.dtype.type(1))
    return 1.0 if isinstance(a, float) and not math.isfinite(a) else a


def forward_anomaly(step: Step, born: bool, cause: str = "", source: Anomaly | None = None) -> Anomaly:
    """What is wrong with the output of ``step``."""
    index = first_bad(step.output)
    assert index is not None
    found = Anomaly(
        "forward",
        step.name,
        step.title,
        born=born,
        origin=step.origin,
        cause=cause,
        source=source,
        **_counted(step.output, index),
    )
    if born:
        name, dtype = step.primitive.__name__, step.output.dtype
        if step.elementwise:
            found.values = step.at(index)
            found.cause = forward_cause(name, found.values, found.value, dtype)
        else:
            shapes = {step.argument(i): a.shape for i, a in enumerate(step.args) if isinstance(a, np.ndarray)}
            inputs, cause = step.ranges(), summary_cause(name, found.value, shapes, dtype)
            found.cause = f"its inputs are {inputs}; {cause}" if cause else f"its inputs are {inputs}"
        found.fix = "" if name == "mul" and found.kind == "nan" else fix(name)
    return found


def backward_anomaly(
    title: str, step: Step | None, position: int, g: Any, x_bar: np.ndarray, senders: Sequence[Step]
) -> Anomaly:
    """What is wrong with the gradient ``x_bar`` that a rule made of a finite ``g``."""
    index = first_bad(x_bar)
    assert index is not None
    found = Anomaly(
        "backward",
        step.name if step is not None else title.partition("Backward")[0],
        title,
        born=True,
        origin=step.origin if step is not None else None,
        argument=step.argument(position) if step is not None else f"input {position}",
        position=position,
        **_counted(x_bar, index),
    )
    if step is None or not isinstance(g, np.ndarray):
        return found
    if step.custom:
        found.cause = f"the backward of {found.operation} made it of a finite g, up to |g| = {number(np.abs(g).max())}"
        return found
    found.formula, found.fix = formula(step.primitive, position), fix(step.primitive.__name__)
    each = step.gradient(position, g)
    if each is not None:
        _explain_element(found, step, position, g, each, senders)
    else:
        found.cause = f"g is finite, up to |g| = {number(np.abs(g).max())}; the operation's inputs are {step.ranges()}"
    return found


def _explain_element(
    found: Anomaly, step: Step, position: int, g: np.ndarray, each: np.ndarray, senders: Sequence[Step]
) -> None:
    at = first_bad(each)
    if at is None:
        found.cause = f"adding up the gradients of {each.size} elements passes {largest(each.dtype)}"
        return
    slopes = step.gradient(position, np.ones_like(step.output))
    assert slopes is not None
    y, slope, upstream = step.output[at].item(), slopes[at].item(), g[at].item()
    found.values, found.upstream, found.slope = {**step.at(at), "y": y}, upstream, slope
    if math.isfinite(slope):
        found.cause = f"the slope there is {number(slope)}, and a product on the way passes {largest(each.dtype)}"
    elif upstream == 0:
        found.cause = f"the slope of {step.name} there is {number(slope)}, and 0 * {number(slope)} is nan"
        for sender in senders:
            if sender.primitive.__name__ in ZEROS:
                found.cause += (
                    f". The 0 comes from {sender.name} ({sender.origin}), which {ZEROS[sender.primitive.__name__]}: "
                    f"what is not chosen is still differentiated"
                )
                break
    else:
        found.cause = f"the slope of {step.name} there is {number(slope)}"
    if upstream == 0 and any(sender.primitive.__name__ == "where" for sender in senders):
        found.fix = f"choose before {step.name}, not only after it: where(c, {step.name}(where(c, x, 1)), other)"


def formula(primitive: Any, position: int) -> str:
    """The rule for an input as its source says it, such as ``g / (2 * y)``; of a function its name and arguments."""
    rule = primitive.rules.get(0 if primitive.variadic else position, (None,))[0]
    tree = tree_of(rule) if rule is not None else None
    if isinstance(tree, ast.Lambda):
        return ast.unparse(tree.body)
    return f"{tree.name.strip('_')}({', '.join(a.arg for a in tree.args.args)})" if tree is not None else ""


def array_of(x: Any) -> Any:
    """The array of a tensor; anything else as it is."""
    return x.array if isinstance(x, TensorBase) else x
