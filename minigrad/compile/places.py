"""Where the results of a program lie: in one arena, in which buffers whose lives do not overlap share their place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minigrad.compile.program import Buffer, Instruction

_ALIGN = 64  # bytes: a line of the cache, and the width of the largest vector registers


def live_ranges(program: Sequence[Instruction]) -> dict[Buffer, tuple[int, int]]:
    """The first and last instruction that touches each buffer of the step's own."""
    found: dict[Buffer, tuple[int, int]] = {}
    for position, i in enumerate(program):
        for a in (*i.reads, *i.written):
            if not a.buffer.given:
                found[a.buffer] = found.get(a.buffer, (position, position))[0], position
    return found


def places(program: Sequence[Instruction]) -> tuple[dict[Buffer, int], int]:
    """Where in one arena each buffer lies, and the size of the arena; buffers whose lives do not overlap may share.

    The result of an operation on each element takes the place of an operand that is read here for the last time.
    """
    ranges = live_ranges(program)
    starts: dict[int, list[Buffer]] = {}
    ends: dict[int, list[Buffer]] = {}
    for buffer, (first, last) in ranges.items():
        if not buffer.pinned:
            starts.setdefault(first, []).append(buffer)
            ends.setdefault(last, []).append(buffer)
    place: dict[Buffer, int] = {}
    free: list[tuple[int, int]] = []  # (start, end) of unused parts below ``top``
    top = 0

    def take(size: int) -> int:
        nonlocal top
        fits = min(((b - a, a, b) for a, b in free if b - a >= size), default=None)
        if fits is not None:
            _, a, b = fits
            free.remove((a, b))
            if b - a > size:
                free.append((a + size, b))
            return a
        top += size
        return top - size

    def give(start: int, size: int) -> None:
        end = start + size
        for a, b in list(free):
            if b == start or a == end:
                free.remove((a, b))
                start, end = min(a, start), max(b, end)
        free.append((start, end))

    for position, i in enumerate(program):
        dying = set(ends.get(position, ()))
        for buffer in starts.get(position, ()):
            heir = _heir(i, buffer, dying) if buffer not in dying else None
            if heir is not None:
                place[buffer] = place[heir]
                dying.discard(heir)
            else:
                place[buffer] = take(_padded(buffer))
        for buffer in dying:
            give(place[buffer], _padded(buffer))
    return place, top


def _padded(buffer: Buffer) -> int:
    return -(-buffer.nbytes // _ALIGN) * _ALIGN


def _heir(i: Instruction, buffer: Buffer, dying: set[Buffer]) -> Buffer | None:
    """A dying operand in whose place ``buffer`` can be written, element by element."""
    if not isinstance(i.function, np.ufunc) or i.function.signature is not None or len(i.outs) != 1:
        return None
    out = i.outs[0]
    if out.buffer is not buffer or out.bounds != (0, buffer.nbytes):
        return None
    reads = i.reads
    for a in reads:
        fits = (a.offset, a.shape, a.strides) == (out.offset, out.shape, out.strides) and a.dtype == out.dtype
        alone = all(b == a for b in reads if b.buffer is a.buffer)
        if fits and alone and a.buffer in dying and _padded(a.buffer) == _padded(buffer):
            return a.buffer
    return None
