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


def keeps_only(node: ast.AST, hidden: str | None) -> bool:
    """Whether a statement only keeps something in a Function's ``ctx``."""
    if hidden is None or not isinstance(node, (ast.Expr, ast.Assign)):
        return False
    return any(isinstance(n, ast.Name) and n.id == hidden for n in ast.walk(node))


def _place(node: ast.AST) -> Any:
    """Where a name stands in the text."""
    return (node.lineno, node.col_offset) if isinstance(node, ast.Name) else None


class _Taps(ast.NodeTransformer):
    """Every use of a variable ``v`` becomes ``_tap_(k, v)``."""

    def __init__(self, names: set[str], hidden: str | None) -> None:
        self.names, self.hidden = names, hidden
        self.uses: list[tuple[str, int]] = []
        self.places: dict[Any, int] = {}  # of the uses in the text

    def visit(self, node: ast.AST) -> Any:
        return node if keeps_only(node, self.hidden) else super().visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if not isinstance(node.ctx, ast.Load) or node.id not in self.names:
            return node
        self.places[_place(node)] = len(self.uses)
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
        self.places: dict[Any, int] = {}
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
        self.uses, self.places, self.tree = taps.uses, taps.places, tree
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

    def neutral(self, probe: Probe) -> set[int]:
        """The uses without an effect on the gradient, as the maximum that a softmax subtracts, to be held with others."""
        found = set()
        for k in range(len(self.uses)):
            self.held = {k}
            if RIGHT in probe.alike(self.run):
                found.add(k)
        self.held = found
        return found if RIGHT in probe.alike(self.run) else set()

    def parts(self, held: set[int]) -> list[str]:
        """The largest parts of the text in which all uses are ``held`` ones; none if these are the bare variables."""
        if not self.places:
            return []

        def below(node: ast.AST) -> set[int]:
            return {self.places[p] for n in ast.walk(node) if (p := _place(n)) in self.places}

        def largest(node: ast.AST) -> Iterator[ast.expr]:
            inside = below(node)
            if inside and inside <= held and isinstance(node, ast.expr):
                yield node
            elif inside & held:
                for child in ast.iter_child_nodes(node):
                    yield from largest(child)

        found = list(largest(self.tree))
        return [] if all(isinstance(n, ast.Name) for n in found) else list(dict.fromkeys(map(ast.unparse, found)))

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
    probe = Probe(view)
    neutral = uses.neutral(probe)
    for held in uses.sets():
        lost = tuple(k for k in held if k not in neutral)
        uses.held = {*held, *neutral}
        alike = probe.alike(uses.run) if lost else {RIGHT}
        if RIGHT in alike:
            continue  # these uses carry no gradient
        if MINE in alike:
            yield _forgotten(view, uses, lost, neutral)
        elif TWICE in alike:
            yield _doubled(view, uses, lost)


RIGHT, MINE, TWICE = "right", "mine", "twice"


class Probe:
    """The slopes of a function along three directions: the right ones, the learner's, and those of what is counted twice."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.lines: list[tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]] = []
        for v in np.random.default_rng(0).standard_normal((3, view.columns.size)):
            mine, right = view.a @ v, view.n @ v
            slack = view.slack @ np.abs(v) * 5 + 1e-6 * (np.abs(mine) + np.abs(right))
            slack += 1e-7 * float(np.abs(right).max(initial=0.0))
            goals = {RIGHT: right, MINE: mine, TWICE: 2 * right - mine}
            if np.all(np.abs(goals[TWICE]) <= slack):
                del goals[TWICE]  # twice of all: that is a factor
            self.lines.append((v, goals, slack))

    def alike(self, function: Callable[..., Any]) -> set[str]:
        """Which of them the slopes of a changed function are."""
        left = {RIGHT, MINE, TWICE}
        for v, goals, slack in self.lines:
            slope = slope_along(self.view, function, v)
            if slope is None or slope.shape != slack.shape:
                return set()
            left = {k for k in left if k in goals and np.all(np.abs(slope - goals[k]) <= slack)}
            if not left:
                break
        return left


def slope_along(view: View, function: Callable[..., Any], v: np.ndarray) -> np.ndarray | None:
    """The slope of the outputs of a changed function along ``v``: central differences, extrapolated."""
    h = 1e-3 * max(1.0, float(np.abs(view.entries).max(initial=0.0))) / max(1.0, float(np.abs(v).max(initial=0.0)))

    def at(t: float) -> np.ndarray:
        xs = view.evidence.copies()
        xs[view.block.which].reshape(-1)[view.columns] += t * v
        return view.evidence.problem.call(function, xs)

    try:
        d = [(at(s) - at(-s)) / (2 * s) for s in (h / 8, h / 16, h / 32)]
    except Exception:  # a held value may not fit the text's branches
        return None
    first, second = (4 * d[1] - d[0]) / 3, (4 * d[2] - d[1]) / 3
    return (16 * second - first) / 15


def _phrase(uses: Uses, held: tuple[int, ...]) -> tuple[str, str]:
    """The variables whose uses were held, and the parts of the text that they are, or the statement of the first."""
    names = dict.fromkeys(uses.uses[k][0] for k in held)
    line = uses.uses[held[0]][1]
    parts = uses.parts(set(held))
    where = " and ".join(f"`{p}`" for p in parts) or (f"`{uses.lines[line]}`" if line in uses.lines else "")
    return " and ".join(names), f" in {where}" if where else ""


def _forgotten(view: View, uses: Uses, held: tuple[int, ...], neutral: set[int]) -> Diagnosis:
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
    if len(held) < len(set(own) - neutral) and len({uses.uses[k][0] for k in held}) == 1:
        which = " and ".join(str(own.index(h) + 1) for h in held)
        return view.say(
            "overwrite",
            f"{name} is used {len(own)} times, and each use sends a gradient; you lost "
            f"{'that of use' if len(held) == 1 else 'those of uses'} {which}{text}. Accumulate: add the contributions of "
            "all uses up.",
            CERTAIN,
            expression=name,
        )
    return view.say(
        "treated_constant",
        f"Your gradient treats {name} as constant{text}, but {name} depends on {view.name}: the terms through {name} are missing.",
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
