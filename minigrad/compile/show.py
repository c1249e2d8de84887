"""A plan as text: its instructions, where their results lie, and what was saved."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from minigrad.compile.places import live_ranges, places
from minigrad.compile.program import Address, Buffer, Instruction

_LONGEST = 32  # instructions of a chain that is done block by block, as far as the text looks for it


class Names:
    """Short names for memory: ``p`` was there before the step, ``v`` is a value of the step, ``c`` a constant."""

    def __init__(self) -> None:
        self._names: dict[Any, str] = {}
        self._counts = {"p": 0, "v": 0, "c": 0}

    def buffer(self, buffer: Buffer) -> str:
        if buffer not in self._names:
            kind = "v" if not buffer.given else "p" if buffer.shared else "c"
            self._names[buffer] = f"{kind}{self._counts[kind]}"
            self._counts[kind] += 1
        return self._names[buffer]

    def operand(self, x: Any) -> str:
        if isinstance(x, Address):
            return self.buffer(x.buffer) + layout(x)
        if isinstance(x, np.ndarray):
            if x.ndim or x.dtype == object:
                return f"<{'x'.join(map(str, x.shape))}>"
            return f"{x.item():.6g}" if x.dtype.kind == "f" else str(x)
        if isinstance(x, (tuple, list)):
            return "[" + ", ".join(map(self.operand, x)) + "]"
        if isinstance(x, (bool, int, float, str, slice, np.dtype)) or x is None or x is ...:
            return str(x)
        return getattr(x, "__name__", type(x).__name__)


def layout(a: Address) -> str:
    """How an address reads its buffer, if not simply from its first to its last byte."""
    if a.contiguous and a.bounds == (0, a.buffer.nbytes):
        return ""
    if len(a.shape) == 2 and a.strides == (a.dtype.itemsize, a.dtype.itemsize * a.shape[0]):
        return ".T"
    if 0 in a.strides and a.bounds == (0, a.buffer.nbytes):
        return f".expand{a.shape}"
    return f"[{a.bounds[0]}:{a.bounds[1]}]"


def show(plan: Any) -> str:
    """The text of a plan."""
    code: list[Instruction] = plan.code
    names, (place, arena) = Names(), places(code)
    lines = ["     value           shape          type     at     operation"]
    k = 0
    while k < len(code):
        length, times = _repetition(code, k)
        lines += [f"{at:4} " + _line(code[at], names, place) for at in range(k, k + length)]
        if times > 1:
            lines.append(f"{'':40}{k + length} to {k + length * times - 1}: the same for {times - 1} further blocks")
        k += length * times
    ranges = live_ranges(code)
    alone = sum(b.nbytes for b in ranges)
    own = sum(b.nbytes for b in ranges if b.pinned)
    first = len(plan.program.instructions)
    lines += [
        f"{first} calls of NumPy and Python were captured, {len(code)} instructions are left: "
        + _left_out(plan.left_out),
        f"memory: {arena + own} bytes, of which {own} for gradients and results; without reuse {alone} bytes",
    ]
    return "\n".join(lines)


def _repetition(code: list[Instruction], start: int) -> tuple[int, int]:
    """How many instructions from ``start`` on come again for other parts of the same memory, and how often they are there."""
    for length in range(2, _LONGEST + 1):
        times = 1
        while _alike(code[start : start + length], code[start + length * times : start + length * (times + 1)]):
            times += 1
        if times > 1:
            return length, times
    return 1, 1


def _alike(first: list[Instruction], second: list[Instruction]) -> bool:
    places = [[a for i in part for a in (*i.reads, *i.written)] for part in (first, second)]
    return (
        [i.function for i in first] == [i.function for i in second]
        and [a.buffer for a in places[0]] == [a.buffer for a in places[1]]
        and any(a.offset != b.offset for a, b in zip(*places, strict=True))
    )


def _line(i: Instruction, names: Names, place: dict[Buffer, int]) -> str:
    function = i.function
    args = function.args if isinstance(function, partial) else i.args
    operands = [names.operand(x) for x in args]
    operands += [f"{key}={names.operand(x)}" for key, x in i.options.items() if x is not None and x is not True]
    call = f"{i.name}({', '.join(operands)})"
    if not i.written:
        return f"{'':40}{'check' if i.guard else 'Python'}: {call}"
    a = i.written[0]
    start = place.get(a.buffer)
    where = "" if a.buffer.given else "own" if start is None else str(start)
    return f"{names.operand(a):<15} {a.shape!s:<14} {a.dtype!s:<8} {where:>6}  {call}"


def _left_out(counts: dict[str, int]) -> str:
    return (
        ", ".join(f"{n} {what}" for what, n in counts.items() if n) + " left out"
        if any(counts.values())
        else "none left out"
    )
