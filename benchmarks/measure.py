"""The method: compare the results first, then let the engines take turns, in rounds, each round in new processes.

A new process finds its memory elsewhere and its caches cold, which moves times by some percent: so each round starts
one for every engine and is one observation. Within a round the engines take turns of a fraction of a second, in an order
that rotates from round to round, and a round's time of an engine is the median of its turns. Nobody works while another
is timed.
"""

import contextlib
import dataclasses
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import inputs
from benchmarks.catalogue import Work
from benchmarks.processes import Worker, WorkerError
from benchmarks.registry import Engine
from benchmarks.results import Outcome, Times

PAUSE = 0.15  # seconds before a turn: the threads of OpenBLAS wait actively for some 30 ms before they fall asleep


@dataclass(frozen=True)
class Method:
    """How to measure; `seconds` is what an engine is timed for in a round, in so many turns.

    `shared` lets all works share their processes, not only those of a family. That saves starting them, but memory can
    then not be told apart and is not reported. `minutes` is what all works together may take: each gets its share, and as
    many of the rounds as fit into it, one at least; what has not begun by then is left out.
    """

    rounds: int
    seconds: float
    threads: int
    turns: int = 3
    warm: float = 0.1
    patience: float = 600.0
    shared: bool = False
    minutes: float | None = None

    def __post_init__(self) -> None:
        for name, least in (("rounds", 1), ("threads", 1), ("turns", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, not {getattr(self, name)}")
        if not self.seconds > 0:
            raise ValueError(f"seconds must be positive, not {self.seconds}")
        if self.minutes is not None and not self.minutes > 0:
            raise ValueError(f"minutes must be positive, not {self.minutes}")


def measure(
    works: list[Work],
    engines: list[Engine],
    method: Method,
    versions: dict[str, dict[str, str]],
    tell: Callable[[str], None] = lambda text: None,
) -> Iterator[Outcome]:
    """Measure the works, those of one family together; fill in the engines' versions, and tell what goes on."""
    families = groupby(works, key=lambda work: "" if method.shared else work.family)
    waiting = [_Sitting(list(members), engines, method, versions, tell) for _, members in families]
    end = math.inf if method.minutes is None else time.monotonic() + 60 * method.minutes
    while waiting and time.monotonic() < end:
        weights = [sitting.weight for sitting in waiting]
        share = weights[0] / max(1, sum(weights))
        yield from waiting.pop(0).run(time.monotonic() + share * (end - time.monotonic()))


class _Sitting:
    """The works that share their processes."""

    def __init__(
        self,
        works: list[Work],
        engines: list[Engine],
        method: Method,
        versions: dict[str, dict[str, str]],
        tell: Callable[[str], None],
    ) -> None:
        self.engines = [engine for engine in engines if any(engine.can(work) for work in works)]
        self.works = works
        self.outcomes = {work.name: _outcome(work) for work in works}
        self.method, self.versions, self.tell = method, versions, tell

    @property
    def weight(self) -> int:
        """How many measurements a round has."""
        return sum(engine.can(work) for engine in self.engines for work in self.works)

    def run(self, end: float = math.inf) -> list[Outcome]:
        """Measure in as many rounds as fit before `end`, but in one."""
        with tempfile.TemporaryDirectory() as folder:
            for work in self.works:
                self.tell(f"{work.name}: comparing results")
                try:
                    self._prepare(work, Path(folder))
                except FileNotFoundError as error:
                    self.outcomes[work.name].failures = {engine.name: str(error) for engine in self._able(work)}
            with self._workers() as workers:
                for work in self.works:
                    self._check(work, workers, Path(folder))
            longest = 0.0
            for turn in range(self.method.rounds):
                begin = time.monotonic()
                if turn and begin + longest > end:
                    break
                with self._workers() as workers:
                    for work in self.works:
                        self.tell(f"{work.name}: round {turn + 1} of {self.method.rounds}")
                        able = self._able(work)
                        shift = turn % max(1, len(able))
                        self._round(work, able[shift:] + able[:shift], workers, Path(folder))
                longest = max(longest, time.monotonic() - begin)
        return list(self.outcomes.values())

    def _able(self, work: Work) -> list[Engine]:
        return [e for e in self.engines if e.can(work) and e.name not in self.outcomes[work.name].failures]

    def _prepare(self, work: Work, folder: Path) -> None:
        short = dataclasses.replace(work, parameters=work.parameters | work.check)
        for check, variant in ((False, work), (True, short)):
            arrays: Any = inputs.make(variant)
            np.savez(_file(folder, work, check), **arrays)

    @contextlib.contextmanager
    def _workers(self) -> Iterator[dict[str, Worker]]:
        """A new process for each engine that still takes part; they start side by side."""
        taking_part = [e for e in self.engines if any(e in self._able(work) for work in self.works)]
        workers = {e.name: Worker(e, self.method.threads, self.method.patience) for e in taking_part}
        try:
            for name, worker in workers.items():
                try:
                    self.versions[name] = worker.ready()
                except WorkerError as error:
                    for outcome in self.outcomes.values():
                        outcome.failures.setdefault(name, str(error))
            yield workers
        finally:
            for worker in workers.values():
                worker.close()

    def _check(self, work: Work, workers: dict[str, Worker], folder: Path) -> None:
        """Compare the first results of all engines; if they differ, nobody is timed."""
        outcome = self.outcomes[work.name]
        request = {"kind": work.kind, "parameters": work.parameters | work.check, "inputs": _file(folder, work, True)}
        steps = 1 if work.check else inputs.CHECKED_STEPS
        results: dict[str, Any] = {}
        for engine in self._able(work):
            if not engine.limit:
                answer = self._ask(outcome, workers[engine.name], "check", steps=steps, **request)
                if answer:
                    results[engine.name] = answer["results"]
        if difference := disagreement(results):
            outcome.failures |= {engine.name: f"not timed: {difference}" for engine in self._able(work)}

    def _round(self, work: Work, engines: list[Engine], workers: dict[str, Worker], folder: Path) -> None:
        outcome, method = self.outcomes[work.name], self.method
        request = {"kind": work.kind, "parameters": work.parameters, "inputs": _file(folder, work, False)}
        built: dict[str, Any] = {}
        for engine in engines:
            steps = 1 if work.check else inputs.CHECKED_STEPS
            answer = self._ask(outcome, workers[engine.name], "build", steps=steps, warm=method.warm, **request)
            if answer:
                built[engine.name] = answer
        turns: dict[str, list[float]] = {name: [] for name in built}
        for turn in range(method.turns):
            for name, answer in built.items():
                if name in outcome.failures or (turn and answer["seconds"] > method.seconds):
                    continue  # a step that takes longer than a round's time is taken once
                steps = max(1, round(method.seconds / method.turns / answer["seconds"]))
                time.sleep(PAUSE)
                if timed := self._ask(outcome, workers[name], "time", steps=steps):
                    turns[name].append(timed["seconds"])
        for name, answer in built.items():
            held = self._ask(outcome, workers[name], "memory") if name not in outcome.failures else None
            if held:
                times = outcome.times.setdefault(name, Times())
                times.seconds.append(statistics.median(turns[name]))
                times.ready.append(answer["ready"])
                if held["bytes"] is not None and not method.shared:
                    times.memory.append(held["bytes"])
                    times.preparing.append(answer["bytes"])

    def _ask(self, outcome: Outcome, worker: Worker, do: str, **request: Any) -> Any:
        """The worker's answer, or None and a failure noted."""
        try:
            return worker.ask(do, **request)
        except WorkerError as error:
            outcome.failures[worker.engine.name] = str(error)
            outcome.times.pop(worker.engine.name, None)
            return None


def disagreement(results: dict[str, list[list[list[float]]]]) -> str:
    """Say which engine's results differ from the first one's, or nothing.

    A result is a list of arrays' fingerprints: the mean size and some of the numbers. Float32 sums in another order
    differ in the last digits, and a step of Adam enlarges that where a gradient is close to 0: 1e-3 of the numbers' size
    is allowed for them and for later steps, 1e-4 for the mean of the first.
    """
    if not results:
        return ""
    (first, expected), *others = results.items()
    for name, given in others:
        for step, (ours, theirs) in enumerate(zip(expected, given, strict=True), start=1):
            if [len(part) for part in ours] != [len(part) for part in theirs]:
                return f"result {step} has {[len(part) - 1 for part in theirs]} numbers on {name}, not {first}'s"
            for a, b in zip(map(np.array, ours), map(np.array, theirs), strict=True):
                allowed = np.where((np.arange(len(a)) == 0) & (step == 1), 1e-4, 1e-3)
                close = np.abs(a - b) <= allowed * np.maximum(np.abs(a), a[0])
                if not close.all():
                    at = int(np.argmin(close))
                    return f"result {step} is {b[at]:.7g} on {name} and {a[at]:.7g} on {first}"
    return ""


def _outcome(work: Work) -> Outcome:
    facts = {key: getattr(work, key) for key in ("name", "title", "group", "family", "kind", "size", "axis")}
    return Outcome(parameters=work.parameters, **facts)


def _file(folder: Path, work: Work, check: bool) -> str:
    return str(folder / f"{work.name.replace('/', '-')}{'-check' if check else ''}.npz")
