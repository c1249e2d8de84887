"""From evidence to a name: the four tiers in their order.

A name counts only if every draw in which the gradient is wrong agrees on it: the draws that the caller gave, and one more
with the entries of the inputs shuffled and scaled.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.autograd.checking import mutate, steps, structure, terms, uses
from minigrad.autograd.checking.check import Check
from minigrad.autograd.checking.compare import LOW as IMPRECISE
from minigrad.autograd.checking.compare import Block
from minigrad.autograd.checking.known import recognised
from minigrad.autograd.checking.problem import RuleError, RuleProblem
from minigrad.autograd.checking.report import CERTAIN, HIGH, LOW, MEDIUM, Diagnosis
from minigrad.autograd.checking.view import View

SECOND_BEST = (
    "permuted",
    "factor",
    "factor_2",
    "jacobian_transposed",
    "edge",
    "n_minus_1",
)  # true, but often not what was done


def redrawn(check: Check, others: list[Check], fast: bool) -> list[Check]:
    """The other draws in which something is wrong, and new ones of the same shapes."""
    draws = []
    for other in others:
        try:
            if not other.blocks:
                other.compare(fast)
        except RuleError:
            continue
        draws.append(other)
    evidence = check.evidence
    rng = np.random.default_rng(1)
    for low, high in ((0.8, 0.97), (1.03, 1.2)):
        if check.large:
            break
        xs = [
            np.array(rng.permutation(x.ravel()).reshape(x.shape) * rng.uniform(low, high, x.shape)) for x in evidence.xs
        ]
        try:
            new = Check(evidence.problem, xs, evidence.asked, rng)
            if new.evidence.y.shape == evidence.y.shape and np.isfinite(new.evidence.y).all():
                new.compare(fast)
                draws.append(new)
                break
        except (RuleError, ValueError, RuntimeError, IndexError, ArithmeticError):
            continue
    return [d for d in draws if d.wrong]


def _resized(check: Check) -> Check | None:
    """A draw with axes of other lengths, which tells a length from a constant; None if the function does not take it."""
    with contextlib.suppress(Exception):  # whatever a function may raise for sizes that it was not written for
        rng = np.random.default_rng(2)
        problem = check.evidence.problem.resized(rng)
        if problem is not None:
            new = Check(problem, problem.xs, check.evidence.asked, rng)
            if new.evidence.full and new.evidence.y.size and np.isfinite(new.evidence.y).all():
                new.compare(fast=False)
                return new
    return None


def diagnoses(check: Check, draws: list[Check], blocks: list[Block]) -> Iterator[Diagnosis]:
    """One diagnosis for each input whose gradient is wrong."""
    views = [[View(d.evidence, b) for b in d.blocks] for d in draws]
    pair = _agreed([list(structure.swapped(v)) for v in views]) if check.wrong else None
    if pair is not None:
        yield pair
        return
    for block in blocks:
        own = [View(check.evidence, block)] if not check.wrong else []
        own += [View(d.evidence, b) for d in draws for b in d.wrong if b.which == block.which]
        yield _name(check, own, [d for d in draws if any(b.which == block.which for b in d.wrong)], block)


def _name(check: Check, views: list[View], draws: list[Check], block: Block) -> Diagnosis:
    first = views[0]
    precision = _low_precision(first)
    if precision is not None:
        return precision
    draws = draws or [check]
    found = _of_length([list(structure.strong(v)) for v in views], views, check)
    if found is not None and not (found.code in SECOND_BEST and found.confidence != CERTAIN):
        return found
    if found is not None and found.code == "factor_2" and check.evidence.problem.by_hand:
        return found
    better = (
        _agreed([list(uses.forgotten_uses(v)) for v in views])
        or _agreed([list(terms.passed_on(v)) for v in views])
        or _mutant(check, draws, block.which, False)
    )
    if better is None and (found is None or found.confidence == MEDIUM):
        better = _agreed([list(steps.wrong_steps(v)) for v in views])
    if found is not None:
        places = found.code in ("permuted", "jacobian_transposed") and better is not None
        return better if better is not None and (not places or better.code in ("transpose", "order")) else found
    return (
        better
        or _agreed([list(terms.weak(v)) for v in views])
        or _mutant(check, draws, block.which, True)
        or _unknown(first)
    )


def _of_length(proposals: list[list[Diagnosis]], views: list[View], check: Check) -> Diagnosis | None:
    """What all draws propose; that a number is the length of an axis must hold for other lengths, or is no more than likely."""
    found = _agreed(proposals)
    lengths = found is not None and (
        found.code in ("missing_mean", "extra_mean", "n_minus_1") or found.expression == "sqrt(n)"
    )
    if found is None or not lengths or any(v.shape != views[0].shape for v in views):
        return found
    other = None if check.large else _resized(check)
    for block in other.wrong if other is not None else ():
        if other is not None and block.which == views[0].block.which:
            sure = _agreed([*proposals, list(structure.strong(View(other.evidence, block)))])
            if sure is not None:
                return sure
    text = f"{found.sentence} (No other lengths could be tried: the number may also be a constant.)"
    return dataclasses.replace(found, sentence=text, confidence=MEDIUM)


def _key(d: Diagnosis) -> tuple[Any, ...]:
    named = d.code in (
        "mask",
        "edge",
        "one_entry",
        "factor",
        "dropped_term",
        "extra_factor",
        "missing_factor",
        "wrong_formula",
        "overwrite",
        "treated_constant",
    )
    return d.code, d.axis, d.expression if named or d.code in mutate.WORDS else None


def _agreed(proposals: list[list[Diagnosis]]) -> Diagnosis | None:
    """The first name of the first draw that all draws propose."""
    keys = [{_key(d) for d in found} for found in proposals[1:]]
    return next((d for d in proposals[0] if all(_key(d) in k for k in keys)), None)


def too_few_digits(name: str, gap: float | None) -> Diagnosis:
    known = "" if gap is None else f" ({gap:.0e} of the largest slope)"
    return Diagnosis(
        "low_precision",
        f"The mathematics of the gradient of {name} is right and its precision low{known}: something on the way is float32. "
        f"Compute in float64 to check.",
        HIGH,
        input=name,
    )


def _low_precision(view: View) -> Diagnosis | None:
    """Whether the difference is that of float32."""
    if view.evidence.machine > IMPRECISE or not np.isfinite(view.a).all() or not view.a.size:
        return None
    top = float(np.abs(view.n).max(initial=0.0))
    with np.errstate(all="ignore"):
        gap = np.abs(view.a - view.n)
    if np.all(gap <= 3e-6 * (np.abs(view.n) + top)):
        exact = np.array_equal(view.a, view.a.astype(np.float32).astype(np.float64))
        if exact or float(gap.max(initial=0.0)) < 3e-7 * top:
            return too_few_digits(view.name, float((gap / (top or 1)).max()))
    return None


def _mutant(check: Check, draws: list[Check], k: int, twice: bool) -> Diagnosis | None:
    """Tier C, with the reference that was given, or that of a function with the same values."""
    problem = check.evidence.problem
    rules, parameters = problem.reference, list(problem.context(check.evidence.xs))
    name = problem.names[k]
    samples, renamed = [], parameters
    known = None
    if rules is None and all(v.ndim for v in check.evidence.xs):
        known = recognised(check.evidence.xs, check.evidence.ys)
        if known is None:
            return None
        rules, renamed = known.rules, list(known.rules)
    if rules is None:
        return None
    wanted = renamed[k] if known else name
    rule = rules.get(wanted, rules.get(""))
    if rule is None:
        return None
    for draw in draws:
        e = draw.evidence
        for _ in range(2):
            g = e.upstream()
            try:
                found = e.problem.pull(e.copies(), [[p.copy() for p in g]])[0]
            except RuleError:
                return None
            y = e.problem.outputs(e.copies()) if isinstance(e.problem, RuleProblem) else e.ys[0]
            values = dict(zip(renamed, e.copies(), strict=True)) if known else e.problem.context(e.copies())
            samples.append(mutate.Sample(tuple(g) if len(g) > 1 else g[0], values, y, found))
    which = k if wanted in rules else None
    found_ = mutate.matching(rule, renamed, samples, which, name, twice)
    if found_ is not None and known is not None:
        text = f"This is {known.name}. {found_.sentence}"
        return Diagnosis(found_.code, text, found_.confidence, expression=found_.expression, tier="C", input=name)
    return found_


def _unknown(view: View) -> Diagnosis:
    return Diagnosis(
        "unknown",
        f"I cannot name this mistake in the gradient of {view.name}; below are the worst entry, its two values and "
        "those around it.",
        LOW,
        tier="D",
        input=view.name,
    )
