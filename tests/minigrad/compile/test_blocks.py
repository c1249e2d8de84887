"""Long vectors go through a chain of operations in blocks: only where nothing can tell, and in less memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.compile import shaping
from minigrad.compile.program import Address, Buffer, Instruction
from minigrad.compile.replay import Memory, calls

LENGTH = 500_000
FLOAT = np.dtype(np.float32)

places = st.tuples(
    st.sampled_from([0, 0, 0, 1, 2]), st.integers(0, 2)
)  # a vector: its buffer, and how far it is shifted
lines = st.tuples(st.sampled_from([np.add, np.multiply, np.subtract]), places, places, places)


def instructions(program, length, buffers):
    def vector(place):
        number, shift = place
        return Address(buffers[number], shift * 4, (length,), (4,), FLOAT)

    return [Instruction(f, (vector(x), vector(y)), outs=(vector(out),)) for f, x, y, out in program]


def contents(code, buffers):
    """What instructions leave in the buffers."""
    memory = Memory(code)
    for number, buffer in enumerate(buffers):
        memory.bytes(buffer).view(FLOAT)[:] = np.linspace(0.5, 1.5 + number, buffer.nbytes // 4, dtype=FLOAT)
    for i in code:
        for function, args, options in calls(i, memory):
            function(*args, **options)
    return [memory.bytes(buffer).tobytes() for buffer in buffers]


@settings(max_examples=300, deadline=None)
@given(st.lists(lines, min_size=2, max_size=6))
def test_any_chain_in_blocks_leaves_the_same_bits(program):
    buffers = [Buffer(None, 0, 4 * 102, given=False) for _ in range(3)]
    for buffer in buffers:
        buffer.pinned = True
    code = instructions(program, 100, buffers)
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(shaping, "_BLOCK", 16)
        assert contents(shaping.with_blocks(code), buffers) == contents(code, buffers)


def replayed(step, x):
    compiled = mg.compile(step)
    for _ in range(3):
        compiled(x)
    assert np.array_equal(compiled(x).numpy(), step(x).numpy())
    return compiled.plan()


def chain(x):
    y = (x * 2 + 1).tanh()
    return (y.exp() + x) * y - x.sigmoid()


def test_a_chain_in_blocks_is_printed_once():
    assert "the same for" in str(replayed(chain, mg.linspace(-1, 1, LENGTH)))


def test_short_vectors_are_not_cut():
    assert "the same for" not in str(replayed(chain, mg.linspace(-1, 1, 1000)))


def test_values_within_a_chain_are_never_there_as_a_whole():
    plan = replayed(chain, mg.linspace(-1, 1, LENGTH))
    assert plan.memory.arena_size < 4 * LENGTH  # there are several vectors as long as x, but none in the arena
