"""How the instructions that are left ask NumPy: for numbers of the right type, for vectors, and block by block.

These are passes, too: a list of instructions becomes another with the same results, to the last bit, in less time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace as changed
from typing import Any

import numpy as np

from minigrad.compile.program import Address, Buffer, Instruction, replace

_BLOCK = 65536  # elements: what a chain of operations has at hand stays in the processor's cache
_MOST_BLOCKS = 64
_LINE = 64  # bytes of the cache


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
    kept += _in_blocks(chain, uses)
    return kept


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
    size = max(_BLOCK, -(-n // _MOST_BLOCKS // _LINE) * _LINE)
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
