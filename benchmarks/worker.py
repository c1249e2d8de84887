"""One engine at work, in a process of its own: it prepares a work, takes as many steps as it is told, and times them.

Argument: a JSON object that names the engine's module and its function, and the number of threads. Each line read is a
request, each line written an answer, both JSON objects; whatever else an engine prints goes to the error stream.
"""

import importlib
import json
import os
import sys
import time
import traceback
from typing import Any

import numpy as np

from benchmarks.engines.backend import Backend, Step

try:
    import resource
except ImportError:  # there is none on Windows
    resource = None  # type: ignore[assignment]

CHECKED = 64  # numbers of a result that are compared, besides its mean size


def main() -> None:
    """Serve until the input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    options = json.loads(sys.argv[1])
    threads = options["threads"]
    if hasattr(os, "sched_setaffinity") and threads < len(os.sched_getaffinity(0)):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    # The engine is imported here, when the number of threads is settled, and nothing but it.
    backend = getattr(importlib.import_module(options["module"]), options["start"])(threads)
    print(json.dumps({"versions": backend.versions}), file=answers)
    settle_allocator()
    desk = Desk(backend)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(desk, request.pop("do"))(**request)
        except Exception as error:  # whatever an engine raises is an answer too: the others go on
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(json.dumps(answer), file=answers)


class Desk:
    """Answers requests: each method is one."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.step: Step = lambda: None
        self.baseline = reset_peak()  # what the imports left behind

    def check(self, kind: str, parameters: dict[str, Any], inputs: str, steps: int) -> dict[str, Any]:
        """Return the numbers that show what the first steps computed."""
        step = self.backend.programs[kind](_load(inputs), own_draws=False, **parameters)
        return {"results": [fingerprint(step(), self.backend.to_numpy) for _ in range(steps)]}

    def build(self, kind: str, parameters: dict[str, Any], inputs: str, steps: int, warm: float) -> dict[str, Any]:
        """Prepare a work and warm it up; return the seconds to the first result, about those of a step, and the memory."""
        self.step = lambda: None
        reset_peak()
        start = time.perf_counter()
        self.step = self.backend.programs[kind](_load(inputs), own_draws=True, **parameters)
        begin = time.perf_counter()
        self.step()
        ready = time.perf_counter() - start
        count, seconds = 1, time.perf_counter() - begin
        while count < steps:
            count, seconds = count + 1, self._timed(1)
        turn = 1
        while turn * seconds < warm / 2:  # twice as many each time, until they take about so long
            turn *= 2
            seconds = self._timed(turn)
        prepared = self.memory()["bytes"]
        reset_peak()
        return {"ready": ready, "seconds": seconds, "bytes": prepared}

    def time(self, steps: int) -> dict[str, float]:
        """Return the seconds a step took, in the mean over so many; half as many before them are not counted.

        While the others had their turns, caches were taken, and the processor slowed its clock down.
        """
        self._timed(steps // 2)
        return {"seconds": self._timed(steps)}

    def memory(self) -> dict[str, int | None]:
        """Return by how many bytes the peak since the last request to build exceeded what the imports left."""
        highest = peak()
        return {"bytes": None if highest is None else max(0, highest - (self.baseline or 0))}

    def _timed(self, steps: int) -> float:
        step, turns = self.step, range(steps)
        start = time.perf_counter()
        for _ in turns:
            step()
        return (time.perf_counter() - start) / max(1, steps)


def fingerprint(result: Any, to_numpy: Any) -> list[list[float]]:
    """Return for each array of a result its mean size and up to 64 of its numbers, evenly spread."""
    prints = []
    for part in result if isinstance(result, (tuple, list)) else [result]:
        numbers = np.asarray(to_numpy(part), np.float64).ravel()
        spread = np.linspace(0, numbers.size - 1, min(CHECKED, numbers.size)).astype(int)
        prints.append([float(np.abs(numbers).mean()), *numbers[spread].tolist()])
    return prints


def settle_allocator() -> None:
    """Allocate and free one large array, as a program that loads data has done before it computes.

    glibc gives what is freed back to the system, and has to ask for it again page by page, until it has seen a large
    block come and go. Whether an engine's imports do that is chance, and must not decide a race of megabytes.
    """
    np.empty((32 << 20) - 8192, np.uint8)  # just below the largest size that glibc learns from, 32 MiB


def reset_peak() -> int | None:
    """Forget the highest use of memory so far, where the system allows, and return the present one in bytes."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass
    return peak()


def peak() -> int | None:
    """Return the highest use of memory of this process in bytes.

    Linux keeps it per program and lets it be reset; elsewhere it is that of the process's whole life.
    """
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        if resource is None:
            return None
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _load(path: str) -> dict[str, np.ndarray]:
    with np.load(path) as arrays:
        return dict(arrays)


if __name__ == "__main__":
    main()
