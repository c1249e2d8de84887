"""Analytic against numeric slopes: which entries differ, by how much more than the numeric error, which were not checked.

A gradient is right if |analytic - numeric| <= tolerance, and the tolerance is ten times the estimated error of the numeric
slope, plus what rounding may do to the analytic one. An entry on a kink has no derivative: it is reported, its gradient must
be one that a slope on the way from left to right could have, and the same rule is checked at a point beside it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from minigrad.autograd.checking import complex_step
from minigrad.autograd.checking.numeric import EPS, JUMP, SMOOTH, Line, Slopes, noise_of, slopes
from minigrad.autograd.checking.problem import Arrays, Problem, ShapeError

FULL, COLUMNS = 40_000, 2_000  # entries of a Jacobian, and of the inputs, up to which each is computed
SINGLE = float(np.finfo(np.float32).eps)
LOW = 1e-10  # a precision worse than that is called low
TINY = 1e-30  # where the outputs do not change at all
RTOL, ATOL = 1e-8, 1e-10  # what rounding may do to an analytic slope: of itself, and of the largest beside it


class Tolerance(NamedTuple):
    """What the caller asked for; None for what the numeric error suggests."""

    eps: float | None = None
    atol: float | None = None
    rtol: float | None = None
    nondet_tol: float = 0.0  # how far two calls may differ


class Block(NamedTuple):
    """One input: slopes of the outputs (or of random sums of them, as rows) along its entries ``columns``."""

    which: int  # which input
    columns: np.ndarray  # flat indices of the entries
    analytic: np.ndarray  # (rows, columns)
    numeric: np.ndarray
    error: np.ndarray  # of the numeric slope
    tolerance: np.ndarray
    kind: np.ndarray
    left: np.ndarray
    right: np.ndarray

    @property
    def bad(self) -> np.ndarray:
        with np.errstate(all="ignore"):
            differs = ~(np.abs(self.analytic - self.numeric) <= self.tolerance)
        broken = ((self.kind >= JUMP) | ~np.isfinite(self.numeric)).any(0)  # a jump, or a slope without bound
        return (self.kind == SMOOTH) & ~broken & differs

    @property
    def unchecked(self) -> np.ndarray:
        """The columns in which an entry has no slope to compare with."""
        return ((self.kind != SMOOTH) | ~np.isfinite(self.numeric)).any(0)


class Evidence:
    """All that was computed at one point; ``full`` if the rows are the outputs themselves."""

    def __init__(self, problem: Problem, xs: Arrays, asked: Tolerance, rng: np.random.Generator) -> None:
        self.problem, self.xs, self.asked, self.rng = problem, [x.copy() for x in xs], asked, rng
        found = problem.forward(self.copies())
        self.coarsest = max([float(np.finfo(y.dtype).eps) for y in found if y.dtype.kind == "f"], default=EPS)
        self.least = max(
            [float(np.finfo(y.dtype).smallest_subnormal) for y in found if y.dtype.kind == "f"], default=0.0
        )
        self.ys = [np.array(y, np.float64) for y in found]
        self.y = np.concatenate([y.ravel() for y in self.ys]) if self.ys else np.zeros(0)
        self.size = sum(x.size for x in xs)
        self.full = self.y.size * self.size <= FULL and self.y.size <= 400 and self.size <= COLUMNS
        self.noise, self.machine = self._noise()
        self.blocks: list[Block] = []
        self.holomorphic = False

    def copies(self) -> Arrays:
        return [x.copy() for x in self.xs]

    def split(self, g: np.ndarray) -> Arrays:
        """A gradient of all outputs as one for each."""
        cuts = np.cumsum([y.size for y in self.ys])[:-1]
        if not self.ys:
            return []
        return [part.reshape(y.shape) for part, y in zip(np.split(g, cuts), self.ys, strict=True)]

    def upstream(self) -> Arrays:
        """A random gradient of the outputs."""
        return self.split(self.rng.standard_normal(self.y.size))

    def flat(self, xs: Arrays) -> np.ndarray:
        y = np.asarray(self.problem.flat(xs), np.float64)
        return (
            y if y.shape == self.y.shape else np.full(self.y.shape, np.nan)
        )  # as where a mask of x picks the elements

    def _noise(self) -> tuple[np.ndarray, float]:
        """How much rounding moves each output, and the precision of the function: 1e-16, or 6e-8 if it uses float32."""
        if not self.y.size or not self.size:
            return np.zeros(self.y.shape), EPS
        found = noise_of([self._somewhere() for _ in range(3)], 1e-6)
        size = np.abs(np.nan_to_num(self.y, posinf=0.0, neginf=0.0))
        with np.errstate(all="ignore"):
            relative = (found / size)[size > 0]
        coarsest = max(self.coarsest, SINGLE if self._single() else EPS)
        machine = max(coarsest, float(np.quantile(relative, 0.8)) if relative.size else EPS)
        found = np.maximum(found, self.least)
        noise = np.maximum(2 * found, 2 * EPS * np.maximum(size, 1e-2 * size.max(initial=0.0)))
        if machine > LOW:
            noise = np.maximum(noise, np.maximum(machine * size, 0.5 * math.sqrt(float(np.mean(found * found)))))
        return noise, machine

    def _single(self) -> bool:
        """Whether the outputs are numbers of float32, though the inputs are not."""

        def held(x: np.ndarray, kind: type) -> bool:
            return bool(np.array_equal(x, x.astype(kind).astype(np.float64)))

        y = self.y[np.isfinite(self.y)]
        with np.errstate(all="ignore"):
            return held(y, np.float32) and not held(y, np.float16) and not all(held(x, np.float32) for x in self.xs)

    def _somewhere(self) -> Line:
        """The outputs along a random line through a point near by."""
        signs = [self.rng.choice([-1.0, 1.0], x.shape) for x in self.xs]
        way = [
            np.where(x == 0, 1e-3, x) * s * self.rng.uniform(0.3, 1.0, x.shape)
            for x, s in zip(self.xs, signs, strict=True)
        ]
        start = [x + v * float(self.rng.uniform(-3e-5, 3e-5)) for x, v in zip(self.xs, way, strict=True)]
        return lambda t: self.flat([x + t * v for x, v in zip(start, way, strict=True)])

    def step(self, x: float) -> float:
        return self.asked.eps or 1e-3 * max(1.0, abs(x))

    def tolerance(self, numeric: np.ndarray, error: np.ndarray) -> np.ndarray:
        """What |analytic - numeric| may be."""
        size = np.abs(np.where(np.isfinite(numeric), numeric, 0.0))
        if self.asked.atol is not None or self.asked.rtol is not None:
            return (self.asked.atol or 0.0) + (self.asked.rtol or 0.0) * size
        beside = size.max(axis=1, keepdims=True, initial=0.0)
        coarse = 200 * self.machine if self.machine > LOW else 0.0
        found = 10 * np.where(np.isfinite(error), error, 0.0) + (RTOL + coarse) * size + (ATOL + coarse) * beside + TINY
        return found + self.asked.nondet_tol

    def rows(self) -> np.ndarray:
        """The sums of outputs whose slopes are compared: each output, or three random sums."""
        return np.eye(self.y.size) if self.full else self.rng.standard_normal((3, self.y.size))

    def _holomorphic(self) -> bool:
        """Whether the complex step is sound here: by the operations on the way, and along one direction by differences."""
        if not self.full or self.machine > LOW or not complex_step.holomorphic(self.problem, self.copies()):
            return False
        way = [self.rng.standard_normal(x.shape) for x in self.xs]
        found = complex_step.slope(self.problem, self.copies(), way)
        if found is None or found.shape != self.y.shape:
            return False
        known = slopes(
            lambda t: self.flat([x + t * v for x, v in zip(self.xs, way, strict=True)]), 0.0, self.y, self.noise, 1e-3
        )
        slack = 10 * known.error + RTOL * np.abs(found) + ATOL * np.abs(found).max(initial=0.0)
        with np.errstate(all="ignore"):
            return bool(np.all((known.kind == SMOOTH) & (np.abs(found - known.value) <= slack)))

    @np.errstate(all="ignore")
    def compare(self) -> None:
        """Fill ``blocks``: every entry of every input."""
        self.holomorphic = self.asked.eps is None and self._holomorphic()
        rows = self.rows()
        analytic = self.analytic(self.xs, rows)
        self.blocks = [
            self.block(self.xs, k, np.arange(x.size), rows, analytic[k], self.y) for k, x in enumerate(self.xs)
        ]

    def analytic(self, xs: Arrays, rows: np.ndarray) -> list[np.ndarray]:
        """The rule's gradients for each row, by input, flattened; 0 for None."""
        found = self.problem.pull([x.copy() for x in xs], [self.split(r.copy()) for r in rows])
        for k, x in enumerate(xs):
            shape = next((np.shape(f[k]) for f in found if f[k] is not None and np.shape(f[k]) != x.shape), None)
            if shape is not None:
                name = self.problem.names[k]
                text = f"The gradient of {name} has the shape {shape} at another point or for another g, and {name} has {x.shape}"
                raise ShapeError(ValueError(text), "")
        return [
            np.stack(
                [np.zeros(x.size) if f[k] is None else np.asarray(f[k], np.float64).reshape(x.size) for f in found]
            )
            if len(found)
            else np.zeros((0, x.size))
            for k, x in enumerate(xs)
        ]

    def block(
        self, xs: Arrays, k: int, columns: np.ndarray, rows: np.ndarray, analytic: np.ndarray, y: np.ndarray
    ) -> Block:
        numeric = [self._column(xs, k, j, rows, y) for j in columns]
        empty = np.zeros((len(rows), 0))
        value, error, kind, left, right = (
            (np.stack(f, 1) if numeric else empty for f in zip(*numeric, strict=True)) if (numeric) else (empty,) * 5
        )
        return Block(k, columns, analytic[:, columns], value, error, self.tolerance(value, error), kind, left, right)

    def _column(self, xs: Arrays, k: int, j: int, rows: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        moved = [x.copy() for x in xs]
        if self.holomorphic and xs is self.xs:
            return self._complex(k, j)
        entry, at = moved[k].reshape(-1), float(xs[k].reshape(-1)[j])

        def line(place: float) -> np.ndarray:
            entry[j] = place
            y = self.flat(moved)
            return y if self.full else rows @ y

        if self.full:
            return tuple(slopes(line, at, y, self.noise, self.step(at)))
        return tuple(slopes(line, at, rows @ y, np.abs(rows) @ self.noise, self.step(at)))

    def _complex(self, k: int, j: int) -> tuple[np.ndarray, ...]:
        way = [np.zeros(x.shape) for x in self.xs]
        way[k].reshape(-1)[j] = 1.0
        value = complex_step.slope(self.problem, self.copies(), way)
        assert value is not None  # it was not None along another direction
        error = 4 * EPS * np.abs(value) + EPS * np.abs(value).max(initial=0.0)
        none = np.full(value.shape, np.nan)
        return value, error, np.zeros(value.shape, int), none, none


@np.errstate(all="ignore")
def along(
    evidence: Evidence, v: np.ndarray, k: int, rows: np.ndarray, analytic: np.ndarray
) -> tuple[np.ndarray, Slopes, np.ndarray]:
    """The slopes of ``rows`` of outputs along ``v``, a direction of input ``k``: analytic, numeric, and the tolerance."""
    x = evidence.xs[k]

    def line(t: float) -> np.ndarray:
        xs = list(evidence.xs)
        xs[k] = x + t * v
        return rows @ evidence.flat(xs)

    # independent roundings of the outputs add up like a random walk
    noise = np.abs(rows) @ evidence.noise / math.sqrt(max(evidence.y.size, 1)) + EPS * np.abs(rows @ evidence.y)
    step = (evidence.asked.eps or 1e-3) / (float(np.abs(v).max(initial=0.0)) or 1.0)
    numeric = slopes(line, 0.0, rows @ evidence.y, noise, step)
    size = np.abs(analytic) @ np.abs(v.reshape(-1)) / math.sqrt(max(v.size, 1))
    tolerance = evidence.tolerance(numeric.value[:, None], numeric.error[:, None])[:, 0]
    if evidence.asked.atol is None and evidence.asked.rtol is None:
        tolerance = tolerance + (ATOL + (evidence.machine * 200 if evidence.machine > LOW else 0.0)) * size
    return analytic @ v.reshape(-1), numeric, tolerance
