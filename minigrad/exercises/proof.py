"""The proof that an exercise grades well: its solution passes, and every wrong answer fails, with the right diagnosis.

Wrong answers are the stub, answers that compute nothing (zeros, ones, a constant, nan, the first argument unchanged), and the
mutants that the exercise's file names.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd.checking.text import tree_of
from minigrad.exercises.exercise import Exercise
from minigrad.exercises.judge import Verdict, grade
from minigrad.tensor import Tensor

FILLS: dict[str, float | None] = {"zeros": 0.0, "ones": 1.0, "a constant": 0.37, "nan": np.nan, "return g": None}
CONSTANT = ("constant", "all_entries", "zero", "wrong_type", "wrong_value")  # a number alone is no constant to be seen
EXPECTED = {
    "zeros": ("zero", "wrong_type"),
    "ones": CONSTANT,
    "a constant": CONSTANT,
    "nan": ("nan", "zero", "wrong_type"),
}
NOT_AN_ANSWER = ("broken_exercise", "crashed")  # the fault of the exercise, and no diagnosis


class Proof(NamedTuple):
    """One answer, the diagnoses that are right for it (none: it passes; ("*",): any), and what was said of it."""

    answer: str
    codes: tuple[str, ...]
    verdict: Verdict

    @property
    def ok(self) -> bool:
        if not self.codes:
            return self.verdict.passed
        said = self.verdict.code
        wanted = said in self.codes or (self.codes == ("*",) and said != "unknown")
        return not self.verdict.passed and said not in NOT_AN_ANSWER and wanted

    def __str__(self) -> str:
        wanted = " or ".join(self.codes).replace("*", "any diagnosis") or "pass"
        return f"{'ok ' if self.ok else 'BAD'} {self.answer}: {self.verdict.code or 'passes'}" + (
            "" if self.ok else f", and should be {wanted}: {self.verdict.message}"
        )


def answers(exercise: Exercise) -> dict[str, Callable[[], Proof]]:
    """All answers that are tried, by their names."""

    def attempt(name: str, codes: tuple[str, ...], text: str) -> Callable[[], Proof]:
        return lambda: Proof(name, codes, grade(exercise, text))

    paths = asked(exercise.stub)

    def hollow(name: str, value: float | None, paths: list[tuple[str, ...]] = paths) -> Callable[[], Proof]:
        return lambda: Proof(
            name,
            EXPECTED.get(name.partition(" from ")[0], ("*",)),
            grade(exercise, exercise.solution, alter=lambda n: _emptied(n, paths, value)),
        )

    found = {
        "the solution": attempt("the solution", (), exercise.solution),
        "the stub": attempt("the stub", ("not_implemented",), exercise.start()),
    }
    found |= {name: hollow(name, value) for name, value in FILLS.items()}
    for path in paths if len(paths) > 1 else []:  # and with the other functions right
        for fill in ("zeros", "nan"):
            name = f"{fill} from {'.'.join(path)}"
            found[name] = hollow(name, FILLS[fill], [path])
    return found | {m.title: attempt(m.title, m.codes, m.text) for m in exercise.mutants}


def prove(exercise: Exercise) -> Iterator[Proof]:
    """Try every answer."""
    for attempt in answers(exercise).values():
        yield attempt()


def asked(stub: str) -> list[tuple[str, ...]]:
    """The functions that are to be written: those that raise NotImplementedError, as ("f",) or ("Class", "method")."""
    found: list[tuple[str, ...]] = []
    for node in ast.parse(stub).body:
        if isinstance(node, ast.FunctionDef) and _open(node):
            found.append((node.name,))
        elif isinstance(node, ast.ClassDef):
            found += [(node.name, m.name) for m in node.body if isinstance(m, ast.FunctionDef) and _open(m)]
    return found


def _open(function: ast.FunctionDef) -> bool:
    raised = [n.exc for n in ast.walk(function) if isinstance(n, ast.Raise) and n.exc is not None]
    return any("NotImplementedError" in ast.unparse(e) for e in raised)


def _emptied(namespace: dict[str, Any], paths: list[tuple[str, ...]], value: float | None) -> None:
    """Let the functions return the shapes of the right answer, filled with one value, or their first argument (None)."""
    replace_answers(namespace, paths, lambda function: _hollow(function, value), wrap=True)


def replace_answers(
    namespace: dict[str, Any], paths: list[tuple[str, ...]], by: Callable[..., Any], wrap: bool = False
) -> None:
    """Put ``by`` in the place of the functions, or, to ``wrap`` them, what ``by`` makes of each."""
    for path in paths:
        owner = namespace[path[0]]
        if len(path) == 1:
            namespace[path[0]] = by(owner) if wrap else by
        else:
            method = inspect.getattr_static(owner, path[1])
            static = isinstance(method, staticmethod)
            made = by(method.__func__ if static else method) if wrap else by
            namespace[path[0]] = type(owner)(
                owner.__name__, (owner,), {path[1]: staticmethod(made) if static else made}
            )


def _hollow(function: Callable[..., Any], value: float | None) -> Callable[..., Any]:
    tree = tree_of(function)
    returns = tree is not None and any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(tree))

    @functools.wraps(function)  # the grading looks at the names of the parameters
    def hollow(*args: Any, **options: Any) -> Any:
        if not returns:  # it is there for what it changes
            return None
        right = function(*args, **options)
        if value is not None:
            return _filled(right, value)
        return tuple(args[0] for _ in right) if isinstance(right, tuple) else args[0]

    return hollow


def _filled(right: Any, value: float) -> Any:
    if isinstance(right, tuple):
        return tuple(_filled(r, value) for r in right)
    if isinstance(right, Tensor):
        return right.detach() * 0 + value
    if isinstance(right, (np.ndarray, np.floating, float)):
        return np.full_like(np.asarray(right, np.float64), value)
    return value
