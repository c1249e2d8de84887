"""How an optimizer's arithmetic is laid out in memory; the formulas themselves are in the file of each algorithm.

An update is some ten passes over a parameter, its gradient and its state. Over a large parameter each pass would stream
from main memory, so the arrays are cut into blocks that stay in the processor's cache for all passes. Intermediate
results go to scratch arrays that are allocated once; factors are 0-d arrays, which NumPy takes faster than Python
numbers.
"""

from __future__ import annotations

from operator import is_
from typing import Any

import numpy as np

BLOCK = 32768  # elements: the seven float32 arrays of an Adam step are 0.9 MB, what a core's second-level cache holds


class Factors:
    """Numbers as 0-d arrays, refilled only when they change."""

    def __init__(self, dtype: np.dtype) -> None:
        # As PyTorch does, half precision is computed with factors of single precision.
        self._dtype = np.dtype(np.float32) if dtype == np.float16 else dtype
        self._values: tuple[float, ...] = ()
        self._arrays: list[np.ndarray] = []

    def __call__(self, *values: float) -> list[np.ndarray]:
        if values != self._values:
            if len(values) != len(self._values):
                self._values = (float("nan"),) * len(values)
                self._arrays = [np.empty((), self._dtype) for _ in values]
            for array, value, former in zip(self._arrays, values, self._values, strict=True):
                if value != former:
                    array.fill(value)
            self._values = values
        return self._arrays


class Plan:
    """One parameter and its state arrays cut into ``blocks``: tuples of the parameter, the state, and the scratch."""

    def __init__(self, arrays: tuple[np.ndarray, ...], scratch: list[np.ndarray], factors: Factors) -> None:
        self.arrays, self.factors = arrays, factors
        x = arrays[0]
        self.slices: list[slice] = []
        self.blocks: list[tuple[np.ndarray, ...]] = []
        if x.size <= BLOCK:
            self.blocks.append((*arrays, *(s[: x.size].reshape(x.shape) for s in scratch)))
        elif all(a.flags.c_contiguous for a in arrays):
            flat = [a.reshape(-1) for a in arrays]
            for start in range(0, x.size, BLOCK):
                cut = slice(start, min(start + BLOCK, x.size))
                self.slices.append(cut)
                self.blocks.append((*(a[cut] for a in flat), *(s[: cut.stop - start] for s in scratch)))
        else:  # no flat view exists: one block of everything
            self.blocks.append((*arrays, *(np.empty_like(x) for _ in scratch)))

    def cut(self, g: np.ndarray) -> list[np.ndarray]:
        """The gradient in the same blocks."""
        if not self.slices:
            return [g]
        flat = g.reshape(-1)
        return [flat[cut] for cut in self.slices]


class Workspace:
    """The plans of an optimizer's parameters, made when first needed and anew when an array has been replaced."""

    def __init__(self, scratch: int) -> None:
        self._count = scratch
        self._plans: dict[Any, Plan] = {}
        self._scratch: dict[np.dtype, list[np.ndarray]] = {}
        self._factors: dict[tuple[int, np.dtype], Factors] = {}

    def plan(self, p: Any, group: dict[str, Any], *state: np.ndarray) -> Plan:
        """The plan for parameter ``p`` of ``group`` with these state arrays."""
        plan = self._plans.get(p)
        arrays = (p.array, *state)
        if plan is None or len(plan.arrays) != len(arrays) or not all(map(is_, plan.arrays, arrays)):
            plan = self._plans[p] = self._make(arrays, id(group))
        return plan

    def _make(self, arrays: tuple[np.ndarray, ...], group: int) -> Plan:
        dtype = arrays[0].dtype
        if dtype not in self._scratch:
            self._scratch[dtype] = [np.empty(BLOCK, dtype) for _ in range(self._count)]
        factors = self._factors.setdefault((group, dtype), Factors(dtype))
        return Plan(arrays, self._scratch[dtype], factors)


def lerp(x: np.ndarray, y: np.ndarray, weight: np.ndarray, rest: np.ndarray, work: np.ndarray) -> None:
    """``x += weight * (y - x)`` in place, written from the nearer end as PyTorch does; ``rest`` is ``1 - weight``."""
    np.subtract(y, x, work)
    if weight < 0.5:
        np.multiply(work, weight, work)
        np.add(x, work, x)
    else:
        np.multiply(work, rest, work)
        np.subtract(y, work, x)
