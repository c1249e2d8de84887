"""One side of the comparison, in a process of its own: it takes as many steps of a work as it is told, and times them.

Arguments: the package (minigrad or torch) and the name of the work. Each line read is a number of steps; each line
written is the seconds a step took. The first line written is the loss after one step, so that both sides can be seen to
do the same.
"""

import importlib
import sys
import time

from benchmarks.works import WORKS


def main() -> None:
    """Serve until the input ends."""
    package, work = sys.argv[1:]
    for module in ("nn", "nn.functional", "optim"):
        importlib.import_module(f"{package}.{module}")
    torch = importlib.import_module(package)
    torch.manual_seed(0)
    step = WORKS[work](torch)
    print(step(), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(int(line)):
            step()
        print((time.perf_counter() - start) / int(line), flush=True)


if __name__ == "__main__":
    main()
