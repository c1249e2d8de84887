"""Pictures of results: speed beside PyTorch with intervals, share of the limit, and the curves of `curves.py`."""

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import curves
from benchmarks.drawing import COLOURS, LIMITS, engines_of, log_axis, time
from benchmarks.registry import REFERENCE
from benchmarks.results import Outcome, Results


def draw(runs: list[Results], folder: Path) -> list[Path]:
    """Draw what the results allow and return the files; of a work in several runs, the last one counts.

    Raises ModuleNotFoundError without matplotlib, ValueError if there is nothing to draw.
    """
    try:
        import matplotlib.figure as figures
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("plots need matplotlib: pip install 'minigrad[bench]'") from error
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder} to put the pictures in")
    works = list({work.name: work for results in runs for work in results.works if work.times}.values())
    pictures: dict[str, Callable] = {
        "speed": _speed,
        "share-of-limit": _share,
        "crossover-operations": curves.crossover_operations,
        "scaling-operations": curves.scaling_operations,
        "crossover": curves.crossover,
        "scaling": curves.scaling,
    }
    paths = []
    for name, picture in pictures.items():
        figure = figures.Figure(layout="constrained")
        if picture(figure, works):
            paths.append(folder / f"{name}.png")
            figure.savefig(paths[-1], dpi=120)
    if not paths:
        raise ValueError("nothing to draw: the results hold no work of two engines")
    return paths


def _speed(figure: Any, works: list[Outcome]) -> bool:
    """Each engine's speed on the training steps, the reference's being 1."""
    works = [work for work in works if work.size is None and REFERENCE in work.times]
    engines = [engine for engine in engines_of(works, limits=False) if engine != REFERENCE]
    if not engines:
        return False
    axes = _rows(figure, works, engines)
    for row, work in enumerate(works):
        present = [engine for engine in engines if engine in work.times]
        for engine, y in zip(present, _offsets(row, len(present)), strict=True):
            speed = work.speed(engine, REFERENCE)
            spread = [[speed.estimate - speed.low], [speed.high - speed.estimate]]
            label = engine if row == _first(works, engine) else None
            axes.errorbar(speed.estimate, y, xerr=spread, fmt="o", color=COLOURS[engine], label=label, capsize=3)
            _beside(axes, speed.high, y, f"{speed.estimate:.2g}")
    axes.axvline(1, color=COLOURS[REFERENCE], linewidth=2, zorder=0, label=f"{REFERENCE} = 1")
    axes.set_xscale("log")
    axes.margins(x=0.12)
    log_axis(axes.xaxis)
    axes.set_xlabel(f"times as fast as {REFERENCE}: further right is faster; bars are intervals")
    axes.set_title(f"Speed beside {REFERENCE}")
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return True


def _share(figure: Any, works: list[Outcome]) -> bool:
    """Which part of a step's time its limit would take: matrix products or memory traffic, whichever is longer."""
    works = [w for w in works if w.size is None and any(limit in w.times for limit in LIMITS)]
    engines = engines_of(works, limits=False)
    if not works or not engines:
        return False
    axes = _rows(figure, works, engines)
    for row, work in enumerate(works):
        limit, which = max((time(work, name), name) for name in LIMITS if name in work.times)
        present = [engine for engine in engines if engine in work.times]
        for engine, y in zip(present, _offsets(row, len(present)), strict=True):
            share = 100 * limit / time(work, engine)
            label = engine if row == _first(works, engine) else None
            axes.barh(y, share, height=0.8 / (len(present) + 1), color=COLOURS[engine], label=label)
            _beside(axes, share, y, f"{share:.0f} %" if share >= 1 else "<1 %")
        axes.text(99, row - 0.47, f"limit: {which}", ha="right", va="top", size=8, color="#555555")
    axes.axvline(100, color="#555555", linewidth=1)
    axes.set_xlim(0, max(110, axes.get_xlim()[1] * 1.05))
    axes.set_xlabel("share of the limit in %: 100 is a step without any other work")
    axes.set_title("How near each engine comes to the limit")
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return True


def _rows(figure: Any, works: list[Outcome], engines: list[str]) -> Any:
    """Axes with a row for each work, the first on top."""
    figure.set_size_inches(9, 1.6 + len(works) * (0.4 + 0.15 * len(engines)))
    axes = figure.add_subplot()
    axes.set_yticks(range(len(works)), [textwrap.fill(work.title, 24) for work in works])
    axes.set_ylim(len(works) - 0.5, -0.5)
    for edge in range(1, len(works)):
        axes.axhline(edge - 0.5, color="#DDDDDD", linewidth=1)
    axes.grid(axis="x", alpha=0.3)
    axes.tick_params(axis="y", length=0)
    return axes


def _offsets(row: int, count: int) -> list[float]:
    return [row + 0.8 * ((index + 1) / (count + 1) - 0.5) for index in range(count)]


def _beside(axes: Any, x: float, y: float, text: str) -> None:
    axes.annotate(text, (x, y), (6, 0), textcoords="offset points", va="center", size=8)


def _first(works: list[Outcome], engine: str) -> int:
    return next(row for row, work in enumerate(works) if engine in work.times)
