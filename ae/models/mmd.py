"""Matching the codes' aggregate to the prior, by a distance between two heaps of points: WAE-MMD and InfoVAE.

A VAE pulls the cloud of every image to the prior, so clouds overlap and reconstructions blur. What sampling needs is less:
that all codes together are spread as the prior is. The maximum mean discrepancy (MMD) measures it from samples: 0 if
points are as like the other heap's as they are like their own.
"""

from collections.abc import Sequence
from typing import Any

import minigrad
from ae import losses
from ae.models.base import Loss, Model, check_range, stack
from ae.models.vae import VAE
from minigrad import Tensor


class WAE(Model):
    """A deep autoencoder whose codes' heap is drawn to N(0, 1): `reconstruction + weight * MMD^2(codes, draws)`.

    Source: Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", equation 4 and algorithm 2. The cost of a
    reconstruction is here its cross-entropy, so that it compares with the other models'.
    """

    generates = True

    def __init__(self, pixels: int, hidden: Sequence[int], latent: int, *, weight: float = 100.0) -> None:
        super().__init__()
        check_range("weight", weight, 0)
        self.latent, self.weight = latent, weight
        self.encoder = stack((pixels, *hidden, latent))
        self.decoder = stack((latent, *hidden[::-1], pixels))

    def sample(self, count: int) -> Tensor:
        """Return `count` new images `(count, pixels)`, decoded from codes drawn from N(0, 1)."""
        return self.decode(minigrad.randn(count, self.latent))

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the reconstruction's cost and `mmd`, of the batch's codes against as many draws from N(0, 1)."""
        codes = self.encode(images)
        reconstruction = losses.bernoulli(self.outputs(codes), images)
        distance = mmd(codes, minigrad.randn_like(codes))
        return Loss(reconstruction + self.weight * distance, reconstruction=reconstruction, mmd=distance)


class InfoVAE(VAE):
    """`reconstruction + (1 - alpha) * kl + (alpha + weight - 1) * MMD^2(codes, draws)`.

    `alpha` is what the codes may tell of the image for free, up to 1: the KL falls away, the aggregate is held by the
    MMD. Source: Zhao, Song and Ermon 2019, "InfoVAE: Balancing Learning and Inference in Variational Autoencoders",
    equation 6 (MMD-VAE).
    """

    def __init__(
        self,
        pixels: int,
        hidden: int | Sequence[int],
        latent: int,
        *,
        alpha: float = 0.5,
        weight: float = 100.0,
        **others: Any,
    ) -> None:
        super().__init__(pixels, hidden, latent, **others)
        check_range("alpha", alpha, float("-inf"), 1)
        check_range("weight", weight, 1 - alpha)
        self.alpha, self.weight = alpha, weight

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the weighed sum, with the whole KL and the `mmd` as parts."""
        mu, logvar = self.encode(images)
        codes = self.draw(mu, logvar)
        reconstruction, kl = self.likelihood.nll(self.outputs(codes), images), losses.kl(mu, logvar)
        distance = mmd(codes, minigrad.randn_like(codes))
        total = reconstruction + (1 - self.alpha) * kl + (self.alpha + self.weight - 1) * distance
        return Loss(total, reconstruction=reconstruction, kl=kl, mmd=distance)


def mmd(x: Tensor, y: Tensor) -> Tensor:
    """Return an unbiased estimate of MMD^2 between the distributions that x and y, both `(N, latent)`, were drawn from.

    `mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean_{ij} k(x_i, y_j)` with the inverse multiquadric kernel
    `k(a, b) = C / (C + |a - b|^2)`, `C = 2 latent`: the mean of `|a - b|^2` for two draws from N(0, 1). Its tails reach
    codes far away, where a Gaussian kernel's gradient is 0. Being unbiased, it may fall below 0.

    Raises ValueError if the shapes differ. Source: Gretton et al. 2012, "A Kernel Two-Sample Test", lemma 6, as in
    Tolstikhin et al. 2018, algorithm 2.
    """
    if x.shape != y.shape:
        raise ValueError(f"mmd() needs as many points on both sides, got {tuple(x.shape)} and {tuple(y.shape)}")
    count = len(x)
    pairs = max(count * (count - 1), 1)  # a single point has no other: its sum below is 0
    within = kernel(x, x).sum() + kernel(y, y).sum() - 2 * count  # k(a, a) = 1
    return within / pairs - 2 * kernel(x, y).mean()


def kernel(x: Tensor, y: Tensor) -> Tensor:
    """Return `C / (C + |x_i - y_j|^2)` of all pairs, `(N, M)`, with `C = 2 latent`."""
    scale = 2.0 * x.shape[1]
    return scale / (scale + (x.unsqueeze(1) - y).square().sum(2))
