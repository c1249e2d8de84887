"""What a replay can do without: instructions whose result is there already, or that nobody reads.

Each pass takes a list of instructions and gives another with the same effects. They rely on nothing but who reads and
writes which address, in which order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace as changed
from typing import Any

import numpy as np

from minigrad.compile.program import Address, Buffer, Instruction, replace

_EMPTY = {np.empty, np.empty_like, np.ndarray}
_COPIES = {np.copy, np.ndarray.copy, np.ndarray.astype, np.ndarray.reshape, np.ndarray.flatten, np.ndarray.ravel}


def without_allocations(program: Sequence[Instruction]) -> list[Instruction]:
    """An array that is made empty has no contents yet: its buffer is all there is to it."""
    return [i for i in program if i.function not in _EMPTY]


def without_dead(program: Sequence[Instruction]) -> list[Instruction]:
    """Only what leads to memory that is wanted afterwards, to a guard, or to a call of Python's."""
    live: set[Buffer] = set()
    kept = []
    for i in reversed(program):
        wanted = any(a.buffer in live or a.buffer.shared or a.buffer.pinned for a in i.written)
        if wanted or i.guard or not i.pure:
            live.update(a.buffer for a in (*i.reads, *i.writes))
            kept.append(i)
    return kept[::-1]


def _writes(program: Sequence[Instruction]) -> Counter[Buffer]:
    return Counter(a.buffer for i in program for a in i.written)


def _frozen(tree: Any) -> Any:
    """A constant as a key: equal for equal constants of one type."""
    if isinstance(tree, (tuple, list)):
        return type(tree), tuple(_frozen(item) for item in tree)
    if isinstance(tree, dict):
        return tuple((key, _frozen(item)) for key, item in tree.items())
    if isinstance(tree, np.ndarray):
        return (tree.dtype.str, tree.tobytes()) if tree.ndim == 0 else id(tree)
    return tree if isinstance(tree, Address) else (type(tree), repr(tree))


def without_repeated(program: Sequence[Instruction], known: Any = None) -> list[Instruction]:
    """What was calculated once is not calculated again, unless an operand has been overwritten since.

    A result that is itself overwritten later is left alone.
    """
    writes = _writes(program)
    version: Counter[Any] = Counter()
    first: dict[Any, Address] = {}
    same: dict[Buffer, Buffer] = {}
    kept = []
    for i in program:
        i = _moved(i, same)
        if i.pure and not i.guard and not i.writes and len(i.outs) == 1:
            out = i.outs[0]
            once = writes[out.buffer] == 1 and not out.buffer.given
            outside = version[None] if any(a.buffer.given for a in i.reads) else 0
            key = (
                outside, i.function, _frozen(i.args), _frozen(i.options), tuple(version[a.buffer] for a in i.reads),
                out.offset, out.shape, out.strides, out.dtype,
            )  # fmt: skip
            former = first.get(key)
            if former is not None and once and not out.buffer.pinned:
                same[out.buffer] = former.buffer
                continue
            if former is None and once:
                first[key] = out
        for a in i.written:
            version[a.buffer] += 1
        version[None] += not i.pure  # what Python does may change any memory that it knows
        kept.append(i)
    return kept


def without_copies(
    program: Sequence[Instruction], numbers: set[Buffer]
) -> tuple[list[Instruction], dict[Buffer, Address]]:
    """A copy whose source and copy both stay as they are is not made; ``numbers`` are buffers only read afterwards.

    Also returns where to find instead what was to be copied.
    """
    writes = _writes(program)
    later = Counter(writes)
    instead: dict[Buffer, Address] = {}
    kept = []
    for i in program:
        for a in i.written:
            later[a.buffer] -= 1
        if i.function in _COPIES and len(i.outs) == 1 and not i.writes and isinstance(i.args[0], Address):
            source, out = i.args[0], i.outs[0]
            twin = source.dtype == out.dtype and source.shape == out.shape and source.strides == out.strides
            read_only = writes[out.buffer] == 1 and not out.buffer.given and later[source.buffer] == 0
            pinned = out.buffer.pinned and out.buffer not in numbers
            if twin and read_only and not pinned and not source.buffer.given and source.buffer not in instead:
                instead[out.buffer] = changed(source, offset=source.offset - out.offset)
                if out.buffer.pinned:
                    source.buffer.pinned = True
                continue
        kept.append(i)
    return [_moved(i, {}, instead) for i in kept], instead


def without_gathering(program: Sequence[Instruction]) -> tuple[list[Instruction], dict[Buffer, Address]]:
    """Arrays that are put together into one are made in their places there: the gradients of a whole optimizer.

    Also returns where to find them instead.
    """
    writes = _writes(program)
    last = {a.buffer: position for position, i in enumerate(program) for a in i.written}
    instead: dict[Buffer, Address] = {}
    kept = []
    for position, i in enumerate(program):
        parts = _gathered(i)
        whole = i.outs[0].buffer if parts else None
        known = instead.keys() | {whole}
        if whole is None or writes[whole] > 1 or any(a.buffer in known or last[a.buffer] > position for a in parts):
            kept.append(i)
            continue
        offset = 0
        for a in parts:
            instead[a.buffer] = changed(i.outs[0], offset=offset)
            offset += a.buffer.nbytes
            whole.pinned = whole.pinned or a.buffer.pinned
    return [_relocated(i, instead) for i in kept], instead


def _gathered(i: Instruction) -> Sequence[Address]:
    """The arrays that an instruction puts one after the other, if each has a buffer of the step's own to itself."""
    axis = (*i.args[1:], *i.options.values())
    if (
        i.function is not np.concatenate
        or axis not in ((), (0,))
        or i.options.keys() - {"axis"}
        or i.outs[0].buffer.given
    ):
        return ()
    parts = i.args[0]
    if not all(isinstance(a, Address) and a.dtype == i.outs[0].dtype and a.contiguous for a in parts):
        return ()
    own = all(not a.buffer.given and a.bounds == (0, a.buffer.nbytes) and a.size for a in parts)
    return parts if own and len({a.buffer for a in parts}) == len(parts) else ()


def _relocated(i: Instruction, instead: dict[Buffer, Address]) -> Instruction:
    """The instruction with all that it reads and writes in the new places."""

    def move(a: Address) -> Address:
        there = instead.get(a.buffer)
        return a if there is None else changed(a, buffer=there.buffer, offset=there.offset + a.offset)

    i = _moved(i, {}, instead)
    return changed(i, outs=tuple(map(move, i.outs)), writes=tuple(map(move, i.writes)))


def _moved(i: Instruction, same: dict[Buffer, Buffer], instead: dict[Buffer, Address] | None = None) -> Instruction:
    """The instruction with its operands taken from other buffers that hold the same."""
    if not same and not instead:
        return i

    def move(a: Address) -> Address:
        if instead and a.buffer in instead:
            there = instead[a.buffer]
            return changed(a, buffer=there.buffer, offset=there.offset + a.offset)
        return changed(a, buffer=same[a.buffer]) if a.buffer in same else a

    return changed(i, args=replace(i.args, Address, move), options=replace(i.options, Address, move))
