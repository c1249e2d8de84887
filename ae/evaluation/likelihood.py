"""How probable a model finds images, and which of its code's numbers take part.

The ELBO bounds log p(x) from below and is often far from it. With many codes the mean of the weights p(x, z) / q(z | x)
comes as close as one likes; the codes are drawn and forgotten a few at a time, so that memory does not grow with them.
"""

import math
from typing import Protocol

import numpy as np

import minigrad
from ae import losses
from ae.evaluation.blocks import in_blocks
from ae.models import VAE, Model
from minigrad import Tensor

BUDGET = 1 << 21  # numbers in the largest array of a block: 8 MB of float32, and a handful of such arrays at a time
ACTIVE = 0.01  # Burda et al.'s threshold of a unit's variance


class Weighing(Protocol):
    """A model that knows log p(x, z) - log q(z | x) of codes it draws."""

    def log_weights(self, images: Tensor, samples: int = 1, labels: Tensor | None = None) -> Tensor:
        """Return the log-weights `(samples, N)` in nats."""


def log_likelihood(
    model: Weighing,
    images: np.ndarray,
    samples: int = 100,
    labels: np.ndarray | None = None,
    *,
    widest: int | None = None,
    budget: int = BUDGET,
) -> np.ndarray:
    """Return the estimate of log p(x) `(N,)` of each image `(N, pixels)`, in nats, by importance sampling.

    `log (1/K) sum_k p(x, z_k) / q(z_k | x)`, z_k drawn from q(z | x): a lower bound in expectation, exact as K grows.
    `widest` is the size of the network's widest layer (the pixels, unless told); a block of B images and S samples is
    chosen such that `B * S * widest <= budget`. Raises ValueError for less than one sample.
    Source: Burda, Grosse and Salakhutdinov 2016, "Importance Weighted Autoencoders", equation 8 and section 5.
    """
    if samples < 1:
        raise ValueError(f"log_likelihood() needs at least one sample, got {samples}")
    pairs = max(1, budget // (widest or images.shape[1]))
    rows = min(len(images), max(1, pairs // samples), 100) if samples <= pairs else 1

    def estimate(batch: Tensor, classes: Tensor | None) -> Tensor:
        total, left = np.full(len(batch), -np.inf), samples
        while left:
            count = min(left, max(1, pairs // len(batch)))
            weights = model.log_weights(batch, count, classes).numpy().astype(np.float64)
            total = np.logaddexp(total, np.logaddexp.reduce(weights, axis=0))
            left -= count
        return minigrad.from_numpy(total - math.log(samples))

    return in_blocks(estimate, images, labels, size=rows)


def unit_variances(codes: np.ndarray) -> np.ndarray:
    """Return `Var_n(z_nj)` of every column of codes `(N, latent)`, `(latent,)`, in squared units of the code."""
    return codes.astype(np.float64).var(0)


def active_units(codes: np.ndarray, threshold: float = ACTIVE) -> int:
    """Return how many columns of codes `(N, latent)`, a VAE's centres, vary: `|{j : Var_n(mu_nj) > threshold}|`.

    Source: Burda et al. 2016, section 5.2, with the threshold 0.01. It is made for VAEs, whose prior sets the scale;
    of other codes it says which of them are constant.
    """
    return int((unit_variances(codes) > threshold).sum())


def kl_per_unit(model: Model, images: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray | None:
    """Return what each latent tells of an image, `KL(q(z_j | x) || N(0, 1))` `(latent,)`, in nats, the mean over images.

    None unless the code is a Gaussian cloud beside N(0, 1): see `ae.losses.kl_per_unit` for formula and source.
    """

    def clouds(batch: Tensor, classes: Tensor | None) -> Tensor:
        encoded = model.encode(batch) if classes is None else model.encode(batch, classes)  # type: ignore[call-arg]
        return minigrad.cat(encoded, dim=1)

    kind = type(model)
    plain = isinstance(model, VAE) and kind.posterior is VAE.posterior and kind.log_prior is VAE.log_prior  # type: ignore[attr-defined]
    if not plain:
        return None
    both = in_blocks(clouds, images, labels if hasattr(model, "classes") else None)
    mu, logvar = np.split(both, 2, axis=1)
    return losses.kl_per_unit(minigrad.from_numpy(mu.copy()), minigrad.from_numpy(logvar.copy())).numpy()
