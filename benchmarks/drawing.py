"""What all pictures share: the engines' colours, and axes a reader can read."""

import math
from typing import Any

from benchmarks.intervals import median
from benchmarks.registry import ENGINES
from benchmarks.results import Outcome

# Colours that also differ for the colour-blind, after Okabe and Ito, and grey for the limits.
COLOURS = {
    "minigrad": "#0072B2",
    "minigrad compiled": "#56B4E9",
    "torch": "#D55E00",
    "torch compiled": "#E69F00",
    "jax": "#009E73",
    "autograd": "#CC79A7",
    "mygrad": "#8C6D31",
    "micrograd": "#B8A800",
    "tinygrad": "#7F3C8D",
    "bare products": "#555555",
    "bare traffic": "#999999",
}
LIMITS = tuple(name for name, engine in ENGINES.items() if engine.limit)


def log_axis(axis: Any, formatter: Any = lambda value, _: f"{value:g}") -> None:
    """Write 0.5, 1, 2 at a logarithmic axis, not powers of ten: the fewer decades it spans, the more numbers.

    To be called when everything is drawn.
    """
    import matplotlib.ticker as ticker

    low, high = axis.get_view_interval()
    decades = math.log10(high / low)
    steps = (1,) if decades > 3 else (1, 2, 5) if decades > 1 else (1, 1.5, 2, 3, 5, 7)
    axis.set_major_locator(ticker.LogLocator(10, subs=steps))
    axis.set_major_formatter(formatter)
    axis.set_minor_formatter(ticker.NullFormatter())


def size_axis(axes: Any, sizes: list[int], label: str | None) -> None:
    """Make x a logarithmic axis of sizes: few are written out, many as powers of ten."""
    axes.set_xscale("log")
    if len(sizes) <= 5:
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.set_xticks([], minor=True)
    axes.set_xlabel(label or "", size=9)


def seconds(value: float, _: int) -> str:
    """A power of ten of a second with its unit."""
    unit, size = ("s", 1.0) if value >= 1 else ("ms", 1e-3) if value >= 0.999e-3 else ("us", 1e-6)
    return f"{value / size:.3g} {unit}"


def grid(figure: Any, count: int, columns: int) -> list[Any]:
    """Return so many axes in rows of so many columns, on a figure of a size that suits them."""
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    figure.set_size_inches(1 + 3.6 * columns, 1.4 + 2.9 * rows)
    return [figure.add_subplot(rows, columns, index + 1) for index in range(count)]


def engines_of(works: list[Outcome], limits: bool) -> list[str]:
    """Return the engines that have times, in the order of their colours."""
    return [e for e in COLOURS if any(e in work.times for work in works) and (limits or e not in LIMITS)]


def time(work: Outcome, engine: str) -> float:
    """Return the median seconds of a step."""
    return median(work.times[engine].seconds).estimate
