"""The pictures of a run: the loss over the epochs, images beside their reconstructions, and new images.

They need matplotlib, which is optional: `pip install minigrad[plots]`. Nothing here touches pyplot, so that no window
opens and no setting of the caller changes.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import minigrad
from ae.models import Model
from ae.runs import write_file
from ae.train import Metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def available() -> bool:
    """True if matplotlib is installed."""
    return find_spec("matplotlib") is not None


def draw_all(
    folder: Path,
    model: Model,
    metrics: Sequence[Metrics],
    images: np.ndarray,
    labels: np.ndarray,
    shape: tuple[int, int],
) -> None:
    """Write loss.png (if an epoch was finished), reconstructions.png and, of a model that generates, samples.png.

    `images` are the rows `(N, H*W)` to reconstruct, `labels` `(N,)` their classes, for models that ask for them.
    """
    if metrics:
        _save(loss_curve(metrics), folder / "loss.png")
    _save(reconstructions(model, images, labels, shape), folder / "reconstructions.png")
    if model.generates:
        _save(samples(model, shape), folder / "samples.png")


def _save(figure: "Figure", path: Path) -> None:
    content = BytesIO()
    figure.savefig(content)
    write_file(path, content.getvalue())


def loss_curve(metrics: Sequence[Metrics]) -> "Figure":
    """Draw the training and test loss over the epochs and, where there is a KL, what the test loss is made of."""
    figure = _figure(6.4, 4.0)
    axes = figure.add_subplot()
    epochs = [line.epoch for line in metrics]
    marker = "o" if len(epochs) == 1 else ""
    axes.plot(epochs, [line.train_loss for line in metrics], marker=marker, label="training loss")
    axes.plot(epochs, [line.test_loss for line in metrics], marker=marker, label="test loss")
    if any(line.kl for line in metrics):
        axes.plot(epochs, [line.reconstruction for line in metrics], "--", marker=marker, label="reconstruction (test)")
        axes.plot(epochs, [line.kl for line in metrics], ":", marker=marker, label="KL (test)")
        axes.set_ylim(bottom=0)
    axes.set_xlabel("epoch")
    axes.set_ylabel("nats per image")
    axes.locator_params(axis="x", integer=True)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def reconstructions(
    model: Model, images: np.ndarray, labels: np.ndarray, shape: tuple[int, int], columns: int = 10
) -> "Figure":
    """Draw the first images above their reconstructions, in up to two double rows of `columns`."""
    shown = images[: 2 * columns]
    with minigrad.no_grad():
        classes = minigrad.from_numpy(labels[: len(shown)])
        copies = model.reconstruct(minigrad.from_numpy(shown), classes).numpy()
    rows = [
        part for start in range(0, len(shown), columns) for part in (shown[start:][:columns], copies[start:][:columns])
    ]
    figure = _mosaic(rows, shape, columns)
    figure.suptitle("test images, each above its reconstruction")
    return figure


def samples(model: Model, shape: tuple[int, int], side: int = 8) -> "Figure":
    """Draw `side` x `side` new images, the pixels' probabilities given codes from the prior."""
    with minigrad.no_grad():
        drawn = model.sample(side * side).numpy()
    figure = _mosaic([drawn[start:][:side] for start in range(0, side * side, side)], shape, side)
    figure.suptitle("decoded from codes drawn from the prior")
    return figure


def _mosaic(rows: Sequence[np.ndarray], shape: tuple[int, int], columns: int) -> "Figure":
    """Draw rows of flat images as one picture, a line of grey between them."""
    height, width = shape
    canvas = np.full((len(rows) * (height + 1) + 1, columns * (width + 1) + 1), 0.5)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            top, left = i * (height + 1) + 1, j * (width + 1) + 1
            canvas[top : top + height, left : left + width] = image.reshape(shape)
    figure = _figure(6.4, 6.4 * canvas.shape[0] / canvas.shape[1] + 0.4)
    axes = figure.add_subplot()
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_axis_off()
    return figure


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure  # optional: only who draws needs it

    return Figure(figsize=(width, height), dpi=120, layout="constrained")
