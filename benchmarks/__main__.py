"""`python -m benchmarks`: whole training steps of minigrad beside PyTorch's eager ones.

Machines differ and are never idle, so only ratios count, and only of runs that took turns: each package works in a
process of its own, and the processes take turns in short rounds. The table shows medians over the rounds.
"""

import argparse
import math
import statistics
import subprocess
import sys

from benchmarks.works import WORKS

PACKAGES = ("minigrad", "torch")


class Worker:
    """A process that takes steps on demand."""

    def __init__(self, package: str, work: str) -> None:
        command = [sys.executable, "-m", "benchmarks.worker", package, work]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.loss = self._read()

    def time(self, steps: int) -> float:
        """Return the seconds a step took, in the mean over so many steps."""
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def _read(self) -> float:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(self.process.args[1:])} ended before it answered; its error is above")
        return float(line)


def compare(work: str, rounds: int, seconds: float) -> dict[str, float]:
    """Return the median seconds of a step for each package, after rounds of about so many seconds for each.

    Raises ArithmeticError if the packages disagree on the loss of the first step.
    """
    workers = {package: Worker(package, work) for package in PACKAGES}
    try:
        losses = [worker.loss for worker in workers.values()]
        if not math.isclose(*losses, rel_tol=1e-4):
            raise ArithmeticError(f"{work}: the first losses differ, {dict(zip(PACKAGES, losses, strict=True))}")
        steps = {package: max(1, round(seconds / worker.time(3))) for package, worker in workers.items()}
        times: dict[str, list[float]] = {package: [] for package in PACKAGES}
        for _ in range(rounds):
            for package, worker in workers.items():
                times[package].append(worker.time(steps[package]))
    finally:
        for worker in workers.values():
            worker.close()
    return {package: statistics.median(values) for package, values in times.items()}


def main() -> None:
    """Print the table, a line as soon as it is measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="turns of each package, default: 15")
    parser.add_argument("--seconds", type=float, default=0.2, help="length of a turn, default: 0.2")
    parser.add_argument("--only", default="", help="measure the works whose name contains this")
    options = parser.parse_args()
    print(f"{'a whole training step':42}{'minigrad':>12}{'torch eager':>14}{'torch / minigrad':>19}")
    for work in WORKS:
        if options.only in work:
            medians = compare(work, options.rounds, options.seconds)
            ours, theirs = medians["minigrad"], medians["torch"]
            print(f"{work:42}{_shown(ours):>12}{_shown(theirs):>14}{theirs / ours:>18.2f}x", flush=True)


def _shown(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} us" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


if __name__ == "__main__":
    main()
