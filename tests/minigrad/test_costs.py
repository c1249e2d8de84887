"""What training, shared graphs and the import cost. Memory is asserted; times are reported (``pytest -rP``), never asserted."""

import gc
import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import minigrad as mg


def trainer():
    mg.manual_seed(0)
    model = mg.nn.Sequential(
        mg.nn.Linear(25, 10), mg.nn.ReLU(), mg.nn.BatchNorm1d(10), mg.nn.Linear(10, 25), mg.nn.Sigmoid()
    )
    optimizer = mg.optim.Adam(model.parameters(), lr=1e-3)
    schedule = mg.optim.lr_scheduler.StepLR(optimizer, 10)
    x = mg.rand(8, 25)

    def step():
        optimizer.zero_grad()
        loss = mg.nn.functional.binary_cross_entropy(model(x), x)
        loss.backward()
        mg.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        return loss.item()

    return step


def test_fifty_training_steps_keep_no_memory_and_leave_no_cycles():
    step = trainer()
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(100):  # until NumPy's and Python's stores of small blocks are full
            step()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(50):
            step()
        cycles = gc.collect()  # which also empties Python's stores of free tuples and frames
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        gc.enable()
    assert cycles == 0
    assert kept < 50 * 200, f"{kept} bytes were kept: a node alone is larger than 200"


def test_three_hundred_diamonds_are_walked_in_one_pass():
    x = mg.tensor(1.0, dtype=mg.float64, requires_grad=True)
    best = float("inf")
    for _ in range(5):
        x.grad = None
        start = time.perf_counter()
        y = x
        for _ in range(300):
            y = y + y
        y.backward()
        best = min(best, time.perf_counter() - start)
    print(f"300 diamonds: {best * 1000:.2f} ms")
    assert x.grad.item() == 2.0**300  # 2**300 paths, each counted once


def test_the_import_is_timed_beside_numpys_own(tmp_path):
    program = "import time, numpy; t = time.process_time(); import minigrad; print(time.process_time() - t)"
    once = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**once, "PYTHONPYCACHEPREFIX": str(tmp_path)}  # the first run compiles, as an installation does
    root = Path(__file__).parents[2]
    times = [
        float(
            subprocess.run(
                [sys.executable, "-c", program], cwd=root, env=environment, capture_output=True, check=True
            ).stdout
        )
        for _ in range(4)
    ]
    print(f"import minigrad, after NumPy: {min(times):.3f} s of processor time")
    assert len(times) == 4
