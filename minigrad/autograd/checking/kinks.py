"""Entries on a kink: what is known of them, how they are checked beside it, and ties that move together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigrad.autograd.checking.compare import Block, Evidence
from minigrad.autograd.checking.numeric import KINK, SMOOTH, UNKNOWN, slopes
from minigrad.autograd.checking.problem import Arrays


class Kink(NamedTuple):
    """An entry without a derivative: where, the slopes to either side, what the rule says, and how it fared beside."""

    input: int
    column: int
    place: float
    kind: int
    left: float
    right: float
    analytic: float
    beside: float | None  # where the rule was checked instead; None if no such place was found


def kinks_of(evidence: Evidence, block: Block) -> list[Kink]:
    """The entries of a block that were not compared."""
    found = []
    entries = evidence.xs[block.which].reshape(-1)
    for c in np.flatnonzero(block.unchecked):
        kind = np.where(np.isfinite(block.numeric[:, c]) | (block.kind[:, c] != SMOOTH), block.kind[:, c], UNKNOWN)
        r = int(np.argmax(kind > 0)) if not (kind == KINK).any() else int(np.argmax(kind == KINK))
        j = int(block.columns[c])
        found.append(
            Kink(
                block.which,
                j,
                float(entries[j]),
                int(kind[r]),
                block.left[r, c],
                block.right[r, c],
                block.analytic[r, c],
                None,
            )
        )
    return found


def outside(block: Block) -> np.ndarray:
    """The entries on a kink whose gradient no mixture of the slopes to its left and right gives."""
    low, high = np.minimum(block.left, block.right), np.maximum(block.left, block.right)
    margin = 1e-3 * np.maximum(np.abs(low), np.abs(high)) + 1e-9
    with np.errstate(all="ignore"):
        return (block.kind == KINK) & ~((block.analytic >= low - margin) & (block.analytic <= high + margin))


@np.errstate(all="ignore")
def beside(evidence: Evidence, kinks: list[Kink]) -> tuple[Arrays, list[Kink], list[Block]]:
    """Move every entry on a kink a little and compare there: the new point, the kinks, and what the rule says beside them."""
    for attempt in range(4):
        xs = evidence.copies()
        for kink in kinks:
            size = float(evidence.rng.uniform(0.01, 0.03)) * max(1.0, abs(kink.place))
            sign = 1.0 if attempt == 1 else -1.0 if attempt == 2 else float(evidence.rng.choice([-1.0, 1.0]))
            xs[kink.input].reshape(-1)[kink.column] += sign * size
        y = evidence.flat(xs)
        if not np.array_equal(np.isfinite(y), np.isfinite(evidence.y)):
            continue
        rows = evidence.rows()
        analytic = evidence.analytic(xs, rows)
        blocks = []
        for k in sorted({kink.input for kink in kinks}):
            columns = np.array([kink.column for kink in kinks if kink.input == k])
            blocks.append(evidence.block(xs, k, columns, rows, analytic[k], y))
        if not any(b.unchecked.any() for b in blocks):
            moved = [k._replace(beside=float(xs[k.input].reshape(-1)[k.column])) for k in kinks]
            return xs, moved, blocks
    return evidence.copies(), kinks, []


class Tie(NamedTuple):
    """Entries of one value on kinks that move together: a direction along which there may be a derivative."""

    kinks: list[Kink]
    row: int
    analytic: float
    numeric: float
    tolerance: float


@np.errstate(all="ignore")
def ties(evidence: Evidence, kinks: list[Kink]) -> list[Tie]:
    """Groups of tied entries along which the function is smooth, but not as the gradient says."""
    groups: dict[float, list[Kink]] = {}
    for kink in kinks:
        groups.setdefault(kink.place, []).append(kink)
    wrong = []
    rows = evidence.rows()
    for group in groups.values():
        if len(group) < 2:
            continue

        def line(t: float, group: list[Kink] = group) -> np.ndarray:
            xs = evidence.copies()
            for kink in group:
                xs[kink.input].reshape(-1)[kink.column] += t
            return rows @ evidence.flat(xs)

        found = slopes(line, 0.0, rows @ evidence.y, np.abs(rows) @ evidence.noise, evidence.step(0.0))
        analytic = np.zeros(len(rows))
        for kink in group:
            block = evidence.blocks[kink.input]
            analytic = analytic + block.analytic[:, int(np.flatnonzero(block.columns == kink.column)[0])]
        tolerance = evidence.tolerance(found.value[:, None], found.error[:, None])[:, 0]
        with np.errstate(all="ignore"):
            bad = (found.kind == SMOOTH) & ~(np.abs(analytic - found.value) <= tolerance)
        if bad.any():
            r = int(np.argmax(np.where(bad, np.abs(analytic - found.value), -1)))
            wrong.append(Tie(group, r, float(analytic[r]), float(found.value[r]), float(tolerance[r])))
    return wrong
