"""What is worked out before a replay: which instructions can be left out, and where results are put.

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
_ALIGN = 64  # bytes: a line of the cache, and the width of the largest vector registers
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


def with_prepared_numbers(program: Sequence[Instruction]) -> list[Instruction]:
    """Python numbers become 0-d arrays of the type that the ufunc calculates in, which NumPy takes faster."""
    return [_prepared(i) for i in program]


def _prepared(i: Instruction) -> Instruction:
    i = changed(i, args=replace(i.args, Address, _constant))
    if not isinstance(i.function, np.ufunc) or i.options.keys() - {"out"} or i.function.signature is not None:
        return i
    numbers = [type(x) in (bool, int, float) or isinstance(x, np.generic) for x in i.args]
    if not any(numbers) or not all(
        isinstance(x, (Address, np.ndarray)) or n for x, n in zip(i.args, numbers, strict=True)
    ):
        return i
    kinds = [type(x) if type(x) in (bool, int, float) else x.dtype for x in i.args]
    kinds += [a.dtype for a in i.outs] if i.outs else [None] * i.function.nout
    try:
        wanted = i.function.resolve_dtypes(tuple(np.dtype(bool) if k is bool else k for k in kinds))
    except TypeError:
        return i
    args = []
    for x, number, dtype in zip(i.args, numbers, wanted, strict=False):
        if number and (dtype.kind == "f" or _fits(x, dtype)):
            x = np.array(x, dtype)
        args.append(x)
    return changed(i, args=tuple(args))


def _constant(a: Address) -> Any:
    """The number at an address, if it is one that nobody can change."""
    owner = a.buffer.owner
    fixed = a.buffer.given and isinstance(owner, np.ndarray) and owner.ndim == 0 and not owner.flags.writeable
    return owner if fixed and not a.shape else a


def with_rows_of_bounds(program: Sequence[Instruction]) -> list[Instruction]:
    """``maximum`` with a number is slow in NumPy, with an array it is not: many rows share one row of that number."""
    return [_bounded(i) for i in program]


def _bounded(i: Instruction) -> Instruction:
    numbers = [isinstance(x, np.ndarray) and x.ndim == 0 for x in i.args]
    if i.function not in (np.maximum, np.minimum) or i.options or sum(numbers) != 1 or len(i.outs) != 1:
        return i
    (n,) = i.outs[0].shape if len(i.outs[0].shape) == 1 else (0,)
    width = next((w for w in range(8192, 511, -1) if n % w == 0), 0)
    if not width or n == width or not all(x.shape == (n,) and x.contiguous for x in (*i.reads, *i.outs)):
        return i

    def rows(a: Address) -> Address:
        return changed(a, shape=(n // width, width), strides=(width * a.dtype.itemsize, a.dtype.itemsize))

    args = tuple(np.full(width, x) if number else x for x, number in zip(i.args, numbers, strict=True))
    return changed(i, args=replace(args, Address, rows), outs=(rows(i.outs[0]),))


def _fits(number: Any, dtype: np.dtype) -> bool:
    """Whether an integer is the same number in the type."""
    found = np.array(number)
    return found.dtype.kind in "iub" and dtype.kind in "iu" and int(number) == int(found.astype(dtype))


def with_flat_operands(program: Sequence[Instruction]) -> list[Instruction]:
    """An operation on each element of contiguous arrays is one on vectors, which NumPy starts faster."""
    return [_flat(i) for i in program]


def _flat(i: Instruction) -> Instruction:
    if not isinstance(i.function, np.ufunc) or i.function.signature is not None or i.options or len(i.outs) != 1:
        return i
    size = i.outs[0].size
    operands = [x for x in (*i.args, *i.outs) if isinstance(x, Address)]
    if len(operands) != len(i.args) + 1 - sum(isinstance(x, np.ndarray) and x.ndim == 0 for x in i.args):
        return i
    if size == 1 or not all(a.contiguous and (a.size == size or not a.shape) for a in operands):
        return i

    def flat(a: Address) -> Address:
        return changed(a, shape=(size,), strides=(a.dtype.itemsize,)) if a.shape else a

    return changed(i, args=replace(i.args, Address, flat), outs=(flat(i.outs[0]),))


_BLOCK = 65536  # elements: what a chain of operations has at hand stays in the processor's cache
_MOST_BLOCKS = 64


def with_blocks(program: Sequence[Instruction]) -> list[Instruction]:
    """Long vectors go through a chain of operations block by block, each of which stays in the cache from one to the next.

    A vector that exists within the chain only is never there as a whole.
    """
    uses = Counter(a.buffer for i in program for a in (*i.reads, *i.written))
    kept: list[Instruction] = []
    chain: list[Instruction] = []
    for i in program:
        if not _continues(chain, i):
            kept += _in_blocks(chain, uses)
            chain = []
        chain.append(i)
    return kept + _in_blocks(chain, uses)


def _continues(chain: Sequence[Instruction], i: Instruction) -> bool:
    """Whether ``i`` and the chain work on each element of equally long vectors, and touch the same memory only in step."""
    if not chain or not _on_vectors(i) or not _on_vectors(chain[0]) or i.outs[0].shape != chain[0].outs[0].shape:
        return False
    return not any(
        _out_of_step(i.outs, (*other.reads, *other.outs)) or _out_of_step(i.reads, other.outs) for other in chain
    )


def _on_vectors(i: Instruction) -> bool:
    """Whether it is an operation on each element of vectors, and of numbers, that is long enough to be cut."""
    plain = isinstance(i.function, np.ufunc) and i.function.signature is None and not i.options and len(i.outs) == 1
    if not plain or len(i.outs[0].shape) != 1 or i.outs[0].size < 4 * _BLOCK:
        return False
    fit = all(a.contiguous and a.shape in ((), i.outs[0].shape) for a in (*i.reads, *i.outs))
    numbers = all(isinstance(x, Address) or (isinstance(x, np.ndarray) and x.ndim == 0) for x in i.args)
    return fit and numbers and not _out_of_step(i.reads, i.outs)


def _out_of_step(these: Sequence[Address], those: Sequence[Address]) -> bool:
    """Whether some address of ``these`` and one of ``those`` share memory, but not element for element."""
    return any(
        a.overlaps(b) and (a.offset, a.shape, a.dtype) != (b.offset, b.shape, b.dtype) for a in these for b in those
    )


def _in_blocks(chain: Sequence[Instruction], uses: Counter[Buffer]) -> Sequence[Instruction]:
    if len(chain) < 2:
        return chain
    n = chain[0].outs[0].size
    size = max(_BLOCK, -(-n // _MOST_BLOCKS // _ALIGN) * _ALIGN)
    here = Counter(a.buffer for i in chain for a in (*i.reads, *i.outs))
    within = {
        buffer: Buffer(None, 0, size * buffer.nbytes // n, given=False)
        for buffer, count in here.items()
        if count == uses[buffer] and not (buffer.given or buffer.pinned) and buffer.nbytes % n == 0
    }

    def cut(i: Instruction, start: int) -> Instruction:
        def block(a: Address) -> Address:
            if not a.shape:
                return a
            whole = changed(a, offset=a.offset + start * a.dtype.itemsize, shape=(min(size, n - start),))
            return changed(whole, buffer=within[a.buffer], offset=0) if a.buffer in within else whole

        return changed(i, args=replace(i.args, Address, block), outs=(block(i.outs[0]),))

    return [cut(i, start) for start in range(0, n, size) for i in chain]


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
