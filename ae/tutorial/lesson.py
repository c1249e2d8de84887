"""What every chapter needs and none wants to explain again: the images as tensors, a training loop, rows of pictures.

The loop is the one that chapter 3 builds step by step. Pictures need matplotlib: `pip install minigrad[tutorial]`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import minigrad
from ae.data import load
from ae.models import Model
from ae.train import step
from minigrad import Tensor


def glyphs() -> Tensor:
    """Return the ten 5x5 digits as rows `(10, 25)`, black 0 and white 1."""
    return minigrad.from_numpy(load("glyphs").train_images)


def digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return (images, labels, test images, test labels) of the 8x8 digits, images `(N, 64)` in [0, 1]."""
    found = load("digits")
    arrays = (found.train_images, found.train_labels, found.test_images, found.test_labels)
    images, labels, test_images, test_labels = map(minigrad.from_numpy, arrays)
    return images, labels, test_images, test_labels


def fit(
    model: Model,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    epochs: int,
    lr: float = 3e-3,
    batch_size: int = 32,
    each: Callable[[Model], Any] = lambda model: None,
) -> list[float]:
    """Train the model in place and return the mean loss of every epoch, in nats per image.

    Every epoch goes once through the images in an order drawn anew; `each` is called after it with the model.
    """
    optimizers, curve = model.optimizers(lr), []
    for _ in range(epochs):
        model.train()
        total = 0.0
        for rows in minigrad.randperm(len(images)).split(batch_size):
            loss = step(model, optimizers, images[rows], None if labels is None else labels[rows])
            total += loss.item() * len(rows)
        curve.append(total / len(images))
        model.eval()
        each(model)
    return curve


def pictures(
    rows: Sequence[Any], names: Sequence[str] = (), *, title: str = "", limits: tuple[float, float] | None = (0, 1)
) -> None:
    """Show rows of square pictures, each row a tensor or array `(N, pixels)`, with its name to the left.

    `limits` are the values drawn black and white; without them the picture's own, positive red and negative blue.
    """
    import matplotlib.pyplot as plt

    arrays = [np.asarray(row.detach() if isinstance(row, Tensor) else row) for row in rows]
    columns, side = max(map(len, arrays)), round(arrays[0].shape[1] ** 0.5)
    size = min(0.8, 9 / columns)
    figure, axes = plt.subplots(
        len(arrays),
        columns,
        figsize=(size * columns, size * len(arrays)),
        squeeze=False,
        dpi=130,
        gridspec_kw={"wspace": 0.15, "hspace": 0.15, "left": 0, "right": 1, "top": 1, "bottom": 0},
    )
    for i, array in enumerate(arrays):
        bound = float(np.abs(array).max()) or 1.0
        style = (
            {"cmap": "gray", "vmin": limits[0], "vmax": limits[1]}
            if limits
            else {"cmap": "RdBu_r", "vmin": -bound, "vmax": bound}
        )
        for j, one in enumerate(axes[i]):
            one.set_xticks([])
            one.set_yticks([])
            if j < len(array):
                one.imshow(array[j].reshape(side, side), interpolation="nearest", **style)
            else:
                one.set_axis_off()
        if i < len(names):
            axes[i, 0].set_ylabel(names[i], rotation=0, ha="right", va="center", labelpad=6)
    if title:
        figure.suptitle(title, y=1 + 0.12 / (size * len(arrays)), va="bottom", fontsize=11)
    plt.show()


def mosaic(images: Tensor, columns: int, *, title: str = "", axes: Any = None) -> None:
    """Show many square pictures `(N, pixels)` in [0, 1] as one, `columns` to a row, a thin grey line between them."""
    import matplotlib.pyplot as plt

    array = np.asarray(images.detach())
    side, rows = round(array.shape[1] ** 0.5), len(array) // columns
    framed = np.pad(array.reshape(-1, side, side), ((0, 0), (0, 1), (0, 1)), constant_values=0.4)
    side += 1
    canvas = framed.reshape(rows, columns, side, side).transpose(0, 2, 1, 3).reshape(rows * side, columns * side)
    canvas = canvas[:-1, :-1]
    alone = axes is None
    if alone:
        axes = plt.subplots(figsize=(6, 6 * rows / columns + 0.3), dpi=130)[1]
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(title)
    if alone:
        plt.show()
