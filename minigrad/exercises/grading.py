"""How an answer is judged: forward values, then the rule by the checker, then edge shapes, then the reference's gradient.

The python block of an exercise's "Grade" section calls the methods of ``Grader``; the first that finds a mistake raises a
``Failure`` with its name and a sentence. Nothing is compared with numbers that somebody wrote down: the values come from the
solution, run on the same inputs.
"""

from __future__ import annotations

import ast
import linecache
import time
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from minigrad.autograd.checking.diagnose import diagnose
from minigrad.autograd.checking.problem import caller
from minigrad.autograd.checking.report import Report
from minigrad.autograd.checking.text import tree_of
from minigrad.autograd.gradcheck import GradcheckError, gradcheck
from minigrad.creation import tensor
from minigrad.exercises.draws import Draw, draws, edges, letters_of
from minigrad.exercises.edited import edited, retold
from minigrad.tensor import Tensor

PATIENCE = 3.0  # seconds in which an edit of the solution with the learner's values is looked for
SIMILAR = 1e-9  # what rounding may do to a value computed in another order


class Failure(Exception):  # noqa: N818 - it is an answer's, not an error of the program
    """What is wrong with an answer: the name of the mistake, a sentence, and lines that show it."""

    def __init__(self, code: str, sentence: str, details: list[str] | None = None, sure: bool = True) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.details = code, sentence, details or []
        self.sure = sure  # whether a known mistake with the same values would be no better name


class Names:
    """The functions of a module as attributes; one that is missing is the learner's mistake."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace

    def __getattr__(self, name: str) -> Any:
        if name not in self.namespace:
            raise Failure("missing", f"{name} is not there: keep the name that the exercise gave, and fill its body.")
        return self.namespace[name]


class Grader:
    """The words of a "Grade" section; ``learner`` and ``solution`` hold the names of the two files."""

    def __init__(
        self, learner: dict[str, Any], solution: dict[str, Any], mistakes: dict[str, dict[str, Any]] | None = None
    ) -> None:
        self.learner, self.solution = Names(learner), Names(solution)
        self.mistakes = {
            title: Names(names) for title, names in (mistakes or {}).items()
        }  # known ones, by their titles
        self.give = tensors if "torch" in solution else lambda value: value  # what the functions of the exercise take
        self.finite: set[str] = set()  # the functions that have given finite values so far

    def words(self) -> dict[str, Any]:
        """What the python block of a "Grade" section can use."""
        methods = (self.values, self.rule, self.gradient, self.compare, self.expect, self.fail)
        named = {m.__name__: m for m in methods}
        return {
            **named,
            "learner": self.learner,
            "solution": self.solution,
            "np": np,
            "draws": draws,
            "edges": edges,
            "torch": self.solution.namespace.get("torch"),
        }

    def fail(self, code: str, sentence: str, *details: str) -> NoReturn:
        """End the grading with a diagnosis."""
        raise Failure(code, sentence, list(details))

    def expect(self, truth: Any, code: str, sentence: str, *details: str) -> None:
        """End the grading with a diagnosis unless ``truth`` holds."""
        if not truth:
            raise Failure(code, sentence, list(details))

    def values(self, name: str, **specs: Any) -> None:
        """The learner's function ``name`` gives the solution's values on random inputs, and leaves the inputs alone."""
        letters = letters_of(specs)
        for given in [*draws(letters, **specs), *edges(letters, **specs)]:
            before = {k: self.give(v) for k, v in _copied(given).items()}
            found = getattr(self.learner, name)(*before.values())
            changed = next((k for k, v in given.items() if not _same(before[k], v)), None)
            self.expect(
                changed is None, "input_changed", f"{name} changes its argument {changed} in place: work on a copy."
            )
            self.compare(name, found, self._run(getattr(self.solution, name), given), given)

    def _run(self, function: Callable[..., Any], given: Draw) -> Any:
        return function(*(self.give(v) for v in _copied(given).values()))

    def compare(self, name: str, found: Any, right: Any, given: Draw | None = None) -> None:
        """One result of the function ``name`` with the right one; ``given`` are the arguments, to name the mistake."""
        if isinstance(right, (tuple, list)):
            kind = type(right).__name__
            ok = isinstance(found, (tuple, list)) and len(found) == len(right)
            what = f"{len(found)} values" if isinstance(found, (tuple, list)) else _kind(found)
            self.expect(ok, "wrong_type", f"{name} returned {what}; it should return a {kind} of {len(right)} values.")
            for i, (a, b) in enumerate(zip(found, right, strict=True)):
                self._compare_one(f"Value {i + 1} of {name}", name, a, b, given if len(right) == 1 else None)
        else:
            self._compare_one(name, name, found, right, given)

    def _compare_one(self, label: str, name: str, found: Any, right: Any, given: Draw | None) -> None:
        self.expect(found is not None, "none", f"{label} returned None: a return statement is missing.")
        right = _array(right)
        try:
            mine = _array(found).astype(np.float64)
        except (TypeError, ValueError):
            self.fail("wrong_type", f"{label} returned {_kind(found)}; numbers of shape {right.shape} are needed.")
        self.expect(
            mine.shape == right.shape, "wrong_shape", f"{label} has the shape {mine.shape}; it should be {right.shape}."
        )
        gap = np.abs(mine - right)
        with np.errstate(all="ignore"):
            bad = ~(gap <= SIMILAR * (1 + np.abs(right))) & ~(mine == right)
        if np.isfinite(mine).all():
            self.finite.add(name)
        if not bad.any():
            return
        at = tuple(int(i) for i in np.unravel_index(int(np.argmax(np.where(bad, gap, -1))), right.shape))
        if not np.isfinite(mine).all():
            at = tuple(int(i) for i in np.argwhere(~np.isfinite(mine))[0])
        place = f"{list(at)}" if at else ""
        details = [f"yours    {mine[at]:.9g}", f"expected {right[at]:.9g}   {label}{place}", *_shown(given, at)]
        code, sentence = self._named(label, name, mine, right, given)
        raise Failure(code, sentence, details)

    def _named(self, label: str, name: str, mine: np.ndarray, right: np.ndarray, given: Draw | None) -> tuple[str, str]:
        if np.isfinite(right).all() and not np.isfinite(mine).all():
            if np.isnan(mine).all() and name not in self.finite:
                return "nan", f"{label} is nan everywhere."
            return "overflow", f"{label} is {mine[~np.isfinite(mine)][0]:g} where the true value is finite: rearrange " \
                "the formula so that no exp() gets a large argument and no log() a 0."  # fmt: skip
        if np.ptp(mine) == 0 and right.size > 1 and np.ptp(right) > 0 and not mine.any():
            return "zero", f"{label} is 0 everywhere: it is still to be written."
        gap, size = np.abs(mine - right).max(), np.abs(right).max()
        if 0 < gap < 1e-4 * size:
            return "epsilon", f"{label} is off by {gap / size:.0e} of its size: right but for a small number that was " \
                "added, or for low precision."  # fmt: skip
        if np.allclose(mine, -right, rtol=1e-9, atol=0):
            return "sign", f"{label} is right except for the sign."
        for axis, n in [(None, v.size) for v in (given or {}).values() if isinstance(v, np.ndarray)] + [
            (i, n) for v in (given or {}).values() if isinstance(v, np.ndarray) for i, n in enumerate(v.shape)
        ]:
            where = "the number of entries" if axis is None else f"the size of axis {axis}"
            if n > 2 and np.allclose(mine, right * n, rtol=1e-9, atol=0):
                return "missing_mean", f"{label} is exactly {n} times too big, and {n} is {where}: divide by it."
            if n > 2 and np.allclose(mine * n, right, rtol=1e-9, atol=0):
                return (
                    "extra_mean",
                    f"{label} is exactly {n} times too small, and {n} is {where}: a sum does not divide.",
                )
        named = self._mutant(name, mine, given) or self._mistake(name, mine, given) if given else None
        return named or ("wrong_value", f"{label} has other values than asked for.")

    def _mistake(self, name: str, mine: np.ndarray, given: Draw) -> tuple[str, str] | None:
        """The known mistake that gives the learner's values."""
        for title, names in self.mistakes.items():
            try:
                found = _array(self._run(getattr(names, name), given))
            except Exception:  # some known mistakes are that it raises
                continue
            if found.shape == mine.shape and np.allclose(found, mine, rtol=1e-9, atol=1e-12):
                return "known_mistake", f"Your values are those of a known mistake: {title}."
        return None

    def _mutant(self, name: str, mine: np.ndarray, given: Draw) -> tuple[str, str] | None:
        """The small edit of the solution that gives the learner's values."""
        right = expression(getattr(self.solution, name))
        tree = tree_of(right)
        until = time.monotonic() + PATIENCE
        for edit in edited(tree, list(given)) if tree is not None else ():
            if time.monotonic() > until:
                break
            try:
                found = _array(self._run(edit.function(right), given))
            except Exception:  # most edits of shapes do not run
                continue
            if found.shape == mine.shape and np.allclose(found, mine, rtol=1e-9, atol=1e-12, equal_nan=True):
                return edit.kind, f"Your values are those of {_quoted(edit.text)}: {edit.words}."
        return None

    def rule(
        self, name: str | Callable[..., Any], of: str | Callable[..., Any], wrt: list[str] | None = None, **specs: Any
    ) -> None:
        """The learner's rule ``name`` is the gradient of the solution's function ``of``.

        The specs are the arguments of ``of`` in their order. ``name`` and ``of`` may be functions of a namespace (of
        ``learner`` or ``solution``), where the rule or the function is made of several.
        """
        forward = getattr(self.solution, of) if isinstance(of, str) else of
        rule = getattr(self.learner, name) if isinstance(name, str) else name(self.learner)
        right = expression(getattr(self.solution, name) if isinstance(name, str) else name(self.solution))
        letters = letters_of(specs)
        first = next(draws(letters, **specs))
        y = forward(*_copied(first).values())
        try:
            call = caller(rule, list(first))
        except ValueError as error:
            raise Failure("signature", f"Keep the parameters that the exercise gave: {error}.") from None
        call(np.ones(np.shape(y)), _copied(first), y)  # what this raises is told with its line
        points = [list(d.values()) for d in draws(letters, **specs)]
        try:
            self._check(forward, rule, right, points[0], points[1:], wrt)
        except Failure as failure:
            if not failure.sure:
                failure = self._known_rule(failure, name, forward, rule, list(draws(letters, **specs)))
            raise failure from None
        for given in edges(letters, **specs):
            shapes = ", ".join(f"{k} {list(v.shape)}" for k, v in given.items() if isinstance(v, np.ndarray))
            self._check(forward, rule, right, list(given.values()), [], wrt, f"Only at the edge shapes {shapes}: ")
        for given in [*draws(letters, **specs), *edges(letters, **specs)]:
            self._beside_reference(forward, rule, right, given)

    def _check(
        self, forward: Any, rule: Any, right: Any, inputs: list[Any], more: list[Any], wrt: Any, where: str = ""
    ) -> None:
        report = diagnose(forward, rule, inputs, reference=right, wrt=wrt, more=more)
        if not report.ok:
            raise failure_of(report, where)

    def _known_rule(self, failure: Failure, name: Any, forward: Any, rule: Any, points: list[Draw]) -> Failure:
        """The same failure, with the known mistake that gives the same gradients, if there is one."""
        for title, names in self.mistakes.items():
            theirs = getattr(names, name) if isinstance(name, str) else name(names)
            try:
                same = all(_agree(*(_pulled(forward, f, given) for f in (rule, theirs))) for given in points)
            except Exception:  # some known mistakes are that it raises
                continue
            if same:
                return Failure("known_mistake", f"Your gradient is that of a known mistake: {title}.", failure.details)
        return failure

    def _beside_reference(self, forward: Any, rule: Any, right: Any, given: Draw) -> None:
        """The same subgradient as the reference's at kinks, where the slopes leave a choice."""
        found, wanted = (_pulled(forward, f, given) for f in (rule, right))
        bad = ~(np.abs(found - wanted) <= 1e-6 * (1 + np.abs(wanted)))
        if bad.any():
            i = int(np.argmax(bad))
            raise Failure(
                "subgradient",
                f"Your gradient is {found[i]:.6g} where {wanted[i]:.6g} is asked for, at a place where the function has a "
                "kink. Slopes cannot decide there; follow the text of the exercise, which chooses as PyTorch does.",
                _shown(given, ()),
            )

    def gradient(self, name: str | Callable[..., Any], wrt: list[str] | None = None, **specs: Any) -> None:
        """The learner's function ``name`` of tensors can be differentiated, and its gradients are right."""
        function = getattr(self.learner, name) if isinstance(name, str) else name(self.learner)
        letters = letters_of(specs)
        for given in [*list(draws(letters, **specs))[::4], *edges(letters, **specs)]:
            inputs = [
                tensor(v, requires_grad=(k in wrt) if wrt else v.dtype.kind == "f") if isinstance(v, np.ndarray) else v
                for k, v in given.items()
            ]
            try:
                gradcheck(function, inputs, check_undefined_grad=False)
            except GradcheckError as error:
                raise failure_of(error.report) from None


def failure_of(report: Report, where: str = "") -> Failure:
    """A report of the checker as the end of a grading."""
    diagnosis = report.diagnosis
    if diagnosis is None:
        return Failure("unknown", f"{where}The gradient is wrong.", report.lines())
    sentence, sure = diagnosis.sentence, diagnosis.code != "unknown"
    if diagnosis.tier == "C" and diagnosis.expression:  # do not give the answer away
        why = sentence.rpartition("`: ")[2].rstrip(".").split(" and ")
        sure = len(why) == 1  # two edits fit many answers
        sentence = f"Your gradient of {diagnosis.input} is that of {_quoted(diagnosis.expression)}: {_joined(why)}."
    return Failure(diagnosis.code, where + sentence, _evidence(report), sure)


def _evidence(report: Report) -> list[str]:
    """What shows the mistake: the worst entry, and, if the mistake has no name, all that the checker knows."""
    worst = report.worst
    if worst is None:
        return []
    if report.code == "unknown":
        told = report.headline, report.diagnosis.sentence if report.diagnosis else ""
        return [line for line in report.lines() if line.strip() not in told and "[unknown, " not in line]
    what = worst.what.replace("output 0", "y")
    entry = f"{worst.input}{list(worst.index)}" if worst.index else worst.input
    wrong, every = report.counts.get(worst.input, (0, 0))
    return [
        f"{wrong} of {every} slopes along {worst.input} differ from the numeric ones; the worst is {what} along {entry}:",
        f"  yours   {worst.analytic: .9g}",
        f"  numeric {worst.numeric: .9g}",
    ]


def _quoted(text: str) -> str:
    """A statement as one line of code; of a whole function, its body."""
    tree = ast.parse(text).body[0]
    body = tree.body if isinstance(tree, ast.FunctionDef) else [tree]
    texts = [ast.unparse(s) for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return f"`{'; '.join(texts).removeprefix('return ')}`"


def _joined(reasons: list[str]) -> str:
    reasons = [retold(r) for r in reasons]
    return f"{reasons[0]}, twice" if len(reasons) == 2 and len(set(reasons)) == 1 else " and ".join(reasons)


def _pulled(forward: Any, rule: Any, given: Draw) -> np.ndarray:
    """The gradients of a rule for a random g, as one vector."""
    y = forward(*_copied(given).values())
    g = np.random.default_rng(1).standard_normal(np.shape(y))
    found = caller(rule, list(given))(g, _copied(given), y)
    return np.concatenate([np.ravel(v) for v in (found if isinstance(found, (tuple, list)) else [found])]).astype(float)


def _agree(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True))


def expression(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that only returns an expression as a lambda, whose mutants can rename a variable throughout."""
    tree = tree_of(function)
    if not isinstance(tree, ast.FunctionDef):
        return function
    body = tree.body[1:] if ast.get_docstring(tree) else tree.body
    if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
        return function
    text = f"lambda {ast.unparse(tree.args)}: {ast.unparse(body[0].value)}"
    filename = f"<{tree.name} as an expression>"
    linecache.cache[filename] = len(text), None, [text], filename
    return eval(compile(text, filename, "eval"), function.__globals__)


def tensors(value: Any) -> Any:
    """An array as a tensor; anything else as it is."""
    return tensor(value) if isinstance(value, np.ndarray) else value


def _array(value: Any) -> np.ndarray:
    if isinstance(value, Tensor):
        value = value.detach().numpy()
    return np.asarray(value)


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"


def _copied(given: Draw) -> Draw:
    return {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in given.items()}


def _same(a: Any, b: Any) -> bool:
    return not isinstance(b, np.ndarray) or (np.shape(_array(a)) == b.shape and bool(np.array_equal(_array(a), b)))


def _shown(given: Draw | None, at: tuple[int, ...]) -> list[str]:
    """The arguments, short, with the entry in question where there is one."""
    lines = []
    for name, value in (given or {}).items():
        if isinstance(value, np.ndarray) and value.size > 8:
            entry = (
                f", {name}{list(at)} = {value[at]:.6g}" if at and len(at) == value.ndim and _inside(at, value) else ""
            )
            lines.append(f"with {name} of shape {value.shape}{entry}")
        elif isinstance(value, np.ndarray):
            lines.append(f"with {name} = {np.array2string(value, precision=4, separator=', ')}")
        elif isinstance(value, (int, float)):
            lines.append(f"with {name} = {value}")
    return lines


def _inside(at: tuple[int, ...], value: np.ndarray) -> bool:
    return all(i < n for i, n in zip(at, value.shape, strict=True))
