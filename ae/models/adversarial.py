"""The adversarial autoencoder: the codes' heap is held to the prior by a discriminator instead of a formula.

The discriminator learns to tell draws from N(0, 1) from codes; the encoder learns that it cannot. Any prior one can draw
from will do.
"""

from collections.abc import Sequence

import minigrad
from ae import losses
from ae.models.adversary import tell_apart, two_players
from ae.models.base import Loss, Model, check_range, stack
from minigrad import Tensor, optim
from minigrad.nn import functional as F


class AdversarialAutoencoder(Model):
    """A deep autoencoder with a discriminator D of codes: `reconstruction + weight * mean -log D(code)`.

    D minimizes `-log D(draw) - log(1 - D(code))`, halved. Encoder and decoder step on the sum of the two costs where the
    paper takes a step for each. Source: Makhzani et al. 2016, "Adversarial Autoencoders", equation 1 and section 2, with a
    deterministic encoder.
    """

    generates = True

    def __init__(
        self, pixels: int, hidden: Sequence[int], latent: int, *, weight: float = 1.0, width: int = 64
    ) -> None:
        super().__init__()
        check_range("weight", weight, 0)
        check_range("width", width, 1)
        self.latent, self.weight = latent, weight
        self.encoder = stack((pixels, *hidden, latent))
        self.decoder = stack((latent, *hidden[::-1], pixels))
        self.discriminator = stack((latent, width, width, 1))

    def sample(self, count: int) -> Tensor:
        """Return `count` new images `(count, pixels)`, decoded from codes drawn from N(0, 1)."""
        return self.decode(minigrad.randn(count, self.latent))

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the sum, with the encoder's cost of being told apart as `detection`, and the discriminator's loss."""
        codes = self.encode(images)
        reconstruction = losses.bernoulli(self.outputs(codes), images)
        detection = F.softplus(-self.discriminator(codes)).mean()
        draws = minigrad.randn_like(codes)
        adversary = tell_apart(self.discriminator(draws), self.discriminator(codes.detach()))
        return Loss(
            reconstruction + self.weight * detection,
            reconstruction=reconstruction,
            detection=detection,
            adversary=adversary,
        )

    def optimizers(self, lr: float) -> list[optim.Optimizer]:
        """Return Adam for the autoencoder and Adam for the discriminator."""
        return two_players(self, self.discriminator, lr)
