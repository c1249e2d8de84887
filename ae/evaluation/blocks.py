"""Passing many images through a model in blocks, without a graph, without noise left over: memory stays bounded.

`seeded` lends the default generator to an evaluation and gives it back as it was, so that measuring changes no run.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import minigrad
from ae.models import ConditionalVAE, Model
from minigrad import Tensor

BLOCK = 500  # images at a time


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from the default generator as of `seed` within the block, and afterwards as if nothing had been drawn."""
    before = minigrad.get_rng_state()
    minigrad.manual_seed(seed)
    try:
        yield
    finally:
        minigrad.set_rng_state(before)


def in_blocks(
    function: Callable[[Tensor, Tensor | None], Tensor],
    images: np.ndarray,
    labels: np.ndarray | None = None,
    size: int = BLOCK,
) -> np.ndarray:
    """Return `function(images, labels)`, computed for `size` images at a time and joined along the first axis.

    Raises ValueError if there are no images.
    """
    if len(images) == 0:
        raise ValueError("there are no images to evaluate: got an array of length 0")
    found = []
    with minigrad.no_grad():
        for start in range(0, len(images), size):
            rows = slice(start, start + size)
            batch = minigrad.from_numpy(np.ascontiguousarray(images[rows]))
            classes = None if labels is None else minigrad.from_numpy(np.ascontiguousarray(labels[rows]))
            found.append(np.asarray(function(batch, classes).detach().numpy()))
    return np.concatenate(found)


def decode_points(model: Model, points: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """Return the images `(N, pixels)` of points as `model.embed` gives them, `(N, numbers)`; `labels` if it is conditional.

    A code of several numbers to each latent, such as a book's words, takes its own shape again.
    """
    kind = next(value.detach().numpy().dtype for value in model.parameters())
    points = points.astype(kind, copy=False)
    latent: Any = getattr(model, "latent", points.shape[1])
    if points.shape[1] != latent:
        points = points.reshape(len(points), latent, -1)
    if isinstance(model, ConditionalVAE):
        return in_blocks(model.decode, points, labels)
    return in_blocks(lambda codes, _: model.decode(codes), points)
