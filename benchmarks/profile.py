"""Where the time of a compiled step goes: its calls timed one by one, in their order, and put into kinds.

A call is timed among the others, so that it finds the caches as it does in the step. What the whole step takes beyond
its calls is the price of being called: guards, results, and gradients handed out.
"""

import importlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad
from benchmarks import inputs
from benchmarks.catalogue import Work
from benchmarks.engines import torchlike
from benchmarks.report import shown_time

KINDS = ("products", "elementwise", "sums", "optimizer", "draws, checks", "around")
_PRODUCTS = {np.dot, np.matmul, np.einsum}


def profile(work: Work, seconds: float = 1.0) -> dict[str, float]:
    """Return the seconds of one compiled step of a work by kind of call, medians over about so many seconds.

    Raises ValueError for a work that is not one compiled step.
    """
    compiled: list[Any] = []

    def compile(step: Callable) -> Any:
        compiled.append(minigrad.compile(step))
        return compiled[-1]

    for module in ("nn", "nn.functional", "optim"):
        importlib.import_module(f"minigrad.{module}")
    program = torchlike.PROGRAMS[work.kind]
    step = program(minigrad, compile, inputs.make(work), own_draws=True, **work.parameters)
    for _ in range(8):
        step()
    plan = compiled[0].plan() if len(compiled) == 1 else None
    if plan is None:
        raise ValueError(f"{work.name} is not one compiled step: give works of the groups steps or mlp")
    found = dict.fromkeys(KINDS, 0.0)
    with np.errstate(all="ignore"):
        each, whole = _timed(plan.calls, step, seconds)
    for kind, spent in zip(_kinds(plan.calls), each, strict=True):
        found[kind] += spent
    found["around"] = max(0.0, whole - sum(each))
    return found


def table(found: dict[str, dict[str, float]]) -> str:
    """Markdown: a row for each work, by its title, with the time of its step and the share of each kind."""
    rows = ["| a compiled step | time | " + " | ".join(KINDS) + " |", "| --- |" + " --- |" * (len(KINDS) + 1)]
    for title, kinds in found.items():
        whole = sum(kinds.values())
        shares = " | ".join(f"{kinds[kind] / whole:.0%}" for kind in KINDS)
        rows.append(f"| {title} | {shown_time(whole)} | {shares} |")
    return "\n".join(rows)


def _kinds(calls: Any) -> list[str]:
    """The kind of each call. All that follows the first call of an optimizer is its own."""
    kinds, updating = [], False
    for function, _, _ in calls:
        updating = updating or "_begin" in repr(function)
        name = getattr(function, "__name__", "")
        if updating:
            kinds.append("optimizer")
        elif function in _PRODUCTS:
            kinds.append("products")
        elif isinstance(function, np.ufunc):
            kinds.append("elementwise")
        else:
            kinds.append("sums" if name == "reduce" else "draws, checks")
    return kinds


def _timed(calls: Any, step: Callable[[], Any], seconds: float) -> tuple[list[float], float]:
    """The median time of each call, less what looking at the clock takes, and of the step, which take turns."""
    clock = time.perf_counter
    rounds: list[np.ndarray] = []
    wholes = []
    end = clock() + seconds
    while len(rounds) < 5 or clock() < end:
        times = [clock()]
        for function, args, options in calls:
            function(*args, **options)
            times.append(clock())
        rounds.append(np.diff(times))
        start = clock()
        step()
        wholes.append(clock() - start)
    idle = [clock() for _ in range(1000)]
    each = np.maximum(np.median(rounds, axis=0) - statistics.median(np.diff(idle)), 0)
    return each.tolist(), statistics.median(wholes)
