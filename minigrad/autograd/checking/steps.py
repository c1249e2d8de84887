"""Tier B, continued: gradients that are right but for the derivative of one step of the forward function's text.

Every call, operator and index in the text is a step. Its value is kept, and what it does to a small change is replaced: the
change passes on unchanged, turned around, doubled, or as a mutant of the rule has it where the step is a known function. If
differences of the changed function then give the learner's gradient, that is the step whose derivative is wrong.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd.checking import mutate
from minigrad.autograd.checking.known import recognised
from minigrad.autograd.checking.report import HIGH, Diagnosis
from minigrad.autograd.checking.text import compiled, scope_of, tree_of
from minigrad.autograd.checking.uses import MINE, RIGHT, TAP, Probe, keeps_only
from minigrad.autograd.checking.view import View
from minigrad.tensor import Tensor

MOST = 40  # steps looked at; a longer text is not told by one of them
LARGEST = 200  # entries of a step up to which its Jacobian by a mutant of its rule is computed

Change = Callable[
    [np.ndarray, np.ndarray, dict[int, np.ndarray]], np.ndarray
]  # of a value, its change, those of its operands
Told = tuple[str, str]  # the code of a mistake and a sentence for it


class Step(NamedTuple):
    """A place in the text: how it reads, the steps that go into it, and whether it is the result."""

    text: str
    operands: list[int]
    node: ast.expr
    whole: bool


class _Marks(ast.NodeTransformer):
    """Every step ``e`` becomes ``_tap_(k, e)``."""

    def __init__(self, names: set[str], hidden: str | None) -> None:
        self.names, self.hidden = names, hidden
        self.steps: list[Step] = []
        self.top: ast.AST | None = None

    def visit(self, node: ast.AST) -> Any:
        if keeps_only(node, self.hidden):
            return node
        if isinstance(node, ast.Return):
            self.top = node.value
        named = isinstance(node, ast.Name) and node.id in self.names
        step = named or isinstance(node, (ast.Call, ast.BinOp, ast.UnaryOp, ast.Subscript))
        if not step or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return super().generic_visit(node)
        text, whole = ast.unparse(node), node is self.top
        changed: Any = node if named else super().generic_visit(node)
        self.steps.append(Step(text, _operands(changed), node, whole))  # type: ignore[arg-type]
        call = ast.Call(ast.Name(TAP, ast.Load()), [ast.Constant(len(self.steps) - 1), changed], [])
        return ast.copy_location(call, node)


def _operands(node: Any) -> list[int]:
    """The steps that go into a marked node."""
    parts: list[Any] = []
    if isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    elif isinstance(node, ast.UnaryOp):
        parts = [node.operand]
    elif isinstance(node, ast.Call):
        parts = [*([node.func.value] if isinstance(node.func, ast.Attribute) else []), *node.args]
    elif isinstance(node, ast.Subscript):
        parts = [node.value]
    calls: list[Any] = [p for p in parts if isinstance(p, ast.Call) and getattr(p.func, "id", "") == TAP]
    return [call.args[0].value for call in calls]


class Steps:
    """The forward function with its steps numbered, one of which can be changed."""

    def __init__(self, function: Callable[..., Any], hidden: str | None) -> None:
        self.steps: list[Step] = []
        self.base: dict[tuple[int, int], np.ndarray] = {}
        self.counts: Counter[int] = Counter()
        self.latest: dict[int, np.ndarray] = {}
        self.changed: tuple[int, Change] | None = None
        self.keeping = False
        tree = tree_of(function)
        if tree is None:
            return
        own = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        marks = _Marks(own | ({a.arg for a in tree.args.args} - {hidden}), hidden)
        made = copy.deepcopy(tree)
        if isinstance(made, ast.Lambda):
            marks.top = made.body
            made.body = marks.visit(made.body)
        else:
            made.body = [marks.visit(s) for s in made.body]
        try:
            self.function = compiled(made, {**scope_of(function), TAP: self._tap})
        except (SyntaxError, ValueError, TypeError):
            return
        self.steps = marks.steps

    def _tap(self, k: int, value: Any) -> Any:
        array = value.array if isinstance(value, Tensor) else value
        if not isinstance(array, (np.ndarray, np.floating)) or array.dtype.kind != "f":
            return value
        self.counts[k] += 1
        key = k, self.counts[k]
        array = np.array(array)
        self.latest[k] = array
        if self.keeping:
            self.base[key] = array
        elif self.changed is not None and self.changed[0] == k and key in self.base:
            return self._as(value, self._change(k, self.base[key], array))
        return value

    def _change(self, k: int, before: np.ndarray, now: np.ndarray) -> np.ndarray:
        assert self.changed is not None
        if now.shape != before.shape:
            raise ValueError("the step has another shape here")
        starts = {j: self.base.get((j, self.counts[j])) for j in self.steps[k].operands}
        moves = {j: self.latest[j] - start for j, start in starts.items() if start is not None}
        return np.broadcast_to(self.changed[1](before, now - before, moves), now.shape).copy()

    @staticmethod
    def _as(value: Any, array: np.ndarray) -> Any:
        return Tensor.wrap(array) if isinstance(value, Tensor) else array

    def run(self, *given: Any) -> Any:
        self.counts.clear()
        return self.function(*given)


def wrong_steps(view: View) -> Iterator[Diagnosis]:
    """The learner's gradient is that of the function with another derivative of one step."""
    problem = view.evidence.problem
    if problem.source is None or not problem.by_hand or view.columns.size > 200 or not view.full:
        return
    steps = Steps(problem.source, problem.hidden)
    if not 1 < len(steps.steps) <= MOST:
        return
    try:
        steps.keeping = True
        problem.call(steps.run, view.evidence.copies())
        steps.keeping = False
    except Exception:  # the rewritten text does not run: nothing can be said this way
        return
    probe = Probe(view)

    def alike(k: int, change: Change) -> set[str]:
        steps.changed = k, change
        return probe.alike(steps.run)

    ratios = view.ratio[np.isfinite(view.ratio)]
    one_factor = bool(ratios.size) and np.ptp(ratios) <= 2e-3 * abs(float(np.median(ratios)))
    for k, step in enumerate(steps.steps):
        if (k, 1) not in steps.base or RIGHT in alike(k, lambda y, dy, dx: y):
            continue  # it does not run, or no gradient goes through it
        for change, (code, text) in _changes(steps, k, one_factor):
            found = alike(k, change)
            if MINE in found and RIGHT not in found:
                yield view.say(code, text.format(step=step.text, name=view.name), HIGH, expression=step.text)


def _changes(steps: Steps, k: int, one_factor: bool) -> Iterator[tuple[Change, Told]]:
    """What may be done to a step, with the code of the mistake and a sentence for it."""
    step, value = steps.steps[k], steps.base[k, 1]
    operands = [j for j in step.operands if (j, 1) in steps.base]
    named = isinstance(step.node, ast.Name)
    for j in operands:
        inner = steps.steps[j]
        if not (step.whole and isinstance(inner.node, ast.Name) and isinstance(step.node, ast.Call)):
            yield _passed_on(j), ("dropped_factor", _brackets(PASSED.format(step=step.text, inner=inner.text)))
    if not one_factor and not named:
        yield (
            lambda y, dy, dx: y - dy,
            ("sign_of_term", "What goes through `{step}` has the wrong sign in your gradient of {name}."),
        )
        for factor, words in ((2.0, "twice"), (0.5, "half")):
            yield (
                lambda y, dy, dx, c=factor: y + c * dy,  # type: ignore[misc]
                (
                    "factor_2",
                    f"What goes through `{{step}}` is {words} what it should be in your gradient of {{name}}.",
                ),
            )
    for j in operands if isinstance(step.node, (ast.Call, ast.BinOp)) else ():
        if not one_factor and isinstance(step.node, ast.Call):
            yield from _of_sizes(steps.base[j, 1].size // max(value.size, 1))
        yield from _of_known(j, steps.base[j, 1], value)


PASSED = (
    "Your gradient of NAME leaves out the derivative of `{step}`: it is that of a function with `{inner}` in its place, as far as "
    "derivatives go."
)


def _brackets(text: str) -> str:
    """A text for ``format`` that has a name to be filled in."""
    return text.replace("{", "{{").replace("}", "}}").replace("NAME", "{name}", 1)


def _passed_on(j: int) -> Change:
    def change(y: np.ndarray, dy: np.ndarray, dx: dict[int, np.ndarray]) -> np.ndarray:
        if j not in dx or np.broadcast_shapes(dx[j].shape, y.shape) != y.shape:
            raise ValueError("nothing of this shape goes in")
        return y + dx[j]

    return change


def _of_sizes(n: int) -> Iterator[tuple[Change, Told]]:
    """A sum for a mean, or a mean for a sum, of ``n``."""
    if n > 2:
        yield (
            lambda y, dy, dx: y + n * dy,
            (
                "missing_mean",
                f"What goes through `{{step}}` is {n} times too big in your gradient of {{name}}: divide by it.",
            ),
        )
        yield (
            lambda y, dy, dx: y + dy / n,
            ("extra_mean", f"What goes through `{{step}}` is {n} times too small in your gradient of {{name}}."),
        )


def _of_known(j: int, x: np.ndarray, y: np.ndarray) -> Iterator[tuple[Change, Told]]:
    """Where the step is a known function of what goes in: what mutants of its rule make of it."""
    known = recognised([x], [y]) if y.ndim and max(x.size, y.size) <= LARGEST else None
    if known is None:
        return
    units = np.eye(y.size).reshape(y.size, *y.shape)
    for mutant in mutate.mutants(known.rules["x"], ["g", "x", "y"], False):
        jacobian = _jacobian(mutant.function, x, y, units)
        if jacobian is None or np.array_equal(jacobian, np.eye(len(jacobian))):
            continue
        why, was, now = mutate.told(mutant)
        text = (
            f"At the step `{{step}}`, which is {known.name}, your gradient of {{name}} is that of the rule `{now}`; right is "
            f"`{was}`, x being what goes in and y what comes out: {why}."
        )
        yield (
            lambda y, dy, dx, to=jacobian: y + (to @ dx[j].reshape(-1)).reshape(y.shape),  # type: ignore[misc]
            (mutant.kinds[0], text),
        )


def _jacobian(rule: Callable[..., Any], x: np.ndarray, y: np.ndarray, units: np.ndarray) -> np.ndarray | None:
    """The Jacobian of which ``rule`` is the transpose, row by row; None if it is none of that shape."""
    try:
        nothing, *rows = [mutate.evaluate(rule, ["x"], mutate.Sample(g, {"x": x}, y, [])) for g in [0 * y, *units]]
    except Exception:  # most mutants of shapes do not run
        return None
    if np.any(nothing) or any(np.shape(r) != x.shape for r in rows):
        return None  # it does not multiply by g, or is of another shape
    found = np.stack([np.asarray(r, np.float64).reshape(-1) for r in rows])
    return found if np.isfinite(found).all() else None
