"""Inputs of many entries: slopes along random directions, and, where one differs, bisection to the entry that is wrong.

A difference between analytic and numeric slope along a direction is the sum of the differences of its entries. Splitting the
direction in two halves and following the half with the larger difference leads to a wrong entry in log2(n) steps.
"""

from __future__ import annotations

import numpy as np

from minigrad.autograd.checking.compare import Block, Evidence, along
from minigrad.autograd.checking.numeric import SMOOTH

DIRECTIONS, SAMPLE = 4, 48


def search(evidence: Evidence, exhaustive: bool) -> list[Block]:
    """For each input the entries that were looked at: none if all directions agree, else those around the wrong one."""
    evidence.full = False
    rows = evidence.rows()[:2]
    analytic = evidence.analytic(evidence.xs, rows)
    blocks = []
    for k, x in enumerate(evidence.xs):
        place = _locate(evidence, k, rows, analytic[k])
        columns = np.zeros(0, int) if place is None else _around(x.shape, place, evidence.rng)
        blocks.append(evidence.block(evidence.xs, k, columns, rows, analytic[k], evidence.y))
    return blocks


def _locate(evidence: Evidence, k: int, rows: np.ndarray, analytic: np.ndarray) -> int | None:
    """The flat index of a wrong entry of input ``k``."""
    x = evidence.xs[k]
    if not x.size:
        return None
    if not np.isfinite(analytic).all():
        return int(np.argwhere(~np.isfinite(analytic))[0][1])
    for _ in range(DIRECTIONS):
        v = (
            evidence.rng.choice([-1.0, 1.0], x.shape)
            * evidence.rng.uniform(0.5, 1.5, x.shape)
            * np.maximum(np.abs(x), 1e-2)
        )
        excess = _excess(evidence, k, rows, analytic, v)
        if excess > 1:
            return _bisect(evidence, k, rows, analytic, v)
    return None


def _excess(evidence: Evidence, k: int, rows: np.ndarray, analytic: np.ndarray, v: np.ndarray) -> float:
    """How many tolerances apart the two slopes along ``v`` are; 0 where there is no slope."""
    ((mine, numeric, tolerance),) = along(evidence, [v], k, rows, analytic)
    sure = (numeric.kind == SMOOTH) & np.isfinite(numeric.value)
    with np.errstate(all="ignore"):
        return float(np.where(sure, np.abs(mine - numeric.value) / np.maximum(tolerance, 1e-300), 0.0).max(initial=0.0))


def _gap(evidence: Evidence, k: int, rows: np.ndarray, analytic: np.ndarray, v: np.ndarray) -> float:
    ((mine, numeric, tolerance),) = along(evidence, [v], k, rows, analytic)
    gap = np.abs(mine - numeric.value) - tolerance
    return float(np.where(np.isfinite(gap), gap, 0.0).max(initial=0.0))


def _bisect(evidence: Evidence, k: int, rows: np.ndarray, analytic: np.ndarray, v: np.ndarray) -> int:
    active = np.arange(v.size)
    while active.size > 1:
        halves = np.array_split(active, 2)
        gaps = []
        for half in halves:
            part = np.zeros(v.size)
            part[half] = v.reshape(-1)[half]
            gaps.append(_gap(evidence, k, rows, analytic, part.reshape(v.shape)))
        active = halves[int(np.argmax(gaps))]
    return int(active[0])


def _around(shape: tuple[int, ...], place: int, rng: np.random.Generator) -> np.ndarray:
    """The entry, those beside it along the last two axes, and some from anywhere."""
    size = int(np.prod(shape))
    index = np.unravel_index(place, shape) if shape else ()
    near = {place}
    for a in (-2, -1, 0, 1, 2):
        for b in (-2, -1, 0, 1, 2):
            at = list(index)
            if at:
                at[-1] += b
            if len(at) > 1:
                at[-2] += a
            if all(0 <= i < n for i, n in zip(at, shape, strict=True)) and at:
                near.add(int(np.ravel_multi_index(at, shape)))
    anywhere = rng.integers(0, size, SAMPLE)
    return np.array(sorted(near | {int(i) for i in anywhere}))
