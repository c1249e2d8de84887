"""Pictures as text for a page that needs no network: pixels as PNG, one dot each, and plots as SVG, in data URIs.

A mosaic's browser enlarges its dots without blurring them, so that it is sharp at every width.
"""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#1f5fa8", "#c2410c", "#15803d", "#7e22ce", "#a16207", "#0e7490", "#be185d", "#4d7c0f", "#57534e", "#b91c1c")
LIMIT = 1000  # points of a scatter plot


@dataclass(frozen=True)
class Picture:
    """An image as a data URI, what it shows in words, its width in CSS pixels, and whether it is made of dots."""

    uri: str
    alt: str
    width: int
    dots: bool = False


def mosaic(
    images: np.ndarray, shape: tuple[int, int], columns: int, alt: str, *, signed: bool = False, tile: int = 44
) -> Picture:
    """Return flat images `(N, H*W)` side by side, `columns` to a row, each about `tile` CSS pixels wide.

    Grey from 0 to 1; `signed` ones run from blue over white to red, alike on both sides of 0.
    """
    from matplotlib import colormaps  # optional: only who draws needs it
    from matplotlib.image import imsave

    height, width = shape
    rows = -(-len(images) // columns)
    largest = float(np.abs(images).max()) or 1.0
    scaled = images / (2 * largest) + 0.5 if signed else np.clip(images, 0, 1)
    canvas = np.full(
        (rows * (height + 1) + 1, columns * (width + 1) + 1, 4), (0.6, 0.64, 0.7, 1.0)
    )  # the lines between
    canvas[(rows - 1) * (height + 1) + 1 :, (len(images) - 1) % columns * (width + 1) + width + 2 :] = 0
    colours = colormaps["RdBu_r" if signed else "gray"]
    for i, image in enumerate(scaled):
        top, left = i // columns * (height + 1) + 1, i % columns * (width + 1) + 1
        canvas[top : top + height, left : left + width] = colours(image.reshape(shape))
    file = io.BytesIO()
    imsave(file, canvas, format="png")
    return Picture(_uri("image/png", file.getvalue()), alt, columns * tile, dots=True)


def curves(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], alt: str, ylabel: str = "nats per image"
) -> Picture:
    """Draw lines, by their names, of (epochs, values)."""
    figure, axes = _axes()
    styles = ("-", "--", ":", "-.")
    for i, (name, (x, y)) in enumerate(lines.items()):
        colour = COLOURS[i % len(COLOURS)]
        marker = "o" if len(x) == 1 else ""
        short = name if len(name) <= 32 else f"{name[:31]}\u2026"
        axes.plot(x, y, styles[i % 4], marker=marker, color=colour, linewidth=1.6, label=short)
    axes.set_xlabel("epoch")
    axes.set_ylabel(ylabel)
    _whole_ticks(axes)
    axes.grid(alpha=0.3)
    if len(lines) > 3:  # so many names would hide the lines
        columns = 2 if max(map(len, lines)) <= 22 else 1
        figure.set_figheight(figure.get_figheight() + 0.2 * math.ceil(len(lines) / columns))
        figure.legend(fontsize=9, frameon=False, loc="outside lower center", ncols=columns)
    else:
        axes.legend(fontsize=9, frameon=False)
    return _svg(figure, alt)


def scatter(points: np.ndarray, labels: np.ndarray, names: tuple[str, str], alt: str) -> Picture:
    """Draw points `(N, 2)`, the first thousand, coloured by their labels and with each class's number at its middle."""
    figure, axes = _axes(square=True)
    points, labels = points[:LIMIT], labels[:LIMIT]
    for i, label in enumerate(np.unique(labels)):
        mine = points[labels == label]
        colour = COLOURS[i % len(COLOURS)]
        axes.scatter(mine[:, 0], mine[:, 1], s=10, color=colour, alpha=0.6, linewidths=0)
        axes.annotate(
            str(label),
            np.median(mine, axis=0),
            ha="center",
            va="center",
            fontsize=11,
            weight="bold",
            color=colour,
            bbox={"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": colour, "alpha": 0.9},
        )
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    axes.grid(alpha=0.3)
    return _svg(figure, alt)


def bars(heights: np.ndarray, ylabel: str, alt: str) -> Picture:
    """Draw one bar for each unit, the highest first."""
    figure, axes = _axes()
    heights = np.sort(heights)[::-1]
    axes.bar(np.arange(1, len(heights) + 1), heights, color=COLOURS[0], width=0.85)
    axes.set_xlabel("units, the largest first")
    axes.set_ylabel(ylabel)
    _whole_ticks(axes)
    axes.set_xlim(0.4, len(heights) + 0.6)
    axes.grid(alpha=0.3, axis="y")
    return _svg(figure, alt)


def _axes(square: bool = False) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure  # optional: only who draws needs it

    # Small, so that letters stay legible where the page is a telephone's.
    figure = Figure(figsize=(4.2, 4.0 if square else 3.1), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _whole_ticks(axes: "Axes") -> None:
    """Let the horizontal axis be marked at whole numbers only, be it at one."""
    from matplotlib.ticker import MaxNLocator  # optional: only who draws needs it

    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))


def _svg(figure: "Figure", alt: str) -> Picture:
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return Picture(_uri("image/svg+xml", file.getvalue()), alt, 560)


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
