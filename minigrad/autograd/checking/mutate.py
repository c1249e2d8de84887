"""Tier C: where the right rule is known, which small edit of its text gives the learner's gradient?

The rule's syntax tree is changed in one place, then in two: another operator, a dropped factor or term, another variable, a
lost transpose, another constant, axis, function or comparison. A mutant whose gradients equal the learner's to 1e-9 on all
draws is what the learner wrote, whatever it looks like in their text.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd.checking.edits import Edit, edits, rank, replaced
from minigrad.autograd.checking.problem import caller
from minigrad.autograd.checking.report import HIGH, Diagnosis
from minigrad.autograd.checking.text import compiled, scope_of, tree_of


class Mutant(NamedTuple):
    """A changed rule, the kinds of its changes, the trees before and after, and where the changes are."""

    function: Callable[..., Any]
    kinds: tuple[str, ...]
    before: Any
    after: Any
    paths: tuple[tuple[Any, ...], ...]


WORDS = {
    "sign": "the sign is wrong",
    "sign_of_term": "a term has the wrong sign",
    "dropped_term": "a term is missing",
    "dropped_factor": "a factor is missing",
    "extra_factor": "there is a factor too many",
    "operator": "the operator is another",
    "squared": "a factor is there twice",
    "order": "the operands are in the wrong order",
    "transpose": "a transpose is missing or one too many",
    "power": "the exponent is wrong",
    "wrong_constant": "a constant is wrong",
    "keepdims": "a True should be False, or the other way round",
    "function": "it is another function",
    "dropped_function": "a function call is missing",
    "missing_sum": "a sum is missing",
    "axis": "the axis is another",
    "branches": "the branches are confused",
    "comparison": "the comparison is another",
    "wrong_variable": "it is another variable",
    "input_for_output": "it uses its output where you use its input",
    "output_for_input": "it uses its input where you use its output",
    "overwrite": "it accumulates (+=) where you assign",
}


def _shown(tree: ast.AST, places: tuple[tuple[Any, ...], ...]) -> str:
    """The text to show for changes: the lambda's body, or the statements that they are in."""
    if isinstance(tree, ast.Lambda):
        return ast.unparse(tree.body)
    found = {}
    for path in places:
        at: Any = tree
        shown: Any = tree
        for step in path:
            at = getattr(at, step[0])[step[1]] if isinstance(step, tuple) else getattr(at, step)
            if isinstance(at, ast.stmt):
                shown = at
        found[shown.lineno, shown.col_offset] = ast.unparse(shown)
    return "; ".join(found[line] for line in sorted(found))


MOST = (
    5_000  # pairs of edits that are tried, a few seconds' work; counted, so that a name does not depend on the machine
)


def mutants(rule: Callable[..., Any], names: list[str], twice: bool) -> Iterator[Mutant]:
    """Mutants of the rule by one edit, or, if ``twice``, the first ``MOST`` by two."""
    tree = tree_of(rule)
    if tree is None:
        return
    scope = {**vars(np), **vars(builtins), **scope_of(rule)}
    count = 0
    for first in sorted(edits(tree, names), key=rank):
        once = replaced(tree, first.path, first.new)
        if not twice:
            yield from _made(tree, once, (first,), scope, names)
            continue
        for second in sorted(edits(once, names), key=rank):
            # not an edit of the edit, and of two places each pair once
            if second.path[: len(first.path)] != first.path and repr(second.path) > repr(first.path):
                count += 1
                if count > MOST:
                    return
                yield from _made(tree, replaced(once, second.path, second.new), (first, second), scope, names)


def _give(mutant: Any, names: list[str]) -> None:
    """Let the mutant ask for every argument that it now uses."""
    mutant.args = copy.copy(mutant.args)
    mutant.args.args = list(mutant.args.args)
    asked = {a.arg for a in mutant.args.args}
    used = {n.id for n in ast.walk(mutant) if isinstance(n, ast.Name)}
    at = len(mutant.args.args) - len(mutant.args.defaults)
    mutant.args.args[at:at] = [ast.arg(n) for n in names if n in used and n not in asked]


def _made(tree: Any, mutant: Any, by: tuple[Edit, ...], scope: dict[str, Any], names: list[str]) -> Iterator[Mutant]:
    _give(mutant, names)
    try:
        function = compiled(mutant, scope)
    except (SyntaxError, ValueError, TypeError, AttributeError):
        return
    yield Mutant(function, tuple(edit.kind for edit in by), tree, mutant, tuple(edit.path for edit in by))


class Sample(NamedTuple):
    """One call of a rule: the arguments by name, the output, g, and what the learner's rule gave for the inputs."""

    g: Any
    values: dict[str, Any]
    y: Any
    found: list[Any]


def evaluate(rule: Callable[..., Any], parameters: list[str], sample: Sample) -> Any:
    values = {k: np.array(v) if isinstance(v, np.ndarray) else v for k, v in sample.values.items()}
    with np.errstate(all="ignore"):
        return caller(rule, parameters)(sample.g, values, sample.y)


def equal(result: Any, wanted: list[Any], which: int | None) -> bool:
    """Whether a mutant's result is the learner's: for one input, or, if the rule returns them all, for all."""
    if which is None:
        results = list(result) if isinstance(result, (tuple, list)) else [result]
    else:
        results, wanted = [result], [wanted[which]]
    return len(results) == len(wanted) and all(_close(r, w) for r, w in zip(results, wanted, strict=True))


def _close(r: Any, w: Any) -> bool:
    if r is None or w is None:
        return False
    try:
        a, b = np.asarray(r, np.float64), np.asarray(w, np.float64)
    except (TypeError, ValueError):
        return False
    if a.shape != b.shape:
        return False
    top = float(np.abs(b[np.isfinite(b)]).max(initial=0.0))
    with np.errstate(all="ignore"):
        return bool(np.all((np.abs(a - b) <= 1e-9 * (np.abs(b) + top)) | (np.isnan(a) & np.isnan(b)) | (a == b)))


def matching(
    rule: Callable[..., Any],
    parameters: list[str],
    samples: list[Sample],
    which: int | None,
    name: str,
    twice: bool,
) -> Diagnosis | None:
    """The mutant of the right rule that the learner's gradient equals on all samples, as a diagnosis."""
    tree = tree_of(rule)
    if tree is None:
        return None
    own = [a.arg for a in tree.args.args]
    floats = [p for p, v in samples[0].values.items() if isinstance(v, (np.ndarray, float, np.floating))]
    names = list(dict.fromkeys([*own, *floats, *([] if "y" in parameters else ["y"])]))
    for mutant in mutants(rule, names, twice):
        try:
            fits = all(equal(evaluate(mutant.function, parameters, s), s.found, which) for s in samples)
        except Exception:  # most mutants of shapes do not run
            continue
        if fits:
            return _told(mutant, name)
    return None


def told(mutant: Mutant) -> tuple[str, str, str]:
    """What the mistake is, in words, and the text without it and with it."""
    why = " and ".join(WORDS[k] for k in mutant.kinds)
    return why, _shown(mutant.before, mutant.paths), _shown(mutant.after, mutant.paths)


def _told(mutant: Mutant, name: str) -> Diagnosis:
    why, was, now = told(mutant)
    return Diagnosis(
        mutant.kinds[0],
        f"Your gradient of {name} is that of `{now}`; the rule is `{was}`: {why}.",
        HIGH,
        expression=now,
        tier="C",
        input=name,
    )
