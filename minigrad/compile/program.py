"""The words in which a captured step is written down: memory, addresses in it, and instructions on addresses.

A view is not an instruction, it is an address: a transpose, a slice or a broadcast of an array is the same memory read
with another offset, shape and strides. So a program has only two kinds of things: pieces of memory (``Buffer``) and calls
of functions on addresses (``Instruction``), in the order in which they were made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class Buffer:
    """A piece of memory: made by the step itself, or ``given`` (it was there before, and is used by reference)."""

    def __init__(self, owner: np.ndarray | None, start: int, end: int, given: bool) -> None:
        self.owner: Any = owner  # given memory is kept, so that its address belongs to no other
        self.start, self.end, self.given = start, end, given
        self.written = False  # whether the step wrote to given memory,
        self.before: np.ndarray | None = None  # and what was there before, if that may be wanted
        self.shared = False  # whether someone else holds the memory after the step
        self.pinned = False  # whether the contents are wanted after the step
        self.name = ""

    @property
    def nbytes(self) -> int:
        return self.end - self.start

    def __repr__(self) -> str:
        return self.name or f"buffer at {self.start:#x}"


@dataclass(frozen=True)
class Address:
    """Where an array is: a buffer, the place of its first element in it (in bytes), and how to go on from there."""

    buffer: Buffer
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype

    @property
    def bounds(self) -> tuple[int, int]:
        """The first byte of the buffer that the array may touch, and the one after the last."""
        low = high = self.offset
        for n, stride in zip(self.shape, self.strides, strict=True):
            if n == 0:
                return low, low
            if stride < 0:
                low += (n - 1) * stride
            else:
                high += (n - 1) * stride
        return low, high + self.dtype.itemsize

    @property
    def size(self) -> int:
        count = 1
        for n in self.shape:
            count *= n
        return count

    @property
    def contiguous(self) -> bool:
        """Whether the elements lie one after the other, in C order, without gaps."""
        step = self.dtype.itemsize
        for n, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if n != 1 and stride != step:
                return False
            step *= n
        return True

    def overlaps(self, other: Address) -> bool:
        if self.buffer is not other.buffer:
            return False
        (a, b), (c, d) = self.bounds, other.bounds
        return a < d and c < b


@dataclass(eq=False)
class Instruction:
    """One call: ``function`` on ``args`` and ``options``, in which addresses stand for arrays; ``outs`` get its results.

    ``writes`` are the arguments that the call changes in place. ``pure`` says that it depends on its arguments alone and
    does nothing but write ``outs`` and ``writes``.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)
    outs: tuple[Address, ...] = ()
    writes: tuple[Address, ...] = ()
    pure: bool = True
    guard: bool = False  # raises ``GuardFailedError`` if the capture does not hold for these values

    @property
    def reads(self) -> list[Address]:
        return list(addresses((self.args, self.options)))

    @property
    def written(self) -> tuple[Address, ...]:
        return (*self.outs, *self.writes)

    @property
    def may_fail(self) -> bool:
        """Whether the call can raise for some values: a guard, an index out of range, a shape that depends on values."""
        function = self.function
        ufunc = function if isinstance(function, np.ufunc) else getattr(function, "__self__", None)
        safe = isinstance(ufunc, np.ufunc) and getattr(function, "__name__", "") != "at"
        return self.guard or (self.pure and not safe and function not in SAFE)

    @property
    def name(self) -> str:
        """What the function is called: ``add``, ``add.reduce``, ``copyto``."""
        function = getattr(self.function, "func", self.function)  # of a partial
        owner = getattr(function, "__self__", None)
        name = getattr(function, "__name__", type(function).__name__)
        return f"{owner.__name__}.{name}" if isinstance(owner, np.ufunc) else name


# Besides the ufuncs: functions whose results have shapes, and exist, whatever the values
SAFE = {
    np.ndarray.copy, np.ndarray.astype, np.ndarray.reshape, np.ndarray.ravel, np.ndarray.flatten, np.ndarray.fill,
    np.dot, np.where, np.concatenate, np.stack, np.zeros, np.zeros_like, np.ones_like, np.full_like, np.mean, np.var,
    np.sum, np.clip, np.copyto,
}  # fmt: skip


class GuardFailedError(Exception):
    """What the capture took for granted does not hold for these values."""


def start_of(array: np.ndarray) -> int:
    """Where in the memory of the process the first element of an array lies."""
    return array.__array_interface__["data"][0]


class _Memory:
    """Memory around the first element of an array, as NumPy asks for it."""

    def __init__(self, array: np.ndarray, start: int, layout: dict[str, Any]) -> None:
        self.array = array  # which keeps the memory
        place = start_of(array) + start
        self.__array_interface__ = {**layout, "data": (place, not array.flags.writeable), "version": 3}


def part(array: np.ndarray, start: int, shape: Any, strides: Any, dtype: np.dtype) -> np.ndarray:
    """Another view of an array's memory, ``start`` bytes from its first element."""
    return np.asarray(_Memory(array, start, {"shape": shape, "strides": strides, "typestr": dtype.str}))


def whole(array: np.ndarray) -> np.ndarray:
    """All bytes from the first to the last that an array touches."""
    low, high = np.lib.array_utils.byte_bounds(array)
    return part(array, low - start_of(array), (high - low,), (1,), np.dtype(np.uint8))


def addresses(tree: Any) -> Iterator[Address]:
    """The addresses in a tree of tuples, lists, dicts and slices."""
    if isinstance(tree, Address):
        yield tree
    elif isinstance(tree, (tuple, list)):
        for item in tree:
            yield from addresses(item)
    elif isinstance(tree, dict):
        yield from addresses(list(tree.values()))


def replace(tree: Any, kind: Any, change: Callable[[Any], Any]) -> Any:
    """The tree with every leaf of ``kind`` changed."""
    if isinstance(tree, kind):
        return change(tree)
    if type(tree) in (tuple, list):
        return type(tree)([replace(item, kind, change) for item in tree])
    if type(tree) is dict:
        return {key: replace(item, kind, change) for key, item in tree.items()}
    return tree


def same(a: Any, b: Any) -> bool:
    """Whether two constants of a program are equal, of one type and, if floats, nan where the other is."""
    if isinstance(a, (tuple, list)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return type(b) is dict and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (float, np.floating)):
        return type(a) is type(b) and repr(a) == repr(b)
    if isinstance(a, slice):
        return type(b) is slice and (a.start, a.stop, a.step) == (b.start, b.stop, b.step)
    return a is b or (type(a) is type(b) and bool(a == b))
