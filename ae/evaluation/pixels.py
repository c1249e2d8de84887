"""Errors of pictures: what a reconstruction costs, what no reconstruction can save, and how much noise is undone."""

from collections.abc import Mapping

import numpy as np

import minigrad
from ae.evaluation.blocks import in_blocks
from ae.models import Model
from ae.models.denoising import NOISES

LEVEL = 0.3  # how much noise: the share of pixels damaged, or the standard deviation


def squared_error(copies: np.ndarray, images: np.ndarray) -> float:
    """Return the squared error `mean_n sum_i (y_ni - x_ni)^2`, both `(N, pixels)`, in squared grey levels per image.

    Divided by the pixels it is the MSE. Raises ValueError if the shapes differ.
    """
    _one_shape(copies, images)
    return float(np.square(copies.astype(np.float64) - images).sum(1).mean())


def cross_entropy(probabilities: np.ndarray, images: np.ndarray) -> float:
    """Return `mean_n sum_i -(x log p + (1 - x) log(1 - p))`, both `(N, pixels)` in [0, 1], in nats per image.

    A logarithm counts no less than -100, as in PyTorch's `binary_cross_entropy`. Raises ValueError if the shapes differ
    or a probability lies outside [0, 1].
    """
    _one_shape(probabilities, images)
    p, x = probabilities.astype(np.float64), images.astype(np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(
            f"probabilities lie in [0, 1], got values from {p.min():g} to {p.max():g}: of a model without probabilities "
            f"only the squared error can be measured"
        )
    with np.errstate(divide="ignore"):
        log_p, log_q = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)
    return float(-(x * log_p + (1 - x) * log_q).sum(1).mean()) + 0.0  # -0 is 0


def grey_floor(images: np.ndarray) -> float:
    """Return the cross-entropy of images with themselves, which no model can go below, in nats per image.

    `mean_n sum_i H(x_ni)`, `H(x) = -x log x - (1 - x) log(1 - x)`: 0 for black and white, 45.53 for MNIST's test set.
    """
    return cross_entropy(images, images)


def denoising(
    model: Model, images: np.ndarray, labels: np.ndarray | None = None, level: float = LEVEL
) -> Mapping[str, tuple[float, float]]:
    """Return for each kind of noise (error before, error after): squared errors of damaged images and of their repairs.

    `mean_n |x~_n - x_n|^2` and `mean_n |r(x~_n) - x_n|^2`, in squared grey levels per image, where r reconstructs
    without noise of its own and the damage x~ is drawn from the default generator; images `(N, pixels)`. A repair is
    worth something if the second is the smaller. Source: Vincent et al. 2010, "Stacked Denoising Autoencoders",
    section 3.3, for the three kinds of noise.
    """
    found = {}
    for name, damage in NOISES.items():
        noisy = damage(minigrad.from_numpy(images), level).numpy()
        repaired = in_blocks(model.reconstruct, noisy, labels)
        found[name] = (squared_error(noisy, images), squared_error(repaired, images))
    return found


def _one_shape(first: np.ndarray, second: np.ndarray) -> None:
    if first.shape != second.shape:
        raise ValueError(f"needs two arrays of one shape (N, pixels), got {first.shape} and {second.shape}")
