"""From evidence to a name: the four tiers in their order, and the report that tells it.

A name counts only if every draw in which the gradient is wrong agrees on it: the draws that the caller gave, and one more
with the entries of the inputs shuffled and scaled.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.autograd.checking import mutate, structure, terms, uses
from minigrad.autograd.checking.compare import (
    ATOL,
    RTOL,
    Block,
    Evidence,
    Kink,
    Tie,
    Tolerance,
    beside,
    kinks_of,
    outside,
    ties,
)
from minigrad.autograd.checking.compare import (
    LOW as IMPRECISE,
)
from minigrad.autograd.checking.known import recognised
from minigrad.autograd.checking.large import search
from minigrad.autograd.checking.numeric import SMOOTH
from minigrad.autograd.checking.problem import Problem, RuleError, RuleProblem
from minigrad.autograd.checking.protocol import failed, probe_call, probe_forward, probe_linearity
from minigrad.autograd.checking.report import CERTAIN, HIGH, LOW, Diagnosis, Entry, Report, kink_note, table_around
from minigrad.autograd.checking.tensors import TensorProblem
from minigrad.autograd.checking.view import View

SECOND_BEST = ("permuted", "factor", "factor_2", "jacobian_transposed", "edge")  # true, but often not what was done


class Check:
    """One point at which a problem is checked, and what was found there."""

    def __init__(self, problem: Problem, xs: list[np.ndarray], asked: Tolerance, rng: np.random.Generator) -> None:
        self.evidence = Evidence(problem, xs, asked, rng)
        self.kinks: list[Kink] = []
        self.ties: list[Tie] = []
        self.blocks: list[Block] = []  # all that was compared, beside kinks too
        self.beside: list[Block] = []
        self.large = False
        self.rounded: int | None = None  # an input whose gradient is rounded to float32

    def protocol(self, nondet_tol: float) -> Diagnosis | None:
        found = probe_forward(self.evidence, nondet_tol)
        if found is None:
            found, _ = probe_call(self.evidence)
        return found or probe_linearity(self.evidence, nondet_tol)

    def compare(self, fast: bool) -> None:
        if not self.evidence.y.size or not self.evidence.size:
            return
        if fast or self.evidence.size > 2000:
            self.large = True
            self.blocks = self.evidence.blocks = search(self.evidence, exhaustive=not fast)
            return
        self.evidence.compare()
        self.rounded = self._rounded()
        self.blocks = list(self.evidence.blocks)
        self.kinks = [k for b in self.evidence.blocks for k in kinks_of(self.evidence, b)]
        if self.kinks:
            self.ties = ties(self.evidence, self.kinks)
            xs, self.kinks, self.beside = beside(self.evidence, self.kinks)
            self.moved = xs

    def _rounded(self) -> int | None:
        """The input whose gradient for a random g is not the sum of those for unit ones: its digits are too few."""
        evidence = self.evidence
        asked = evidence.asked.atol is not None or evidence.asked.rtol is not None
        if asked or not evidence.full or evidence.machine > IMPRECISE:
            return None
        g = evidence.rng.standard_normal(evidence.y.size)
        found = evidence.analytic(evidence.xs, g[None])
        for block in self.evidence.blocks:
            with np.errstate(all="ignore"):
                mine, expected = found[block.which][0], g @ block.analytic
                size = float((np.abs(g) @ np.abs(block.analytic)).max(initial=0.0))
                single = np.array_equal(mine, mine.astype(np.float32).astype(np.float64))
            if single and np.isfinite(size) and np.any(np.abs(mine - expected) > 1e-9 * size):
                return block.which
        return None

    @property
    def wrong(self) -> list[Block]:
        return [b for b in self.blocks if b.bad.any()]

    @property
    def ok(self) -> bool:
        return not (
            self.wrong
            or self.rounded is not None
            or any(b.bad.any() for b in self.beside)
            or self.ties
            or any(outside(b).any() for b in self.blocks)
        )


def examine(
    problem: Problem,
    *,
    more: list[Problem] | None = None,
    asked: Tolerance | None = None,
    seed: int = 0,
    nondet_tol: float = 0.0,
    fast: bool = False,
    title: str = "gradient",
) -> Report:
    """Check a problem, and further draws of it, and say what is wrong."""
    checks = [
        Check(p, p.xs, asked or Tolerance(), np.random.default_rng(seed + i))
        for i, p in enumerate([problem, *(more or [])])
    ]
    for check in checks:
        found = check.protocol(nondet_tol)
        if found is not None:
            return Report(False, found, headline=_headline(found), shapes=_shapes(problem), title=title)
        try:
            check.compare(fast)
        except RuleError as failure:
            return Report(False, failed(failure), shapes=_shapes(problem), title=title)
        if not check.ok:
            break
    bad = next((c for c in checks if not c.ok), None)
    if bad is None:
        return _right(checks, title)
    return _wrong(bad, [c for c in checks if c is not bad], fast, title)


def _shapes(problem: Problem) -> dict[str, tuple[int, ...]]:
    return {n: x.shape for n, x in zip(problem.names, problem.xs, strict=True)}


def _headline(d: Diagnosis) -> str:
    """PyTorch's words for what failed, where it has such."""
    if d.code in ("buffer_reused", "not_repeatable", "nondeterministic"):
        return "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives "
        "different values"
    if d.code in ("no_upstream", "added_constant", "constant"):
        return "backward not multiplied by grad_output"
    return (
        "grad is incorrect size" if d.code in ("no_broadcast_sum", "wrong_shape", "not_expanded", "over_summed") else ""
    )


def _right(checks: list[Check], title: str) -> Report:
    evidence = checks[0].evidence
    report = Report(True, shapes=_shapes(evidence.problem), kinks=[k for c in checks for k in c.kinks], title=title)
    report.notes = [n for c in checks for n in _notes(c)]
    return report


def _notes(check: Check) -> list[str]:
    evidence = check.evidence
    found = []
    for kink in check.kinks[:8]:
        x = evidence.xs[kink.input]
        found.append(kink_note(kink, evidence.problem.names[kink.input], _index(x, kink.column)))
    if len(check.kinks) > 8:
        found.append(f"... and {len(check.kinks) - 8} more entries on kinks.")
    if evidence.machine > IMPRECISE:
        found.append(
            f"The function computes with about {-math.log10(evidence.machine):.0f} digits (float32, or a cast to it): "
            "its slopes are known "
            f"to that only. Errors that fall as the step grows are rounding."
        )
    found += _against_reference(check)
    return found


def _against_reference(check: Check) -> list[str]:
    """Where on a kink the learner's choice differs from the reference's: both are subgradients."""
    problem = check.evidence.problem
    if not check.kinks or not isinstance(problem, RuleProblem) or not problem.reference:
        return []
    found = []
    g = check.evidence.split(np.ones(check.evidence.y.size))
    mine = problem.pull(check.evidence.copies(), [g])[0]
    y = problem.outputs(check.evidence.copies())
    for name, rule in problem.reference.items():
        if name not in problem.names:
            continue
        sample = mutate.Sample(g[0], problem.context(check.evidence.copies()), y, mine)
        theirs = np.asarray(mutate.evaluate(rule, problem.parameters, sample), np.float64)
        k = problem.names.index(name)
        for kink in [kink for kink in check.kinks if kink.input == k][:4]:
            x = check.evidence.xs[k]
            if theirs.shape != x.shape:
                continue
            a, b = np.ravel(mine[k])[kink.column], theirs.reshape(-1)[kink.column]
            if a != b and np.isfinite(a):
                found.append(
                    f"On the kink {name}{list(_index(x, kink.column))} = {kink.place:.6g} you take {a:.6g} and the "
                    f"reference {b:.6g}: > for >=, "
                    f"or the like. Both are subgradients."
                )
    return found


def _index(x: np.ndarray, column: int) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(column, x.shape)) if x.shape else ()


def _wrong(check: Check, others: list[Check], fast: bool, title: str) -> Report:
    blocks = check.wrong or [b for b in check.beside if b.bad.any()]
    report = Report(False, shapes=_shapes(check.evidence.problem), kinks=check.kinks, title=title)
    report.notes = _notes(check)
    if not blocks and check.rounded is not None:
        report.diagnosis = too_few_digits(check.evidence.problem.names[check.rounded], None)
        return report
    if not blocks:
        return _on_kink(check, report)
    draws = [check, *_redrawn(check, others, fast)]
    found = list(_diagnoses(check, draws, blocks))
    report.diagnosis, report.others = found[0], found[1:]
    report.counts = {check.evidence.problem.names[b.which]: (int(b.bad.sum()), int(b.bad.size)) for b in blocks}
    _describe(check, report, blocks)
    return report


def _redrawn(check: Check, others: list[Check], fast: bool) -> list[Check]:
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


def _key(d: Diagnosis) -> tuple[Any, ...]:
    named = d.code in (
        "mask",
        "edge",
        "factor",
        "dropped_term",
        "extra_factor",
        "missing_factor",
        "wrong_formula",
        "overwrite",
        "treated_constant",
    )
    return d.code, d.axis, d.expression if named else None


def _agreed(proposals: list[list[Diagnosis]]) -> Diagnosis | None:
    """The first name of the first draw that all draws propose."""
    keys = [{_key(d) for d in found} for found in proposals[1:]]
    return next((d for d in proposals[0] if all(_key(d) in k for k in keys)), None)


def _diagnoses(check: Check, draws: list[Check], blocks: list[Block]) -> Iterator[Diagnosis]:
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
    found = _agreed([list(structure.strong(v)) for v in views])
    if found is not None and not (found.code in SECOND_BEST and found.confidence != CERTAIN):
        return found
    if found is not None and found.code == "factor_2" and not isinstance(check.evidence.problem, TensorProblem):
        return found
    better = _agreed([list(uses.forgotten_uses(v)) for v in views]) or (
        _agreed([list(terms.passed_on(v)) for v in views]) or _mutant(check, draws, block.which, False)
    )
    if found is not None:
        places = found.code in ("permuted", "jacobian_transposed") and better is not None
        return better if better is not None and (not places or better.code in ("transpose", "order")) else found
    return (
        better
        or _agreed([list(terms.weak(v)) for v in views])
        or _mutant(check, draws, block.which, True)
        or _unknown(first)
    )


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


def _on_kink(check: Check, report: Report) -> Report:
    """Everything smooth is right; what is wrong is the choice on a kink."""
    evidence = check.evidence
    names = evidence.problem.names
    if check.ties:
        tie = check.ties[0]
        places = ", ".join(f"{names[k.input]}{list(_index(evidence.xs[k.input], k.column))}" for k in tie.kinks[:4])
        report.diagnosis = Diagnosis(
            "ties",
            f"Tied entries ({places}, all {tie.kinks[0].place:.6g}) get {tie.analytic:.6g} together, and moving them "
            "together changes the output by "
            f"{tie.numeric:.6g}: share g among the tied entries, or give it to one.",
            HIGH,
            input=names[tie.kinks[0].input],
            expression="g / number of ties",
        )
        return report
    for block in check.blocks:
        wrong = outside(block)
        if wrong.any():
            r, c = np.argwhere(wrong)[0]
            x = evidence.xs[block.which]
            index = _index(x, int(block.columns[c]))
            low, high = sorted((float(block.left[r, c]), float(block.right[r, c])))
            name = names[block.which]
            report.diagnosis = Diagnosis(
                "kink_value",
                f"{name}{list(index)} = {x[index] if index else float(x):.6g} is on a kink with slopes from {low:.6g} "
                f"to {high:.6g}, and your gradient "
                f"there is {block.analytic[r, c]:.6g}, which is none of the slopes between.",
                HIGH,
                input=name,
                expression=f"{name} == {x[index] if index else float(x):.6g}",
            )
            break
    return report


def _describe(check: Check, report: Report, blocks: list[Block]) -> None:
    """The worst entry, the inequality, and the entries around it."""
    evidence = check.evidence
    worst = (-1.0, blocks[0], 0, 0)
    for block in blocks:
        with np.errstate(all="ignore"):
            excess = np.where(
                block.bad, np.abs(block.analytic - block.numeric) / np.maximum(block.tolerance, 1e-300), -1.0
            )
        excess = np.where(block.bad & ~np.isfinite(excess), np.inf, excess)
        if excess.size and excess.max() > worst[0]:
            at = np.unravel_index(int(np.argmax(excess)), excess.shape)
            worst = float(excess.max()), block, int(at[0]), int(at[1])
    _, block, r, c = worst
    x = evidence.xs[block.which]
    index = _index(x, int(block.columns[c]))
    name = evidence.problem.names[block.which]
    numeric, error = float(block.numeric[r, c]), float(block.error[r, c])
    report.worst = Entry(
        name,
        index,
        float(block.analytic[r, c]),
        numeric,
        error,
        float(block.tolerance[r, c]),
        _formula(evidence, error),
        _what(evidence, r),
    )
    grids = [np.full(x.size, v) for v in (np.nan, np.nan)]
    flags = [np.zeros(x.size, bool), np.zeros(x.size, bool)]
    for grid, values in zip(
        grids + flags, (block.analytic[r], block.numeric[r], block.bad[r], block.kind[r] != SMOOTH), strict=True
    ):
        grid[block.columns] = values
    report.table = table_around(index, x.shape, *(grid.reshape(x.shape) for grid in grids + flags))
    output = _output_of(evidence, r) if evidence.full else 0
    report.headline = f"Jacobian mismatch for output {output} with respect to input {block.which},"


def _output_of(evidence: Evidence, row: int) -> int:
    ends = np.cumsum([y.size for y in evidence.ys])
    return int(np.searchsorted(ends, row, side="right"))


def _what(evidence: Evidence, row: int) -> str:
    if not evidence.full:
        return "a random sum of the outputs"
    k = _output_of(evidence, row)
    start = sum(y.size for y in evidence.ys[:k])
    y = evidence.ys[k]
    return f"output {k}{list(_index(y, row - start))}" if y.shape else f"output {k}"


def _formula(evidence: Evidence, error: float) -> str:
    if evidence.asked.atol is not None or evidence.asked.rtol is not None:
        return f"{evidence.asked.atol or 0:g} + {evidence.asked.rtol or 0:g} * |numeric|"
    coarse = 200 * evidence.machine if evidence.machine > IMPRECISE else 0.0
    return (
        f"10 * {error:.1g} (numeric error) + {RTOL + coarse:.0e} * |numeric| + {ATOL + coarse:.0e} * largest beside it"
    )
