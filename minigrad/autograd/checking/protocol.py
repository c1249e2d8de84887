"""Tier A: what can be said before any value is compared. A rule is a linear map of g, of the right shape, without memory.

Each probe calls the rule with other gradients: twice the same, zero, doubled, negated, two added up. What fails here is
certain, and what it means can be said in a sentence.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.autograd.checking.compare import LOW, Evidence
from minigrad.autograd.checking.problem import Arrays, RuleError, ShapeError
from minigrad.autograd.checking.report import Diagnosis
from minigrad.autograd.checking.shapes import say, shape_diagnosis, shapes_of_functions
from minigrad.autograd.checking.tensors import TensorProblem


def failed(failure: RuleError) -> Diagnosis:
    """The rule raised."""
    text = str(failure.error).split("\n")[0]
    where = f" ({failure.where})" if failure.where else ""
    if isinstance(failure, ShapeError):
        return say("wrong_shape", f"{text}: it must be that of the input, whatever the values are.")
    if "modified by an inplace operation" in text:
        return say("stale", f"A value the rule needs was changed in place after the forward pass: {text}")
    if isinstance(failure.error, NotImplementedError):
        return say("not_implemented", f"The rule raises NotImplementedError{where}: it is still to be written.")
    return say("raised", f"The rule raised {type(failure.error).__name__}: {text}{where}.")


def probe_forward(evidence: Evidence, nondet_tol: float) -> Diagnosis | None:
    """Whether the function is one: the same values for the same inputs, and the inputs left alone."""
    xs = evidence.copies()
    again = [np.asarray(y, np.float64) for y in evidence.problem.forward(xs)]
    changed = _changed(evidence.problem.left(xs), evidence.xs)
    if changed is not None:
        name = evidence.problem.names[changed]
        return say(
            "stale",
            f"The forward function changes {name} in place, so that the rule sees the new values: work on a copy.",
            input=name,
        )
    for y, z in zip(evidence.ys, again, strict=True):
        if y.shape != z.shape or not np.allclose(y, z, rtol=0, atol=nondet_tol, equal_nan=True):
            return say(
                "nondeterministic",
                "Two calls of the function with the same inputs gave different outputs (random numbers, dropout, or state that "
                "is kept): fix the seed inside it, or call .eval().",
            )
    return None


def _changed(after: Arrays, before: Arrays) -> int | None:
    return next(
        (k for k, (a, b) in enumerate(zip(after, before, strict=True)) if not np.array_equal(a, b, equal_nan=True)),
        None,
    )


def probe_call(evidence: Evidence) -> tuple[Diagnosis | None, list[Any]]:
    """One call of the rule: how many gradients, of which type and shape, and the inputs and g left alone."""
    problem = evidence.problem
    xs, g = evidence.copies(), evidence.upstream()
    given = [part.copy() for part in g]
    try:
        found = problem.pull(xs, [given])[0]
    except RuleError as failure:
        return shapes_of_functions(evidence) or failed(failure), []
    if len(found) != len(xs):
        return say(
            "wrong_count",
            f"The rule returned {len(found)} gradient{'s' * (len(found) != 1)} for {len(xs)} input{'s' * (len(xs) != 1)} "
            f"({', '.join(problem.names)}): return "
            f"{'one for each' if len(xs) > 1 else 'the array itself, in no list or tuple'}.",
        ), []
    changed = _changed(problem.left(xs), evidence.xs)
    if changed is not None:
        name = problem.names[changed]
        return say(
            "input_changed", f"The rule changes its input {name} in place: compute a new array instead.", input=name
        ), []
    if _changed(given, g) is not None:
        return say(
            "upstream_changed", "The rule changes g in place; others still need it: compute a new array instead."
        ), []
    diagnosis = shapes_of_functions(evidence)
    for k, x_bar in enumerate(found):
        diagnosis = diagnosis or _check_type(evidence, k, x_bar, g)
    return diagnosis, found


def _check_type(evidence: Evidence, k: int, x_bar: Any, g: Arrays) -> Diagnosis | None:
    name, x = evidence.problem.names[k], evidence.xs[k]
    if x_bar is None:
        if isinstance(evidence.problem, TensorProblem):
            return None
        return say(
            "none",
            f"The rule returns None for {name}: a return statement is missing, or it is still to be written.",
            input=name,
        )
    try:
        array = np.asarray(x_bar)
        wrong = array.dtype.kind not in "fiub"
    except (TypeError, ValueError):
        wrong = True
    if wrong:
        return say(
            "wrong_type",
            f"The rule returns {_kind(x_bar)} for {name}: return an array of real numbers of its shape {x.shape}.",
            input=name,
        )
    if array.shape != x.shape:
        return shape_diagnosis(evidence, k, array.astype(np.float64), g)
    return None


def _kind(value: Any) -> str:
    """What a rule returned that holds no real numbers."""
    name = type(value).__name__
    return (
        f"an array of {value.dtype}"
        if isinstance(value, np.ndarray)
        else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
    )


def probe_linearity(evidence: Evidence, nondet_tol: float) -> Diagnosis | None:
    """Whether the rule is a linear map of g that remembers nothing."""
    problem, names = evidence.problem, evidence.problem.names
    g, other = evidence.upstream(), evidence.upstream()
    zero = [part * 0 for part in g]
    wanted = [g, g, g, zero, [2 * p for p in g], [-p for p in g], other, [p + q for p, q in zip(g, other, strict=True)]]
    try:
        wanted = [[np.asarray(p) for p in row] for row in wanted]  # arithmetic makes scalars of 0-d arrays
        # one recording each, as the first call may leave something behind for the second
        found = [problem.pull(evidence.copies(), [[p.copy() for p in row]])[0] for row in wanted]
        # the rule twice after one forward pass, as in a graph that is kept
        kept = problem.pull(evidence.copies(), [[p.copy() for p in g] for _ in range(2)])
    except RuleError as failure:
        return failed(failure)
    for k, name in enumerate(names):
        size = evidence.xs[k].shape
        one, two, three, at_zero, double, minus, second, both = (
            np.zeros(size) if f[k] is None else np.asarray(f[k], np.float64) for f in found
        )
        if {v.shape for v in (one, two, three, at_zero, double, minus, second, both)} != {size}:
            return say("not_repeatable", f"The shape of the gradient of {name} changes from call to call.", input=name)
        same = _Same(evidence)
        again = np.asarray(kept[1][k], np.float64) if kept[1][k] is not None else two
        if not _repeated(one, two, nondet_tol) or not _repeated(two, three, nondet_tol):
            return _memory(name, one, two, three, same)
        if not _repeated(one, again, nondet_tol):
            return _memory(name, one, again, again + (again - one), same)
        if not np.isfinite(one).all():
            continue
        diagnosis = _in_g(name, one, at_zero, double, minus, second, both, same)
        if diagnosis is not None:
            return _constant(evidence, k, one) or diagnosis if diagnosis.code == "no_upstream" else diagnosis
    return None


def _repeated(a: np.ndarray, b: np.ndarray, nondet_tol: float) -> bool:
    return bool(np.allclose(a, b, rtol=1e-13, atol=nondet_tol, equal_nan=True))


class _Same:
    """Equal up to rounding, also that of a rule that computes in float32."""

    def __init__(self, evidence: Evidence) -> None:
        self.floor = 1e-13 * float(np.abs(evidence.y[np.isfinite(evidence.y)]).max(initial=0.0))
        self.rtol = 3e-6 if evidence.machine < LOW else 300 * evidence.machine

    def __call__(self, a: np.ndarray, b: np.ndarray) -> bool:
        size = max(np.abs(a[np.isfinite(a)]).max(initial=0.0), np.abs(b[np.isfinite(b)]).max(initial=0.0))
        with np.errstate(all="ignore"):
            return bool(np.allclose(a, b, rtol=self.rtol, atol=self.rtol * size + self.floor, equal_nan=True))


def _memory(name: str, one: np.ndarray, two: np.ndarray, three: np.ndarray, same: Any) -> Diagnosis:
    if same(two - one, three - two):
        return say(
            "buffer_reused",
            f"Every further identical call adds the same to the gradient of {name}, the second gave twice the first: you add "
            f"into an array that survives the call. Start each call with np.zeros_like.",
            input=name,
        )
    return say(
        "not_repeatable",
        f"Two identical calls of the rule gave different gradients of {name}: it uses random numbers or keeps "
        "something between calls.",
        input=name,
    )


def _in_g(
    name: str,
    one: np.ndarray,
    zero: np.ndarray,
    double: np.ndarray,
    minus: np.ndarray,
    second: np.ndarray,
    both: np.ndarray,
    same: Any,
) -> Diagnosis | None:
    nothing = np.zeros_like(one)
    if not same(zero, nothing) and np.isfinite(zero).all():
        if same(zero, one) and same(second, one):
            return say(
                "no_upstream",
                f"The gradient of {name} ignores g: it is the same for g = 0. Multiply the local derivative by what "
                "arrives from above.",
                input=name,
                expression="g * ...",
            )
        return say(
            "added_constant",
            f"For g = 0 the gradient of {name} is not 0: a term that does not contain g is added. Every term is "
            "multiplied by g.",
            input=name,
        )
    if same(double, 2 * one):
        if same(minus, -one) and same(both, one + second):
            return None
        return say(
            "mask_on_g",
            f"The gradient of {name} treats positive and negative g differently: decide by the input, not by g, which "
            "is only passed on.",
            input=name,
        )
    if same(double, one):
        return say(
            "g_sign",
            f"Doubling g does not change the gradient of {name}: g enters only through its sign or direction. Multiply "
            "by g itself.",
            input=name,
        )
    for power, times in ((2, 4), (3, 8), (-1, 0.5), (0.5, math.sqrt(2))):
        if same(double, times * one):
            what = "g is in it twice (g * g)" if power == 2 else f"g enters with the power {power}"
            return say(
                "g_squared" if power == 2 else "not_linear",
                f"Doubling g must double the gradient of {name}; it changed {times:.4g} times: {what}.",
                input=name,
                expression="g * g" if power == 2 else None,
            )
    return say(
        "not_linear",
        f"The gradient of {name} is not linear in g: doubling g does not double it. A rule multiplies by g, and only that.",
        input=name,
    )


def _constant(evidence: Evidence, k: int, one: np.ndarray) -> Diagnosis | None:
    """Whether what ignores g ignores the inputs, too."""
    if not np.any(one):
        return None
    moved = [np.asarray(evidence.rng.permutation(x.ravel()).reshape(x.shape) * 0.9) for x in evidence.xs]
    try:
        found = evidence.problem.pull(moved, [evidence.upstream()])[0][k]
    except (RuleError, ValueError):
        return None
    if found is None or not np.array_equal(np.asarray(found, np.float64), one):
        return None
    name = evidence.problem.names[k]
    if not np.ptp(one):
        return say(
            "constant",
            f"The gradient of {name} is {one.flat[0]:.6g} everywhere, whatever {name} and g are: the rule is still to "
            "be written.",
            input=name,
        )
    return say(
        "constant",
        f"The gradient of {name} is always the same array, whatever {name} and g are: the rule is still to be written.",
        input=name,
    )
