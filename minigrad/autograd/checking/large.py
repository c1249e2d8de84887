"""Inputs of many entries: slopes along random directions, and, where one differs, bisection to the entry that is wrong.

A difference between analytic and numeric slope along a direction is the sum of the differences of its entries. Splitting the
direction in two halves and following the half with the larger difference leads to a wrong entry in log2(n) steps.
"""

from __future__ import annotations

import numpy as np

from minigrad.autograd.checking.compare import Block, Evidence, along
from minigrad.autograd.checking.numeric import SMOOTH

DIRECTIONS, SAMPLE = 4, 12


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
        gap, excess = _differences(evidence, k, rows, analytic, v)
        if excess.max(initial=0.0) > 1:
            return _bisect(evidence, k, rows, analytic, v, gap)
    return None


def _differences(
    evidence: Evidence, k: int, rows: np.ndarray, analytic: np.ndarray, v: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Analytic minus numeric slope along ``v`` for each row, and in tolerances; 0 where there is no slope."""
    mine, numeric, tolerance = along(evidence, v, k, rows, analytic)
    gap = np.where((numeric.kind == SMOOTH) & np.isfinite(numeric.value), mine - numeric.value, 0.0)
    return gap, np.abs(gap) / np.maximum(tolerance, 1e-300)


def _bisect(
    evidence: Evidence, k: int, rows: np.ndarray, analytic: np.ndarray, v: np.ndarray, total: np.ndarray
) -> int:
    """Follow the half with the larger difference; the two halves' differences add up to the whole's."""
    active = np.arange(v.size)
    while active.size > 1:
        half = active[: active.size // 2]
        part = np.zeros(v.size)
        part[half] = v.reshape(-1)[half]
        gap, _ = _differences(evidence, k, rows, analytic, part.reshape(v.shape))
        first, total = (half.size, gap) if np.abs(gap).max() >= np.abs(total - gap).max() else (0, total - gap)
        active = half if first else active[active.size // 2 :]
    return int(active[0])


def _around(shape: tuple[int, ...], place: int, rng: np.random.Generator) -> np.ndarray:
    """The entry, those beside it along the last two axes, and some from anywhere."""
    size = int(np.prod(shape))
    index = np.unravel_index(place, shape) if shape else ()
    near = {place}
    for a in (-1, 0, 1):
        for b in (-1, 0, 1):
            at = list(index)
            if at:
                at[-1] += b
            if len(at) > 1:
                at[-2] += a
            if all(0 <= i < n for i, n in zip(at, shape, strict=True)) and at:
                near.add(int(np.ravel_multi_index(at, shape)))
    anywhere = rng.integers(0, size, SAMPLE)
    return np.array(sorted(near | {int(i) for i in anywhere}))
