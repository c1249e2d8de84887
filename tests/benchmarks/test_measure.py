"""The method: wrong results are not timed, a broken engine is reported and harms nobody else."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import catalogue, worker
from benchmarks.engines.backend import Backend
from benchmarks.measure import Method, disagreement, measure
from benchmarks.processes import Worker, WorkerError
from benchmarks.registry import ENGINES, Engine
from benchmarks.results import Outcome

QUICK = Method(rounds=2, seconds=1e-3, threads=1, turns=1, warm=1e-3, patience=60)
(TUTORIAL,) = catalogue.select(["tutorial"])

PLANTED = """
import os, time
import numpy as np
from benchmarks.engines.backend import Backend

def engine(tutorial):
    return lambda threads: Backend({"tutorial": tutorial}, np.asarray, {"planted": "1"})

def wrong(arrays, own_draws, **sizes):
    return lambda: 0.70

def raises(arrays, own_draws, **sizes):
    raise RuntimeError("cannot do this\\nat all")

def dies(arrays, own_draws, **sizes):
    print("the last words", file=__import__("sys").stderr, flush=True)
    os._exit(3)

def sleeps(arrays, own_draws, **sizes):
    time.sleep(60)

def talks(arrays, own_draws, **sizes):
    print("talking to the output")
    return lambda: 0.5

start_wrong, start_raises, start_dies, start_sleeps = engine(wrong), engine(raises), engine(dies), engine(sleeps)
start_talks = engine(talks)

def start_not(threads):
    raise ImportError("something of the engine is missing")
"""


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`planted("wrong")`: an engine with that flaw."""
    (tmp_path / "planted_engine.py").write_text(PLANTED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return lambda flaw: Engine(f"planted {flaw}", "numpy", "planted_engine", f"start_{flaw}", frozenset({"tutorial"}))


def outcome(*engines: Engine, method: Method = QUICK) -> Outcome:
    (only,) = measure([TUTORIAL], list(engines), method, {})
    return only


def test_a_wrong_result_is_not_timed(planted: Any) -> None:
    found = outcome(ENGINES["minigrad"], planted("wrong"))
    assert found.times == {}
    for engine in ("minigrad", "planted wrong"):
        assert found.failures[engine].startswith("not timed: result 1 is 0.7 on planted wrong and 0.701")


@pytest.mark.parametrize(
    ("flaw", "why"),
    [
        ("raises", "RuntimeError: cannot do this"),
        ("dies", "ended: the last words"),
        ("not", "ended: ImportError: something of the engine is missing"),
    ],
)
def test_a_broken_engine_is_reported_and_the_others_are_timed(planted: Any, flaw: str, why: str) -> None:
    found = outcome(ENGINES["minigrad"], planted(flaw))
    assert found.failures == {f"planted {flaw}": why}
    assert list(found.times) == ["minigrad"]
    assert len(found.times["minigrad"].seconds) == 2


def test_an_engine_that_never_answers_is_ended(planted: Any) -> None:
    found = outcome(planted("sleeps"), method=dataclasses.replace(QUICK, patience=3))
    assert found.failures == {"planted sleeps": "gave no answer within 3 s"}


def test_what_an_engine_prints_is_no_answer(planted: Any) -> None:
    process = Worker(planted("talks"), threads=1, patience=60)
    try:
        assert process.ready() == {"planted": "1"}
        with pytest.raises(WorkerError, match="FileNotFoundError"):
            process.ask("check", kind="tutorial", parameters={}, inputs="none.npz", steps=1)
    finally:
        process.close()


def test_each_round_gives_one_observation_of_everything() -> None:
    versions: dict[str, dict[str, str]] = {}
    told: list[str] = []
    (found,) = measure([TUTORIAL], [ENGINES["minigrad"], ENGINES["bare products"]], QUICK, versions, told.append)
    assert found.failures == {}
    for times in found.times.values():
        assert len(times.seconds) == len(times.ready) == len(times.memory) == len(times.preparing) == 2
        assert min(times.seconds) > 0
    assert versions["minigrad"].keys() == {"minigrad", "numpy", "BLAS"}
    assert told == ["tutorial: comparing results", "tutorial: round 1 of 2", "tutorial: round 2 of 2"]


def test_works_that_share_their_processes_have_no_memory() -> None:
    works = catalogue.select(["tutorial", "vae-digits"])
    told: list[str] = []
    found = list(
        measure(works, [ENGINES["minigrad"]], dataclasses.replace(QUICK, rounds=1, shared=True), {}, told.append)
    )
    assert [outcome.name for outcome in found] == ["tutorial", "vae-digits"]
    assert [outcome.times["minigrad"].memory for outcome in found] == [[], []]
    assert told[-2:] == ["tutorial: round 1 of 1", "vae-digits: round 1 of 1"]


def test_missing_data_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (epoch,) = catalogue.select(["epoch"])
    monkeypatch.setenv("AE_DATA", str(tmp_path))
    (found,) = measure([epoch], [ENGINES["minigrad"]], QUICK, {})
    assert found.times == {}
    assert str(tmp_path) in found.failures["minigrad"]


@pytest.mark.parametrize(
    ("given", "difference"),
    [
        ([[[2.0, 1.0, 3.0]]], ""),
        ([[[2.0, 1.0, 3.0000001]]], ""),
        ([[[2.0, 1.0, 3.01]]], "result 1 is 3.01 on other and 3 on first"),
        ([[[2.0, 3.0, 1.0]]], "result 1 is 3 on other and 1 on first"),
        ([[[2.0, float("nan"), 3.0]]], "result 1 is nan on other and 1 on first"),
        ([[[2.0, 1.0]]], "result 1 has [1] numbers on other, not first's"),
        ([[[2.0, 1.0, 3.0], [1.0, 1.0]]], "result 1 has [2, 1] numbers on other, not first's"),
    ],
)
def test_a_disagreement_is_named(given: list[list[list[float]]], difference: str) -> None:
    assert disagreement({"first": [[[2.0, 1.0, 3.0]]], "other": given}) == difference


def test_an_engine_alone_agrees_with_itself() -> None:
    assert disagreement({}) == ""
    assert disagreement({"first": [[[1.0, 1.0]]]}) == ""


def test_a_fingerprint_tells_order_and_number_apart() -> None:
    numbers = np.arange(1000.0)
    assert worker.fingerprint(numbers, np.asarray) != worker.fingerprint(numbers[::-1], np.asarray)
    assert worker.fingerprint(numbers[:1], np.asarray) == [[0.0, 0.0]]
    assert len(worker.fingerprint((numbers, numbers), np.asarray)) == 2


def test_timing_takes_the_steps_it_was_told_after_half_as_many(tmp_path: Path) -> None:
    steps: list[bool] = []

    def program(arrays: Any, own_draws: bool) -> Any:
        return lambda: steps.append(own_draws)

    inputs = str(tmp_path / "inputs.npz")
    np.savez(inputs, x=np.zeros(1))
    desk = worker.Desk(Backend({"counting": program}, np.asarray, {}))
    desk.build(kind="counting", parameters={}, inputs=inputs, steps=3, warm=0)
    assert steps == [True] * 3
    desk.time(steps=7)
    assert len(steps) == 3 + 3 + 7
    desk.time(steps=1)
    assert len(steps) == 3 + 3 + 7 + 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lets the record of the peak be reset")
def test_memory_is_the_peak_of_the_steps() -> None:
    desk = worker.Desk(Backend({}, np.asarray, {}))
    big = np.ones(60_000_000, np.uint8)
    del big
    assert desk.memory()["bytes"] >= 50_000_000
    worker.reset_peak()
    assert desk.memory()["bytes"] < 50_000_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rounds": 0}, "rounds must be at least 1, not 0"),
        ({"threads": -1}, "threads must be at least 1, not -1"),
        ({"seconds": 0.0}, r"seconds must be positive, not 0\.0"),
        ({"seconds": float("nan")}, "seconds must be positive, not nan"),
    ],
)
def test_an_impossible_method_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Method(**({"rounds": 1, "seconds": 1.0, "threads": 1} | options))
