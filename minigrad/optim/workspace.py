"""How an optimizer's arithmetic is laid out in memory; the formulas themselves are in the file of each algorithm.

An update is some ten passes over a parameter, its gradient and its state. Over a large parameter each pass would stream
from main memory, so the arrays are cut into blocks that stay in the processor's cache for all passes. Small parameters
cost more in calls than in arithmetic, so they are put together into one piece of memory, a run, and updated as one
array. Intermediate results go to scratch arrays that are allocated once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from operator import is_
from typing import Any

import numpy as np

from minigrad.grad_mode import mode
from minigrad.tensor import Tensor

BLOCK = 32768  # elements: the seven float32 arrays of an Adam step are 0.9 MB, what a core's second-level cache holds


class Factors:
    """Numbers as 0-d arrays, which NumPy takes faster than Python's, refilled when they change."""

    def __init__(self, dtype: np.dtype) -> None:
        # As PyTorch does, half precision is computed with factors of single precision.
        self._dtype = np.dtype(np.float32) if dtype == np.float16 else dtype
        self._values: tuple[float, ...] = ()
        self.arrays: list[np.ndarray] = []

    def fill(self, values: tuple[float, ...]) -> None:
        if values == self._values:
            return
        if len(values) != len(self._values):
            self._values = (float("nan"),) * len(values)
            self.arrays = [np.empty((), self._dtype) for _ in values]
        for array, value, former in zip(self.arrays, values, self._values, strict=True):
            if value != former:
                array.fill(value)
        self._values = values


class Run:
    """Parameters in one piece of memory, and ``blocks`` of it: tuples of the parameters, their state, and the scratch."""

    def __init__(
        self,
        params: list[Tensor],
        pieces: list[np.ndarray],
        steps: np.ndarray | None,
        first: bool,
        scratch: list[np.ndarray],
        factors: Factors,
    ) -> None:
        self.params, self.first, self.factors = params, first, factors
        self._steps = steps
        self._cuts: list[slice] = []
        x, (gathered, *scratch) = pieces[0], scratch
        self._work, self._shape = [gathered[: x.size]], x.shape  # in a list: contents that mean nothing between steps
        if x.size <= BLOCK:
            self.blocks = [(*pieces, *(s[: x.size].reshape(x.shape) for s in scratch))]
        elif x.ndim == 1:
            self._cuts = [slice(start, start + BLOCK) for start in range(0, x.size, BLOCK)]
            self.blocks = [(*(a[cut] for a in pieces), *(s[: x[cut].size] for s in scratch)) for cut in self._cuts]
        else:  # no flat view exists: one block of everything
            self.blocks = [(*pieces, *(np.empty_like(x) for _ in scratch))]

    def advance(self) -> float:
        """Count one step more and return the count, 0 if none is kept."""
        if self._steps is None:
            return 0.0
        self._steps += 1
        return self._steps.item(0)  # as rounded: float32 counts up to 2**24, PyTorch's, too

    def gradients(self) -> list[np.ndarray]:
        """The gradient in the same blocks."""
        if len(self.params) > 1:
            pieces = [p._grad.array.reshape(-1) for p in self.params]
            if mode.capture is not None:
                return [np.concatenate(pieces)]  # a captured step will make the pieces in their places in it
            return [np.concatenate(pieces, out=self._work[0])]
        g = self.params[0]._grad.array.reshape(self._shape)
        return [g[cut] for cut in self._cuts] if self._cuts else [g]


class Workspace:
    """The runs of an optimizer's groups, made when first needed and anew when an array has been replaced."""

    def __init__(self, scratch: int) -> None:
        self._count = scratch + 1  # and one for gradients put together
        self._known: dict[int, tuple[list[Any], list[Run]]] = {}
        self._scratch: dict[np.dtype, list[np.ndarray]] = {}

    def runs(self, group: dict[str, Any], state: Any, start: Callable[[Tensor, dict[str, Any]], bool]) -> list[Run]:
        """The runs of the parameters in ``group`` that have a gradient.

        When they are made, ``start`` is called for each parameter: it makes missing state and returns whether it did.
        """
        params = [p for p in group["params"] if p._grad is not None]
        known = self._known.get(id(group))
        if known is not None:
            arrays = _arrays(params, state)
            if len(arrays) == len(known[0]) and all(map(is_, arrays, known[0])):
                return known[1]
        self._known.pop(id(group), None)
        begun = [start(p, group) for p in params]
        runs = [self._run(part, state, first) for part, first in list(_parts(params, state, begun))]
        if not any(begun):
            self._known[id(group)] = _arrays(params, state), runs
        return runs

    def _run(self, params: list[Tensor], state: Any, first: bool) -> Run:
        dtype = params[0].array.dtype
        if dtype not in self._scratch:
            self._scratch[dtype] = [np.empty(BLOCK, dtype) for _ in range(self._count)]
        columns = _columns(params, state)
        steps = columns.pop("step", None)
        found = [_piece([t.array for t in column]) for column in columns.values()]
        pieces = [piece for piece in found if piece is not None]
        if len(pieces) < len(found):  # one parameter, and no flat view of it
            pieces = [t.array for (t,) in columns.values()]
        count = None if steps is None else _piece([t.array for t in steps])
        return Run(params, pieces, count, first, self._scratch[dtype], Factors(dtype))


def _columns(params: list[Tensor], state: Any) -> dict[str, list[Tensor]]:
    """The parameters, and by name their state."""
    rows = [{"": p, **(state.get(p) or {})} for p in params]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _arrays(params: list[Tensor], state: Any) -> list[Any]:
    """All memory that the runs of these parameters rely on."""
    found: list[Any] = [p.array for p in params]
    for p in params:
        for value in (state.get(p) or {}).values():
            found.append(getattr(value, "array", None))
    return found


def _parts(params: list[Tensor], state: Any, begun: list[bool]) -> Iterator[tuple[list[Tensor], bool]]:
    """Cut the list where neighbours cannot be updated as one array, else join their memory; small ones come first."""
    part: list[Tensor] = []
    size, former = 0, None
    for p, first in sorted(zip(params, begun, strict=True), key=lambda pair: pair[0].array.size > BLOCK):
        steps = (state.get(p) or {}).get("step")
        kind = first, p.array.dtype, None if steps is None else steps.array.item()
        size += p.array.size
        if part and (kind != former or size > BLOCK or any(p is other for other in part)):
            yield from _joined(part, state, former)
            part, size = [], p.array.size
        part.append(p)
        former = kind
    if part:
        yield from _joined(part, state, former)


def _joined(part: list[Tensor], state: Any, kind: Any) -> list[tuple[list[Tensor], bool]]:
    """The parameters as one run if each of their arrays is, or can be made, one piece of memory."""
    if len(part) > 1 and all(_join(column) for column in _columns(part, state).values()):
        return [(part, kind[0])]
    return [([p], kind[0]) for p in part]


def _join(tensors: list[Tensor]) -> bool:
    """Whether the tensors' arrays follow each other in memory, into which they are moved if nobody else holds them.

    A view of a parameter, its detached twin or its ``numpy()`` hold the array, too, and must go on sharing it.
    """
    if _piece([t.array for t in tensors]) is not None:
        return True
    if not all(map(_alone, tensors)):
        return False
    flat = np.concatenate([t.array.reshape(-1) for t in tensors])
    start = 0
    for t in tensors:
        stop = start + t.array.size
        t.array = flat[start:stop].reshape(t.array.shape)
        start = stop
    return True


def _alone(tensor: Tensor) -> bool:
    """Whether nothing but the tensor holds its array, nor the memory below it."""
    array = tensor.array
    base = array.base
    held = sys.getrefcount(array) > 3  # by the tensor, by ``array`` here, and by the call
    return type(array) is np.ndarray and array.flags.c_contiguous and not held and (base is None or _below(base))


def _below(base: Any) -> bool:
    return type(base) is np.ndarray and base.base is None and sys.getrefcount(base) <= 4 and base.flags.owndata


def _piece(arrays: Sequence[np.ndarray]) -> np.ndarray | None:
    """Arrays that follow each other in memory as one flat view, or None."""
    if not all(a.flags.c_contiguous for a in arrays):
        return None
    if len(arrays) == 1:
        return arrays[0].reshape(-1)
    owner = arrays[0].base
    if owner is None or owner.ndim != 1 or any(a.base is not owner for a in arrays):
        return None
    start = stop = (_address(arrays[0]) - _address(owner)) // owner.itemsize
    for a in arrays:
        if a.size and _address(a) != _address(owner) + stop * owner.itemsize:
            return None
        stop += a.size
    return owner[start:stop]


def _address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def lerp(x: np.ndarray, y: np.ndarray, weight: np.ndarray, rest: np.ndarray, work: np.ndarray) -> None:
    """``x += weight * (y - x)`` in place, written from the nearer end as PyTorch does; ``rest`` is ``1 - weight``."""
    np.subtract(y, x, work)
    if weight < 0.5:
        np.multiply(work, weight, work)
        np.add(x, work, x)
    else:
        np.multiply(work, rest, work)
        np.subtract(y, work, x)
