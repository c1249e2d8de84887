"""Three ways to say how much a code may tell: a price on its nats (beta), a budget (capacity), a free allowance (bits).

A VAE trades rate, the KL, for distortion, the reconstruction. With beta = 1 the trade is fair: one nat for one nat. Codes
that collapse into the prior need a lower price, at first or for the first nats; codes that should come apart, a higher.
"""

from collections.abc import Sequence
from typing import Any

import minigrad
from ae import losses
from ae.models.base import Loss, check_range
from ae.models.vae import VAE
from minigrad import Tensor


class BetaVAE(VAE):
    """The VAE with the KL weighed: `reconstruction + beta * kl`, where beta may grow from 0 over `warmup` steps.

    Source: Higgins et al. 2017, "beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework",
    equation 4; the warm-up: Bowman et al. 2016, "Generating Sentences from a Continuous Space", section 3.1, and
    Soenderby et al. 2016, "Ladder Variational Autoencoders", section 2.3.
    """

    def __init__(
        self,
        pixels: int,
        hidden: int | Sequence[int],
        latent: int,
        *,
        beta: float = 2.0,
        warmup: int = 0,
        **others: Any,
    ) -> None:
        super().__init__(pixels, hidden, latent, **others)
        check_range("beta", beta, 0)
        check_range("warmup", warmup, 0)
        self.beta, self.warmup = beta, warmup
        self.register_buffer("step", minigrad.zeros(()))

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the weighed sum; in training every call is a step of the warm-up."""
        reconstruction, mu, logvar = self.measure(images)
        kl = losses.kl(mu, logvar)
        beta = self.beta * ramp(self, self.warmup)
        return Loss(reconstruction + beta * kl, reconstruction=reconstruction, kl=kl)


class CapacityVAE(VAE):
    """The VAE whose KL is drawn to a budget of C nats: `reconstruction + gamma * |kl - C|`.

    C grows from 0 to `capacity` over `steps` steps, so that the codes take up one factor after the other, the one that
    helps reconstruction most first. Source: Burgess et al. 2018, "Understanding Disentangling in beta-VAE", equation 8.
    """

    def __init__(
        self,
        pixels: int,
        hidden: int | Sequence[int],
        latent: int,
        *,
        capacity: float = 5.0,
        gamma: float = 10.0,
        steps: int = 1000,
        **others: Any,
    ) -> None:
        super().__init__(pixels, hidden, latent, **others)
        for name, value in (("capacity", capacity), ("gamma", gamma), ("steps", steps)):
            check_range(name, value, 0)
        self.capacity, self.gamma, self.steps = capacity, gamma, steps
        self.register_buffer("step", minigrad.zeros(()))

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the sum with, as `excess`, the KL's distance from its budget; in training every call is a step."""
        reconstruction, mu, logvar = self.measure(images)
        kl = losses.kl(mu, logvar)
        excess = (kl - self.capacity * ramp(self, self.steps)).abs()
        return Loss(reconstruction + self.gamma * excess, reconstruction=reconstruction, kl=kl, excess=excess)


class FreeBitsVAE(VAE):
    """The VAE whose every latent may tell `free` nats at no extra cost: `reconstruction + sum_j max(free, kl_j)`.

    Below its allowance a latent feels no pull towards the prior, so none need collapse. `kl_j` is the batch's mean.
    Source: Kingma et al. 2016, "Improved Variational Inference with Inverse Autoregressive Flow", the appendix's
    objective with free bits, with one latent to a group.
    """

    def __init__(
        self, pixels: int, hidden: int | Sequence[int], latent: int, *, free: float = 0.5, **others: Any
    ) -> None:
        super().__init__(pixels, hidden, latent, **others)
        check_range("free", free, 0)
        self.free = free

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the sum with, as `charged`, the KL that is paid for: no less than `latent * free`."""
        reconstruction, mu, logvar = self.measure(images)
        units = losses.kl_per_unit(mu, logvar)
        charged = units.clamp(min=self.free).sum()
        return Loss(reconstruction + charged, reconstruction=reconstruction, kl=units.sum(), charged=charged)


def ramp(model: BetaVAE | CapacityVAE, steps: int) -> Tensor | float:
    """Return how far a schedule is: from 0 at the first step to 1 after so many; training takes a step forward.

    The count is one of the model's buffers, so a run that is saved and resumed goes on where it was.
    """
    if steps == 0:
        return 1.0
    share = (model.step / steps).clamp(max=1.0)
    if model.training:
        model.step.add_(1)
    return share
