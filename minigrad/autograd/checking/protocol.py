"""Tier A: what can be said before any value is compared. A rule is a linear map of g, of the right shape, without memory.

Each probe calls the rule with other gradients: twice the same, zero, doubled, negated, two added up. What fails here is
certain, and what it means can be said in a sentence.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.autograd.checking.compare import LOW, Evidence
from minigrad.autograd.checking.problem import Arrays, RuleError
from minigrad.autograd.checking.report import CERTAIN, HIGH, Diagnosis
from minigrad.autograd.checking.tensors import TensorProblem


def plural(axes: tuple[int, ...]) -> str:
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {tuple(axes)}"


def say(code: str, sentence: str, confidence: str = CERTAIN, **more: Any) -> Diagnosis:
    return Diagnosis(code, sentence, confidence, tier="A", **more)


def failed(failure: RuleError) -> Diagnosis:
    """The rule raised."""
    text = str(failure.error).split("\n")[0]
    where = f" ({failure.where})" if failure.where else ""
    if "modified by an inplace operation" in text:
        return say("stale", f"A value the rule needs was changed in place after the forward pass: {text}")
    if isinstance(failure.error, NotImplementedError):
        return say("not_implemented", f"The rule raises NotImplementedError{where}: it is still to be written.")
    return say("raised", f"The rule raised {type(failure.error).__name__}: {text}{where}.")


def probe_forward(evidence: Evidence, nondet_tol: float) -> Diagnosis | None:
    """Whether the function is one: the same values for the same inputs, and the inputs left alone."""
    xs = evidence.copies()
    again = [np.asarray(y, np.float64) for y in evidence.problem.forward(xs)]
    changed = _changed(xs, evidence.xs)
    if changed is not None:
        name = evidence.problem.names[changed]
        return say(
            "stale",
            f"The forward function changes {name} in place, so that the rule sees the new values: work on a copy, "
            f"{name}.copy().",
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
        return _shapes_of_functions(evidence) or failed(failure), []
    if len(found) != len(xs):
        return say(
            "wrong_count",
            f"The rule returned {len(found)} gradient{'s' * (len(found) != 1)} for {len(xs)} inputs "
            f"({', '.join(problem.names)}): "
            f"return one for each.",
        ), []
    changed = _changed(xs, evidence.xs)
    if changed is not None:
        name = problem.names[changed]
        return say(
            "input_changed", f"The rule changes its input {name} in place: compute a new array instead.", input=name
        ), []
    if _changed(given, g) is not None:
        return say(
            "upstream_changed", "The rule changes g in place; others still need it: compute a new array instead."
        ), []
    diagnosis = _shapes_of_functions(evidence)
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
            f"The rule returns {type(x_bar).__name__} for {name}: return an array of its shape {x.shape}.",
            input=name,
        )
    if array.shape != x.shape:
        return shape_diagnosis(evidence, k, array.astype(np.float64), g)
    return None


def shape_diagnosis(evidence: Evidence, k: int, array: np.ndarray, g: Arrays) -> Diagnosis:
    """Why a gradient has another shape than its input."""
    name, x = evidence.problem.names[k], evidence.xs[k]
    axes = summed_axes(array.shape, x.shape)
    if axes is not None:
        total = array.sum(axis=axes, keepdims=True).reshape(x.shape)
        right = x.size <= 300 and np.allclose(
            total, numeric_gradient(evidence, k, g), rtol=1e-5, atol=1e-7 * (1 + abs(total).max(initial=0.0))
        )
        return _no_sum(name, x.shape, array.shape, axes, CERTAIN if right else HIGH)
    return _other_shape(name, x.shape, array.shape, [y.shape for y in evidence.ys])


def _no_sum(
    name: str, shape: tuple[int, ...], given: tuple[int, ...], axes: tuple[int, ...], confidence: str
) -> Diagnosis:
    keep = len(given) == len(shape)
    what = f"g.sum({axes[0] if len(axes) == 1 else axes}{', keepdims=True' if keep else ''})"
    return say(
        "no_broadcast_sum",
        f"{name} {shape} was stretched to {given}: its gradient is the sum over the copies. Add up {plural(axes)}, as "
        f"in {what}.",
        confidence,
        axis=axes if len(axes) > 1 else axes[0],
        expression=what,
        input=name,
    )


def _other_shape(
    name: str, shape: tuple[int, ...], given: tuple[int, ...], outputs: list[tuple[int, ...]]
) -> Diagnosis:
    start = f"The gradient of {name} has the shape {given}, and {name} has {shape}"
    if len(given) > 1 and given == shape[::-1]:
        return say(
            "transpose",
            f"{start}: a transpose is missing, or one too many; so are the operands of a product in the wrong order.",
            input=name,
        )
    if given == () and shape:
        return say(
            "over_summed", f"{start}: everything was added up, where each entry has a gradient of its own.", input=name
        )
    if math.prod(given) == math.prod(shape):
        return say(
            "not_reshaped",
            f"{start}, with as many entries: bring it into shape with .reshape({shape}).",
            input=name,
            expression=f".reshape({shape})",
        )
    axes = lost_axes(given, shape)
    if axes is not None:
        return say(
            "not_expanded",
            f"{start}: an axis that was summed up has to come back. Every entry along {plural(axes)} gets the same g: "
            f"np.broadcast_to(np.expand_dims(g, {axes[0] if len(axes) == 1 else axes}), {shape}).",
            axis=axes if len(axes) > 1 else axes[0],
            input=name,
        )
    if given in outputs:
        return say(
            "shape_of_output", f"{start}: it has the output's shape; bring it back to that of {name}.", input=name
        )
    return say("wrong_shape", f"{start}: a gradient has the shape of its input.", input=name)


def summed_axes(given: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The axes to add up to come from a stretched shape to ``shape``; None if it is no stretched one."""
    lead = len(given) - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, given[lead:], strict=True)):
        return None
    axes = (*range(lead), *(lead + i for i, n in enumerate(shape) if n == 1 != given[lead + i]))
    return axes or None


def lost_axes(given: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The axes of ``shape`` that are missing in ``given``, or of size 1 there; None if something else differs."""
    if len(given) == len(shape):
        axes = tuple(i for i, (n, m) in enumerate(zip(given, shape, strict=True)) if n != m)
        return axes if axes and all(given[i] == 1 for i in axes) else None
    if len(given) > len(shape):
        return None
    missing, at = [], 0
    for i, n in enumerate(shape):
        if at < len(given) and given[at] == n:
            at += 1
        else:
            missing.append(i)
    return tuple(missing) if at == len(given) else None


def _shapes_of_functions(evidence: Evidence) -> Diagnosis | None:
    """What Functions returned before the engine summed it: a broadcast sum left to the engine is a mistake elsewhere."""
    problem = evidence.problem
    if not isinstance(problem, TensorProblem):
        return None
    for r in problem.returned(evidence.copies(), evidence.upstream()):
        if r.shape != r.needed:
            name = f"argument {r.argument} of {r.function}"
            axes = summed_axes(r.shape, r.needed)
            if axes is None:
                return _other_shape(name, r.needed, r.shape, [y.shape for y in evidence.ys])
            d = _no_sum(name, r.needed, r.shape, axes, CERTAIN)
            text = d.sentence + " The engine did it here on your behalf; an engine that does not would fail."
            return say(d.code, text, axis=d.axis, expression=d.expression, input=name)
    return None


def numeric_gradient(evidence: Evidence, k: int, g: Arrays) -> np.ndarray:
    """The gradient of ``sum(g * y)`` for input ``k`` by differences alone."""
    x = evidence.xs[k]
    row = np.concatenate([part.ravel() for part in g])[None]
    full, evidence.full = evidence.full, False
    try:
        block = evidence.block(evidence.xs, k, np.arange(x.size), row, np.zeros((1, x.size)), evidence.y)
    finally:
        evidence.full = full
    return block.numeric[0].reshape(x.shape)


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
