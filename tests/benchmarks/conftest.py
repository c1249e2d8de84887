"""Made-up results, for what is done with results once they are there."""

import math
import random
from collections.abc import Callable

import pytest

from benchmarks import catalogue
from benchmarks.registry import ENGINES
from benchmarks.results import Outcome, Results, Times

MACHINE = {"processor": "made up", "processors": 2, "system": "Linux x86_64", "python": "3.11.0"}
METHOD = {"rounds": 9, "seconds": 0.5, "threads": 2, "turns": 3}


@pytest.fixture
def made_up() -> Callable[..., Results]:
    """`made_up({work: {engine: seconds}})`: times around these, spread by `noise`, all slowed down by `drift`."""

    def make(
        medians: dict[str, dict[str, float]], rounds: int = 9, noise: float = 0.02, drift: float = 1.0, seed: int = 0
    ) -> Results:
        generator = random.Random(seed)
        works = []
        for name, engines in medians.items():
            (work,) = catalogue.select([name])
            outcome = Outcome(
                work.name, work.title, work.group, work.family, work.kind, dict(work.parameters), work.size, work.axis
            )
            for engine, seconds in engines.items():
                spread = [seconds * drift * math.exp(generator.gauss(0, noise)) for _ in range(rounds)]
                outcome.times[engine] = Times(spread, [0.5] * rounds, [1_000_000] * rounds, [2_000_000] * rounds)
            works.append(outcome)
        versions = {engine: {"numpy": "2.4.0", "BLAS": "some BLAS"} for engine in ENGINES}
        method = METHOD | {"rounds": rounds}
        return Results("2026-01-01T00:00:00+00:00", dict(MACHINE), method, versions, {}, works)

    return make
