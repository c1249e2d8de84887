"""The whole check of a problem: probes, comparison, names, and the report."""

from __future__ import annotations

import numpy as np

from minigrad.autograd.checking.check import Check
from minigrad.autograd.checking.compare import Tolerance
from minigrad.autograd.checking.naming import diagnoses, redrawn, too_few_digits
from minigrad.autograd.checking.problem import Problem, RuleError
from minigrad.autograd.checking.protocol import failed
from minigrad.autograd.checking.report import Diagnosis, Report
from minigrad.autograd.checking.telling import describe, notes, on_kink


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
        return (
            "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives "
            "different values"
        )
    if d.code in ("no_upstream", "added_constant", "constant"):
        return "backward not multiplied by grad_output"
    return (
        "grad is incorrect size" if d.code in ("no_broadcast_sum", "wrong_shape", "not_expanded", "over_summed") else ""
    )


def _right(checks: list[Check], title: str) -> Report:
    evidence = checks[0].evidence
    report = Report(True, shapes=_shapes(evidence.problem), kinks=[k for c in checks for k in c.kinks], title=title)
    report.notes = [n for c in checks for n in notes(c)]
    return report


def _wrong(check: Check, others: list[Check], fast: bool, title: str) -> Report:
    blocks = check.wrong or [b for b in check.beside if b.bad.any()]
    report = Report(False, shapes=_shapes(check.evidence.problem), kinks=check.kinks, title=title)
    report.notes = notes(check)
    if not blocks and check.rounded is not None:
        report.diagnosis = too_few_digits(check.evidence.problem.names[check.rounded], None)
        return report
    if not blocks:
        return on_kink(check, report)
    draws = [check, *redrawn(check, others, fast)]
    found = list(diagnoses(check, draws, blocks))
    report.diagnosis, report.others = found[0], found[1:]
    report.counts = {check.evidence.problem.names[b.which]: (int(b.bad.sum()), int(b.bad.size)) for b in blocks}
    describe(check, report, blocks)
    return report
