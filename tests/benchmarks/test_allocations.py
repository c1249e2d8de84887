"""A compiled training step allocates no arrays once it is replayed, whatever the work."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import catalogue, inputs
from benchmarks.catalogue import Work
from benchmarks.engines import torchlike

WORKS = catalogue.select(["steps"])


def highest(step: Callable[[], Any]) -> int:
    """By how many bytes a step's use of memory rises above where it starts."""
    for _ in range(6):
        step()
    tracemalloc.start()
    try:
        step()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        step()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def steps(work: Work, start: Callable[[int], Any]) -> Callable[[], Any]:
    return start(1).programs[work.kind](inputs.make(work), own_draws=False, **work.parameters)


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_replay_of_a_training_step_allocates_no_arrays(work: Work) -> None:
    compiled = highest(steps(work, torchlike.minigrad_compiled))
    eager = highest(steps(work, torchlike.minigrad))
    buffers = 3 * 8192 * 4  # NumPy's loops convert and broadcast in buffers of 8192 elements, an operand each
    objects = 4096  # Python's own: numbers, tuples, frames
    assert compiled < (objects if work.name == "tutorial" else buffers + objects)
    assert eager > 2 * compiled  # the measure sees what a step allocates
