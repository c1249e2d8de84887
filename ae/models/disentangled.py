"""Codes whose numbers are independent of each other: beta-TC-VAE estimates their dependence, FactorVAE learns to see it.

Averaged over images, the KL of a VAE has three parts: what the code tells of the image (mutual information), how much its
numbers depend on each other (total correlation, TC), and how far each is from the prior. Only the second is entangled;
both models weigh it alone, where beta-VAE weighs all three.
"""

import math
from collections.abc import Sequence
from typing import Any

import minigrad
from ae import losses
from ae.models.adversary import tell_apart, two_players
from ae.models.base import Loss, check_range, stack
from ae.models.vae import VAE
from minigrad import Tensor, optim


class BetaTCVAE(VAE):
    """`reconstruction + alpha * mutual_information + beta * total_correlation + gamma * dimension_kl`.

    Source: Chen et al. 2018, "Isolating Sources of Disentanglement in Variational Autoencoders", equations 2 and 4.
    """

    def __init__(
        self,
        pixels: int,
        hidden: int | Sequence[int],
        latent: int,
        *,
        alpha: float = 1.0,
        beta: float = 6.0,
        gamma: float = 1.0,
        **others: Any,
    ) -> None:
        super().__init__(pixels, hidden, latent, **others)
        for name, value in (("alpha", alpha), ("beta", beta), ("gamma", gamma)):
            check_range(name, value, 0)
        self.alpha, self.beta, self.gamma = alpha, beta, gamma

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the weighed sum; its parts besides the reconstruction add up to `kl`, estimated with the same codes."""
        mu, logvar = self.encode(images)
        codes = self.draw(mu, logvar)
        reconstruction = self.likelihood.nll(self.outputs(codes), images)
        information, correlation, dimensions = decompose_kl(codes, mu, logvar)
        return Loss(
            reconstruction + self.alpha * information + self.beta * correlation + self.gamma * dimensions,
            reconstruction=reconstruction,
            kl=information + correlation + dimensions,
            mutual_information=information,
            total_correlation=correlation,
            dimension_kl=dimensions,
        )


def decompose_kl(codes: Tensor, mu: Tensor, logvar: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return (mutual information, total correlation, dimension-wise KL) in nats, of codes drawn from N(mu, exp(logvar)).

    Means over images n of `log q(z_n | x_n) - log q(z_n)`, `log q(z_n) - sum_j log q_j(z_nj)` and
    `sum_j log q_j(z_nj) - log p(z_nj)`; in their sum all but `log q(z | x) - log p(z)` cancels. The batch stands for the
    data: `q(z) = 1/N sum_m q(z | x_m)`, likewise each q_j, so the information is at most log N. Chen et al.'s
    minibatch-weighted sampling (appendix C.1) differs by constants only, which no gradient sees.
    """
    log_q_given = losses.log_normal(codes, mu, logvar).sum(1)
    log_p = losses.log_standard_normal(codes).sum(1)
    each = losses.log_normal(codes.unsqueeze(1), mu, logvar)  # [n, m, j]: log q_j(z_nj | x_m)
    log_count = math.log(len(codes))
    log_q = each.sum(2).logsumexp(1) - log_count
    log_q_product = (each.logsumexp(1) - log_count).sum(1)
    return (log_q_given - log_q).mean(), (log_q - log_q_product).mean(), (log_q_product - log_p).mean()


class FactorVAE(VAE):
    """`reconstruction + kl + gamma * TC`, where a discriminator's logit says how unlike independent numbers a code is.

    The discriminator learns to tell codes from codes whose numbers were shuffled among images, each on its own; at its
    best the logit is `log q(z) / prod_j q_j(z_j)`, whose mean is the TC. Source: Kim and Mnih 2018, "Disentangling by
    Factorising", equations 2 and 3 and algorithm 2; here the shuffled codes are of the same batch.
    """

    def __init__(
        self,
        pixels: int,
        hidden: int | Sequence[int],
        latent: int,
        *,
        gamma: float = 6.0,
        width: int = 64,
        **others: Any,
    ) -> None:
        super().__init__(pixels, hidden, latent, **others)
        check_range("gamma", gamma, 0)
        check_range("width", width, 1)
        self.gamma = gamma
        self.discriminator = stack((latent, width, width, 1))

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the sum, with the estimate of the TC, and the discriminator's loss as the adversary's."""
        mu, logvar = self.encode(images)
        codes = self.draw(mu, logvar)
        reconstruction, kl = self.likelihood.nll(self.outputs(codes), images), losses.kl(mu, logvar)
        correlation = self.discriminator(codes).mean()
        real = codes.detach()
        adversary = tell_apart(self.discriminator(real), self.discriminator(shuffle_columns(real)))
        return Loss(
            reconstruction + kl + self.gamma * correlation,
            reconstruction=reconstruction,
            kl=kl,
            total_correlation=correlation,
            adversary=adversary,
        )

    def optimizers(self, lr: float) -> list[optim.Optimizer]:
        """Return Adam for the VAE and Adam for the discriminator."""
        return two_players(self, self.discriminator, lr)


def shuffle_columns(codes: Tensor) -> Tensor:
    """Return codes `(N, latent)` with every column in an order of its own, by chance."""
    return codes.gather(0, minigrad.rand_like(codes).argsort(dim=0))
