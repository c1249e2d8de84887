"""What the structural tests look at: one input's two Jacobians side by side, and when two numbers count as equal."""

from __future__ import annotations

import itertools
import math
from functools import cached_property
from typing import Any

import numpy as np

from minigrad.autograd.checking.compare import Block, Evidence
from minigrad.autograd.checking.report import HIGH, Diagnosis


class View:
    """The analytic and the numeric Jacobian of one input: ``a`` and ``n``, of shape (rows, entries that have a slope)."""

    def __init__(self, evidence: Evidence, block: Block) -> None:
        self.evidence, self.block = evidence, block
        self.name = evidence.problem.names[block.which]
        self.x = evidence.xs[block.which]
        self.shape = self.x.shape
        keep = ~block.unchecked
        self.keep = keep
        self.columns = block.columns[keep]
        self.a, self.n = block.analytic[:, keep], block.numeric[:, keep]
        self.slack = block.tolerance[:, keep]
        self.complete = bool(keep.all()) and self.columns.size == self.x.size
        self.full = evidence.full

    @cached_property
    def entries(self) -> np.ndarray:
        """The input's values at the columns."""
        return self.x.reshape(-1)[self.columns]

    @property
    def bad(self) -> np.ndarray:
        return self.block.bad[:, self.keep]

    def equal(self, a: np.ndarray, b: np.ndarray, slack: Any = None) -> np.ndarray:
        """Entry by entry, whether ``a`` and ``b`` agree within what the numeric slopes are known to."""
        slack = self.slack if slack is None else slack
        top = float(np.abs(b[np.isfinite(b)]).max(initial=0.0))
        with np.errstate(all="ignore"):
            return np.abs(a - b) <= 5 * slack + 1e-7 * (np.abs(a) + np.abs(b)) + 1e-9 * top

    def same(self, a: np.ndarray, b: np.ndarray, slack: Any = None) -> bool:
        return bool(np.all(self.equal(a, b, slack)))

    @cached_property
    def visible(self) -> np.ndarray:
        """The entries whose numeric slope is not lost in its own error."""
        top = float(np.abs(self.n).max(initial=0.0))
        return np.abs(self.n) > 100 * self.slack + 1e-6 * top

    @cached_property
    def ratio(self) -> np.ndarray:
        """``a / n`` where ``n`` is visible, else nan."""
        with np.errstate(all="ignore"):
            return np.where(self.visible, self.a / self.n, np.nan)

    @cached_property
    def ratio_slack(self) -> float:
        """How well the ratios are known."""
        with np.errstate(all="ignore"):
            relative = np.where(self.visible, self.slack / np.abs(self.n), 0.0)
        return float(min(1e-2, 5 * np.quantile(relative, 0.5) + 1e-6)) if relative.size else 1e-6

    @cached_property
    def elementwise(self) -> bool:
        """Whether output i depends on entry i alone."""
        m, n = self.n.shape
        return self.full and self.complete and m == n and not np.any(self.off(self.n) & self.visible)

    @staticmethod
    def off(matrix: np.ndarray) -> np.ndarray:
        return (matrix != 0) & ~np.eye(len(matrix), dtype=bool)

    def index(self, column: int) -> tuple[int, ...]:
        return tuple(int(i) for i in np.unravel_index(int(self.columns[column]), self.shape)) if self.shape else ()

    def say(self, code: str, sentence: str, confidence: str = HIGH, tier: str = "B", **more: Any) -> Diagnosis:
        return Diagnosis(code, sentence, confidence, tier=tier, input=self.name, **more)


def sizes(evidence: Evidence, name: str, shape: tuple[int, ...]) -> dict[int, tuple[str, Any]]:
    """What a wrong whole factor may be: the products of axes of the input and of the outputs, in words, with the axes."""
    found: dict[int, tuple[str, Any]] = {}

    def enter(n: int, words: str, axis: Any) -> None:
        if n > 1:
            found.setdefault(n, (words, axis))

    def of(shape: tuple[int, ...], what: str, own: bool) -> None:
        if shape:
            enter(
                math.prod(shape),
                f"the number of elements of {what}",
                tuple(range(len(shape))) if own and len(shape) > 1 else 0 if own else None,
            )
        for count in range(1, len(shape)):
            for axes in itertools.combinations(range(len(shape)), count):
                words = (
                    f"the size of axis {axes[0]} of {what}" if count == 1 else f"the sizes of the axes {axes} of {what}"
                )
                enter(math.prod(shape[i] for i in axes), words, (axes if count > 1 else axes[0]) if own else None)

    of(shape, name, True)
    for y in evidence.ys:
        of(y.shape, "the output", False)
    for other, x in zip(evidence.problem.names, evidence.xs, strict=True):
        if other != name:
            of(x.shape, other, False)
    return found


def scalars(evidence: Evidence) -> dict[str, float]:
    """The numbers among the function's other arguments."""
    given = evidence.problem.context(evidence.xs)
    return {
        k: float(v)
        for k, v in given.items()
        if isinstance(v, (int, float)) and not isinstance(v, bool) and k not in evidence.problem.names
    }
