"""The measuring side of a worker's process: start it with its number of threads, ask it, and end it."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.registry import Engine

ROOT = Path(__file__).parents[1]

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUM_CPU_THREADS",
)
"""The variables from which NumPy's BLAS, whichever it is, PyTorch and tinygrad take their number of threads."""


class WorkerError(RuntimeError):
    """A worker could not do what it was asked; the message says why."""


class Worker:
    """A process in which one engine works on demand."""

    def __init__(self, engine: Engine, threads: int, patience: float) -> None:
        self.engine, self.patience = engine, patience
        options = json.dumps({"module": engine.module, "start": engine.start, "threads": threads})
        self.errors = tempfile.TemporaryFile(mode="w+", errors="replace")  # noqa: SIM115 (lives as long as the process)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            cwd=ROOT,
            env={**os.environ, **{name: str(threads) for name in THREADS}},
        )

    def ready(self) -> dict[str, str]:
        """Wait until the engine is imported and return the versions of what it uses."""
        return self._answer()["versions"]

    def ask(self, do: str, **request: Any) -> Mapping[str, Any]:
        """Have one of the requests of `worker.Desk` done and return the answer.

        Raises WorkerError if the engine raised an error, ended or took longer than its patience.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it has ended; reading the answer says why
        return self._answer()

    def close(self) -> None:
        """End the process."""
        for stream in (self.process.stdin, self.process.stdout):
            try:
                if stream:
                    stream.close()
            except OSError:
                pass
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        timer = threading.Timer(self.patience, self.process.kill)
        timer.start()
        try:
            line = self.process.stdout.readline()
        finally:
            late = not timer.is_alive()
            timer.cancel()
        if not line:
            raise WorkerError(f"gave no answer within {self.patience:g} s" if late else f"ended: {self._last_words()}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def _last_words(self) -> str:
        self.process.wait()
        self.errors.seek(0)
        lines = [line.strip() for line in self.errors if line.strip()]
        return lines[-1] if lines else f"exit status {self.process.returncode}"
