"""Tier B, continued: gradients that follow some uses of a variable and forget others.

A value that is used twice gets two contributions. Each use of a variable in the forward function's text is held constant in
turn: if differences then give the learner's gradient, that use is the one that was forgotten.
"""

from __future__ import annotations

import ast
import copy
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigrad.autograd.checking.problem import Arrays, Problem
from minigrad.autograd.checking.report import CERTAIN, HIGH, Diagnosis
from minigrad.autograd.checking.text import compiled, scope_of, tree_of
from minigrad.autograd.checking.view import View
from minigrad.tensor import Tensor

TAP = "_tap_"
MOST = 24  # uses of variables looked at; of more, a text is too long to be told by one


class _Taps(ast.NodeTransformer):
    """Every use of a variable ``v`` becomes ``_tap_(k, v)``."""

    def __init__(self, names: set[str], hidden: str | None) -> None:
        self.names, self.hidden = names, hidden
        self.uses: list[tuple[str, int]] = []

    def visit(self, node: ast.AST) -> Any:
        """Nodes are left as they are if they only keep something in a Function's ``ctx``."""
        keeps = isinstance(node, (ast.Expr, ast.Assign)) and self.hidden is not None
        if keeps and any(isinstance(n, ast.Name) and n.id == self.hidden for n in ast.walk(node)):
            return node
        return super().visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if not isinstance(node.ctx, ast.Load) or node.id not in self.names:
            return node
        self.uses.append((node.id, node.lineno))
        call = ast.Call(ast.Name(TAP, ast.Load()), [ast.Constant(len(self.uses) - 1), node], [])
        return ast.copy_location(call, node)


def _frozen(value: Any) -> Any:
    """The value as it is now, without history."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    return value.copy() if isinstance(value, np.ndarray) else value


class Uses:
    """The forward function with its uses of variables numbered, each of which can be held constant."""

    def __init__(self, function: Callable[..., Any], hidden: str | None = None) -> None:
        self.uses: list[tuple[str, int]] = []
        self.lines: dict[int, str] = {}
        tree = tree_of(function)
        if tree is None:
            return
        own = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self.inputs = {a.arg for a in tree.args.args} - {hidden}
        own |= self.inputs
        taps = _Taps(own, hidden)
        changed = copy.deepcopy(tree)
        if isinstance(changed, ast.Lambda):
            changed.body = taps.visit(changed.body)
        else:
            changed.body = [taps.visit(s) for s in changed.body]
        self.held: set[int] = set()
        self.kept: dict[tuple[int, int], Any] = {}
        self.counts: Counter[int] = Counter()
        self.keeping = False
        scope = {**scope_of(function), TAP: self._tap}
        try:
            self.function = compiled(changed, scope)
        except (SyntaxError, ValueError, TypeError):
            return
        self.uses = taps.uses
        for node in ast.walk(tree):
            if isinstance(node, ast.stmt) and isinstance(tree, ast.FunctionDef) and node is not tree:
                self.lines[node.lineno] = ast.unparse(node)

    def _tap(self, k: int, value: Any) -> Any:
        self.counts[k] += 1
        key = k, self.counts[k]
        if self.keeping:
            self.kept[key] = _frozen(value)
        elif k in self.held and key in self.kept:
            return self.kept[key]
        return value

    def run(self, *given: Any) -> Any:
        self.counts.clear()
        return self.function(*given)

    def keep(self, problem: Problem, xs: Arrays) -> None:
        """Remember the value of every use at this point."""
        self.keeping = True
        try:
            problem.call(self.run, xs)
        finally:
            self.keeping = False

    def sets(self) -> Iterator[tuple[int, ...]]:
        """Uses to hold together: all of a variable or of two, single ones, and several of one variable."""
        every = range(len(self.uses))
        own = {name: tuple(k for k in every if self.uses[k][0] == name) for name, _ in self.uses}
        inner = [ks for name, ks in own.items() if name not in self.inputs]
        yield from inner
        yield from (a + b for a, b in itertools.combinations(inner, 2))
        yield from ((k,) for k in every)
        for ks in own.values():
            for size in range(2, len(ks)):
                if len(ks) <= 6:
                    yield from itertools.combinations(ks, size)


def forgotten_uses(view: View) -> Iterator[Diagnosis]:
    """The learner's gradient is that of the function with some uses of a variable held constant."""
    problem = view.evidence.problem
    if problem.source is None or view.columns.size > 200 or not view.full:
        return
    uses = Uses(problem.source, problem.hidden)
    if not 1 < len(uses.uses) <= MOST:
        return
    try:
        uses.keep(problem, view.evidence.copies())
    except Exception:  # the rewritten text does not run: nothing can be said this way
        return
    rng = np.random.default_rng(0)
    v = rng.standard_normal(view.columns.size)
    wanted, right = view.a @ v, view.n @ v
    slack = (
        view.slack @ np.abs(v) * 5
        + 1e-6 * (np.abs(wanted) + np.abs(right))
        + 1e-7 * float(np.abs(right).max(initial=0.0))
    )
    for held in uses.sets():
        uses.held = set(held)
        slope = _slope(view, uses, v)
        if slope is None or slope.shape != wanted.shape:
            continue
        if np.all(np.abs(slope - right) <= slack):
            continue  # this use carries no gradient
        if np.all(np.abs(slope - wanted) <= slack):
            yield _forgotten(view, uses, held)
            return
        if np.all(np.abs(2 * right - slope - wanted) <= slack):
            yield _doubled(view, uses, held)
            return


def _slope(view: View, uses: Uses, v: np.ndarray) -> np.ndarray | None:
    """The slope of the outputs along ``v``, with some uses held: a central difference, extrapolated once."""
    h = 1e-3 * max(1.0, float(np.abs(view.entries).max(initial=0.0))) / max(1.0, float(np.abs(v).max(initial=0.0)))

    def at(t: float) -> np.ndarray:
        xs = view.evidence.copies()
        xs[view.block.which].reshape(-1)[view.columns] += t * v
        return view.evidence.problem.call(uses.run, xs)

    try:
        d = [(at(s) - at(-s)) / (2 * s) for s in (h / 8, h / 16, h / 32)]
    except Exception:  # a held value may not fit the text's branches
        return None
    first, second = (4 * d[1] - d[0]) / 3, (4 * d[2] - d[1]) / 3
    return (16 * second - first) / 15


def _phrase(uses: Uses, held: tuple[int, ...]) -> tuple[str, str]:
    """The variables whose uses were held, and the statement of the first."""
    names = dict.fromkeys(uses.uses[k][0] for k in held)
    line = uses.uses[held[0]][1]
    return " and ".join(names), f" in `{uses.lines[line]}`" if line in uses.lines else ""


def _forgotten(view: View, uses: Uses, held: tuple[int, ...]) -> Diagnosis:
    name, text = _phrase(uses, held)
    own = [k for k, (n, _) in enumerate(uses.uses) if n == name]
    if not view.evidence.problem.by_hand:
        return view.say(
            "detached",
            f"No gradient flows through {name}{text}: your gradient is that of the function with {name} held constant "
            "there. A detach(), .data, "
            f".numpy(), item() or no_grad() cuts the graph.",
            HIGH,
            expression=name,
        )
    if len(held) < len(own):
        which = ", ".join(str(own.index(h) + 1) for h in held)
        return view.say(
            "overwrite",
            f"{name} is used {len(own)} times, and each use sends a gradient; you kept {len(own) - len(held)} and lost "
            "that of use "
            f"{which}{text}. Accumulate: add the contributions up, where you keep the last.",
            CERTAIN,
            expression=name,
        )
    return view.say(
        "treated_constant",
        f"Your gradient treats {name} as constant, but {name} depends on {view.name}: the terms through {name} are missing.",
        HIGH,
        expression=name,
    )


def _doubled(view: View, uses: Uses, held: tuple[int, ...]) -> Diagnosis:
    name, text = _phrase(uses, held)
    return view.say(
        "double_count",
        f"The contribution of one use of {name}{text} is counted twice in the gradient of {view.name}.",
        HIGH,
        expression=name,
    )
