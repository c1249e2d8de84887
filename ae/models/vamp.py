"""The VAE with a VampPrior: the prior is learned, as the clouds of a few made-up images.

The best prior for a VAE would be the clouds of all training images, averaged, which is too many to compute with. The
VampPrior (variational mixture of posteriors) averages those of K images that are learned like any other parameter.
"""

import math
from collections.abc import Sequence
from typing import Any

import minigrad
from ae import losses
from ae.models.base import Loss, check_range
from ae.models.vae import VAE
from minigrad import Tensor, nn


class VampVAE(VAE):
    """A VAE with the prior `p(z) = 1/K sum_k q(z | u_k)`, u_k being K images learned with the rest.

    They are kept in (0, 1) by a sigmoid, where the paper clamps. Source: Tomczak and Welling 2018, "VAE with a
    VampPrior", equations 8 and 9.
    """

    def __init__(
        self, pixels: int, hidden: int | Sequence[int], latent: int, *, components: int = 50, **others: Any
    ) -> None:
        super().__init__(pixels, hidden, latent, **others)
        check_range("components", components, 1)
        self.pseudo = nn.Parameter(minigrad.randn(components, pixels))

    def components(self) -> tuple[Tensor, Tensor]:
        """Return mu and logvar `(K, latent)` of the prior's parts."""
        return self.encode(self.pseudo.sigmoid())

    def log_prior(self, codes: Tensor) -> Tensor:
        """Return log p(z) `(...)` in nats of codes `(..., latent)`."""
        mu, logvar = self.components()
        each = losses.log_normal(codes.unsqueeze(-2), mu, logvar).sum(-1)
        return each.logsumexp(-1) - math.log(len(mu))

    def sample(self, count: int) -> Tensor:
        """Return `count` new images `(count, pixels)`: of a part of the prior chosen by chance, a code drawn from it."""
        mu, logvar = self.components()
        chosen = minigrad.randint(len(mu), (count,))
        return self.decode(self.draw(mu[chosen], logvar[chosen]))

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the negative ELBO with the KL of one code for each image, for a mixture's has no formula."""
        return self.sampled_loss(images)
