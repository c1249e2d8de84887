"""What a report says of a check: the worst entry and those around it, and what could not be checked."""

from __future__ import annotations

import math

import numpy as np

from minigrad.autograd.checking import mutate
from minigrad.autograd.checking.check import Check
from minigrad.autograd.checking.compare import ATOL, RTOL, Block, Evidence
from minigrad.autograd.checking.compare import LOW as IMPRECISE
from minigrad.autograd.checking.kinks import outside
from minigrad.autograd.checking.numeric import SMOOTH
from minigrad.autograd.checking.problem import RuleProblem
from minigrad.autograd.checking.report import HIGH, Diagnosis, Entry, Report, kink_note, table_around


def notes(check: Check) -> list[str]:
    evidence = check.evidence
    found = []
    for kink in check.kinks[:8]:
        x = evidence.xs[kink.input]
        found.append(kink_note(kink, evidence.problem.names[kink.input], index_of(x, kink.column)))
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
                    f"On the kink {name}{list(index_of(x, kink.column))} = {kink.place:.6g} you take {a:.6g} and the "
                    f"reference {b:.6g}: > for >=, "
                    f"or the like. Both are subgradients."
                )
    return found


def index_of(x: np.ndarray, column: int) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(column, x.shape)) if x.shape else ()


def on_kink(check: Check, report: Report) -> Report:
    """Everything smooth is right; what is wrong is the choice on a kink."""
    evidence = check.evidence
    names = evidence.problem.names
    if check.ties:
        tie = check.ties[0]
        places = ", ".join(f"{names[k.input]}{list(index_of(evidence.xs[k.input], k.column))}" for k in tie.kinks[:4])
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
            index = index_of(x, int(block.columns[c]))
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


def describe(check: Check, report: Report, blocks: list[Block]) -> None:
    """The worst entry, the inequality, and the entries around it."""
    evidence = check.evidence
    said = report.diagnosis.input if report.diagnosis else None
    blocks = [b for b in blocks if evidence.problem.names[b.which] == said] or blocks  # of the input that is spoken of
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
    index = index_of(x, int(block.columns[c]))
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
    parts = block.analytic, block.numeric, block.bad, block.kind != SMOOTH
    report.of_own = evidence.full and x.size == len(block.analytic) > 1 and not any(_off(m).any() for m in parts[:3])
    grids = [np.full(x.size, np.nan), np.full(x.size, np.nan), np.zeros(x.size, bool), np.zeros(x.size, bool)]
    for grid, values in zip(grids, parts, strict=True):
        grid[block.columns] = np.diagonal(values) if report.of_own else values[r]
    report.table = table_around(index, x.shape, *(grid.reshape(x.shape) for grid in grids))
    output = _output_of(evidence, r) if evidence.full else 0
    report.headline = f"Jacobian mismatch for output {output} with respect to input {block.which},"


def _off(matrix: np.ndarray) -> np.ndarray:
    """What stands off the diagonal of a square matrix."""
    return matrix[~np.eye(len(matrix), matrix.shape[1], dtype=bool)]


def _output_of(evidence: Evidence, row: int) -> int:
    ends = np.cumsum([y.size for y in evidence.ys])
    return int(np.searchsorted(ends, row, side="right"))


def _what(evidence: Evidence, row: int) -> str:
    if not evidence.full:
        return "a random sum of the outputs"
    k = _output_of(evidence, row)
    start = sum(y.size for y in evidence.ys[:k])
    y, name = evidence.ys[k], evidence.problem.output_name(k)
    return f"{name}{list(index_of(y, row - start))}" if y.shape else name


def _formula(evidence: Evidence, error: float) -> str:
    if evidence.asked.atol is not None or evidence.asked.rtol is not None:
        return f"{evidence.asked.atol or 0:g} + {evidence.asked.rtol or 0:g} * |numeric|"
    coarse = 200 * evidence.machine if evidence.machine > IMPRECISE else 0.0
    more = f" + {evidence.asked.nondet_tol:g}" if evidence.asked.nondet_tol else ""
    return f"10 * {error:.1g} (numeric error) + {RTOL + coarse:.0e} * |numeric| + {ATOL + coarse:.0e} * largest beside it{more}"
