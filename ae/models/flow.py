"""VAEs whose clouds need not be Gaussian: invertible steps bend them, and the determinants say how much the density thins.

If `z = f(z0)` then `log q(z) = log q0(z0) - log |det df/dz0|`. A planar step is cheap because its Jacobian is the identity
plus a product of two vectors; an autoregressive one because its Jacobian is triangular. The KL of such a cloud has no
formula and is estimated with the code at hand.
"""

import math
from collections.abc import Sequence
from typing import Any

import minigrad
from ae import losses
from ae.models.base import Loss, check_range
from ae.models.vae import VAE
from minigrad import Tensor, nn
from minigrad.nn import functional as F


class FlowVAE(VAE):
    """A VAE whose codes pass through `transform` before they are decoded; a subclass says how."""

    def transform(self, codes: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return the bent codes `(..., N, latent)` and log |det| `(..., N)`, given the encoder's features `(N, hidden)`."""
        raise NotImplementedError(f"{type(self).__name__} needs a transform(codes, hidden) of its own")

    def posterior(self, images: Tensor, samples: int = 1) -> tuple[Tensor, Tensor]:
        """Draw codes `(samples, N, latent)` from q(z | x) and return them with log q `(samples, N)` in nats."""
        hidden = self.features(images)
        mu, logvar = self.mu(hidden), self.logvar(hidden)
        codes = self.draw(mu.expand(samples, *mu.shape), logvar.expand(samples, *logvar.shape))
        bent, log_det = self.transform(codes, hidden)
        return bent, losses.log_normal(codes, mu, logvar).sum(-1) - log_det

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (reconstructions, mu, logvar) with one code drawn for each image and bent."""
        hidden = self.features(images)
        mu, logvar = self.mu(hidden), self.logvar(hidden)
        return self.decode(self.transform(self.draw(mu, logvar), hidden)[0]), mu, logvar

    def embed(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the clouds' centres, bent `(N, latent)`."""
        hidden = self.features(images)
        return self.transform(self.mu(hidden), hidden)[0]

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the negative ELBO with the KL of one code for each image."""
        return self.sampled_loss(images)


class PlanarVAE(FlowVAE):
    """A VAE with `steps` planar steps `f(z) = z + u tanh(w^T z + b)`, whose u, w and b the encoder chooses per image.

    `log |det| = log |1 + u^T w (1 - tanh^2(w^T z + b))|`. Source: Rezende and Mohamed 2015, "Variational Inference with
    Normalizing Flows", equations 10 to 13 and appendix A.1.
    """

    def __init__(self, pixels: int, hidden: int | Sequence[int], latent: int, *, steps: int = 4, **others: Any) -> None:
        super().__init__(pixels, hidden, latent, **others)
        check_range("steps", steps, 1)
        self.steps = steps
        self.flow = nn.Linear(self.mu.in_features, steps * (2 * latent + 1))

    def transform(self, codes: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Take the planar steps one after the other and add up their log-determinants."""
        total = codes.new_zeros(codes.shape[:-1])
        for step in self.flow(hidden).chunk(self.steps, dim=-1):
            u, w, b = step[..., : self.latent], step[..., self.latent : -1], step[..., -1]
            u, room = invertible(u, w)
            height = ((codes * w).sum(-1) + b).tanh()
            slope = 1 - height.square()
            total = total + (room * slope + height.square()).log()  # 1 + u^T w slope, without the difference
            codes = codes + u * height.unsqueeze(-1)
        return codes, total


def invertible(u: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """Return u moved along w such that `u^T w > -1`, without which a planar step folds space, and `1 + u^T w` `(...)`.

    `u + (m(u^T w) - u^T w) w / |w|^2`, whose product with w is m, known without rounding: 1 + m is above 0 where m rounds
    to -1. `m(a) = log(1 + (e - 1) exp(a)) - 1` is the paper's, shifted to m(0) = 0 so that a small w asks for no large u.
    """
    product = (u * w).sum(-1, keepdim=True)
    room = F.softplus(product + math.log(math.e - 1))
    return u + (room - 1 - product) * w / (w.square().sum(-1, keepdim=True) + 1e-12), room.squeeze(-1)


class IAFVAE(FlowVAE):
    """A VAE with `steps` inverse autoregressive steps `z_j <- s_j z_j + (1 - s_j) m_j`, s_j in (0, 1).

    m_j and s_j come from a network that sees z_1 ... z_(j-1) and the image, so the Jacobian is triangular with the
    diagonal s, and `log |det| = sum_j log s_j`. The order of the numbers is turned around after every step.
    Source: Kingma et al. 2016, "Improved Variational Inference with Inverse Autoregressive Flow", algorithm 1.
    """

    def __init__(
        self,
        pixels: int,
        hidden: int | Sequence[int],
        latent: int,
        *,
        steps: int = 2,
        width: int = 64,
        **others: Any,
    ) -> None:
        super().__init__(pixels, hidden, latent, **others)
        check_range("steps", steps, 1)
        check_range("width", width, 1)
        self.flow = nn.ModuleList([Autoregressive(latent, width, self.mu.in_features) for _ in range(steps)])

    def transform(self, codes: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Take the steps one after the other and add up their log-determinants."""
        total = codes.new_zeros(codes.shape[:-1])
        for network in self.flow:
            means, gates = network(codes, hidden)
            total = total + F.logsigmoid(gates).sum(-1)
            share = gates.sigmoid()
            codes = (share * codes + (1 - share) * means).flip(-1)
        return codes, total


class Autoregressive(nn.Module):
    """One hidden layer with some weights held at 0, such that output j depends on inputs 1 ... j - 1 only.

    A hidden unit of degree d sees inputs 1 ... d and is seen by outputs d + 1, d + 2, ...; the context reaches all.
    Source: Germain et al. 2015, "MADE: Masked Autoencoder for Distribution Estimation", section 4.
    """

    def __init__(self, latent: int, width: int, context: int) -> None:
        super().__init__()
        self.input, self.context = nn.Linear(latent, width), nn.Linear(context, width, bias=False)
        self.means, self.gates = nn.Linear(width, latent), nn.Linear(width, latent)
        numbers = minigrad.arange(1, latent + 1)
        degrees = minigrad.arange(width) % max(latent - 1, 1) + 1
        self.register_buffer("seen", (degrees.unsqueeze(1) >= numbers).float(), persistent=False)
        self.register_buffer("shown", (numbers.unsqueeze(1) > degrees).float(), persistent=False)

    def forward(self, codes: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return m and the logits of s, both `(..., N, latent)`; the logits stand 2 higher, so steps begin gently."""
        seen = F.linear(codes, self.input.weight * self.seen, self.input.bias)
        features = F.relu(seen + self.context(context))
        means = F.linear(features, self.means.weight * self.shown, self.means.bias)
        return means, F.linear(features, self.gates.weight * self.shown, self.gates.bias) + 2.0
