"""Pictures of what a family of works varies: where engines cross, and how times grow.

Sizes and times are drawn on logarithmic axes: a straight line is a power.
"""

from typing import Any

from benchmarks.drawing import COLOURS, LIMITS, engines_of, grid, log_axis, seconds, size_axis, time
from benchmarks.registry import REFERENCE
from benchmarks.results import Outcome


def crossover_operations(figure: Any, works: list[Outcome]) -> bool:
    """minigrad's speed on each operation over its size: below the line PyTorch wins."""
    works = [work for work in works if work.group == "operations" and REFERENCE in work.times]
    ours = [engine for engine in ("minigrad", "minigrad compiled") if any(engine in work.times for work in works)]
    if not ours:
        return False
    measured = {work.parameters["direction"] for work in works}
    directions = [direction for direction in ("forward", "both") if direction in measured]
    operations = list(dict.fromkeys(work.parameters["operation"] for work in works))
    panels = grid(figure, len(ours) * len(directions), len(directions))
    for index, (engine, direction) in enumerate((e, d) for e in ours for d in directions):
        axes = panels[index]
        for number, operation in enumerate(operations):
            line = [w for w in works if w.family == f"{operation}/{direction}" and engine in w.times]
            colour, marker = list(COLOURS.values())[number % 8], "osD^v<>P"[number % 8]
            _speed_line(axes, line, engine, colour, operation if index == 0 else None, marker)
        what = "forward" if direction == "forward" else "forward and backward"
        _crossover_axes(axes, f"{engine}, {what}", works)
    figure.suptitle(f"Single operations: above the line minigrad is faster, below it {REFERENCE}")
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return True


def crossover(figure: Any, works: list[Outcome]) -> bool:
    """The engines' speed over what a family varies."""
    families = _families([w for w in works if w.group != "operations" and REFERENCE in w.times])
    families = {name: line for name, line in families.items() if any(len(work.times) > 1 for work in line)}
    if not families:
        return False
    named: set[str] = set()
    for axes, (family, line) in zip(grid(figure, len(families), 3), families.items(), strict=False):
        for engine in engines_of(line, limits=False):
            if engine != REFERENCE:
                there = [work for work in line if engine in work.times]
                _speed_line(axes, there, engine, COLOURS[engine], None if engine in named else engine, "o")
                named.add(engine)
        _crossover_axes(axes, family, line)
    figure.suptitle(f"Above the line an engine is faster than {REFERENCE}, below it slower")
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return True


def scaling_operations(figure: Any, works: list[Outcome]) -> bool:
    return _scaling_of(figure, _families([w for w in works if w.group == "operations"]), 4, "Single operations")


def scaling(figure: Any, works: list[Outcome]) -> bool:
    return _scaling_of(figure, _families([w for w in works if w.group != "operations"]), 3, "How times grow")


def _scaling_of(figure: Any, families: dict[str, list[Outcome]], columns: int, title: str) -> bool:
    """Time over size, a line for each engine; the limits are dashed."""
    if not families:
        return False
    named: set[str] = set()
    for axes, (family, line) in zip(grid(figure, len(families), columns), families.items(), strict=False):
        for engine in engines_of(line, limits=True):
            there = [work for work in line if engine in work.times]
            label = None if engine in named else engine
            style = "--" if engine in LIMITS else "o-"
            times = [time(work, engine) for work in there]
            axes.plot([work.size for work in there], times, style, color=COLOURS[engine], label=label, markersize=4)
            named.add(engine)
        size_axis(axes, [work.size or 0 for work in line], line[0].axis)
        axes.set_yscale("log")
        log_axis(axes.yaxis, seconds)
        axes.set_title(family, size=10)
        axes.grid(alpha=0.3)
    figure.suptitle(f"{title}: time of a step; lower is faster")
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return True


def _speed_line(axes: Any, line: list[Outcome], engine: str, colour: str, label: str | None, marker: str) -> None:
    speeds = [work.speed(engine, REFERENCE) for work in line]
    sizes = [work.size for work in line]
    axes.plot(sizes, [s.estimate for s in speeds], marker=marker, color=colour, label=label, markersize=4)
    axes.fill_between(sizes, [s.low for s in speeds], [s.high for s in speeds], color=colour, alpha=0.15, linewidth=0)


def _crossover_axes(axes: Any, title: str, line: list[Outcome]) -> None:
    axes.axhline(1, color="black", linewidth=1, zorder=0)
    size_axis(axes, sorted({work.size or 0 for work in line}), line[0].axis)
    axes.set_yscale("log")
    log_axis(axes.yaxis)
    axes.set_title(title, size=10)
    axes.set_ylabel(f"times as fast as {REFERENCE}", size=9)
    axes.grid(alpha=0.3)


def _families(works: list[Outcome]) -> dict[str, list[Outcome]]:
    """The works of each family by size; a single one makes no line."""
    families: dict[str, list[Outcome]] = {}
    for work in works:
        if work.size is not None:
            families.setdefault(work.family, []).append(work)
    return {name: sorted(line, key=lambda work: work.size or 0) for name, line in families.items() if len(line) > 1}
