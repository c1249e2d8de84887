"""One point at which a problem is checked: what the probes and the comparison found there."""

from __future__ import annotations

import numpy as np

from minigrad.autograd.checking.compare import LOW as IMPRECISE
from minigrad.autograd.checking.compare import Block, Evidence, Tolerance
from minigrad.autograd.checking.kinks import Kink, Tie, beside, kinks_of, outside, ties
from minigrad.autograd.checking.large import search
from minigrad.autograd.checking.problem import Problem
from minigrad.autograd.checking.protocol import probe_call, probe_forward, probe_linearity
from minigrad.autograd.checking.report import Diagnosis


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
        floor = 1e-13 * float(np.abs(evidence.y).max(initial=0.0))  # what rounding in float64 may leave
        found = evidence.analytic(evidence.xs, g[None])
        for block in self.evidence.blocks:
            with np.errstate(all="ignore"):
                mine, expected = found[block.which][0], g @ block.analytic
                size = float((np.abs(g) @ np.abs(block.analytic)).max(initial=0.0))
                single = np.array_equal(mine, mine.astype(np.float32).astype(np.float64))
            if single and np.isfinite(size) and np.any(np.abs(mine - expected) > 1e-9 * size + floor):
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
