"""The VAE with categorical codes, trained by the Gumbel-softmax: a die whose roll has a slope.

Adding Gumbel noise to logits and taking the largest draws from their softmax exactly. A softmax of temperature t in the
place of "the largest" is a soft roll that gradients pass; the colder, the closer to a roll, and the noisier the gradient.
"""

import math
from collections.abc import Sequence

import minigrad
from ae.models.base import Loss, Model, check_range, one_of, stack
from ae.models.likelihood import LIKELIHOODS
from minigrad import Tensor
from minigrad.nn import functional as F


class CategoricalVAE(Model):
    """`latent` dice of `faces` faces, between two deep networks; the prior's dice are fair.

    In training rolls are soft, at a temperature of `max(coldest, exp(-cooling * step))`; in evaluation they are rolls, so
    that the loss is a bound of the discrete model. Source: Jang, Gu and Poole 2017, "Categorical Reparameterization with
    Gumbel-Softmax", equation 2 and section 4; Maddison, Mnih and Teh 2017, "The Concrete Distribution".
    """

    generates = True

    def __init__(
        self,
        pixels: int,
        hidden: Sequence[int],
        latent: int,
        *,
        faces: int = 10,
        coldest: float = 0.5,
        cooling: float = 1e-3,
        likelihood: str = "bernoulli",
    ) -> None:
        super().__init__()
        check_range("faces", faces, 2)
        if not coldest > 0:
            raise ValueError(f"coldest needs a temperature above 0, got {coldest:g}")
        check_range("cooling", cooling, 0)
        self.latent, self.faces, self.coldest, self.cooling = latent, faces, coldest, cooling
        self.encoder = stack((pixels, *hidden, latent * faces))
        self.decoder = stack((latent * faces, *hidden[::-1], pixels))
        self.likelihood = one_of(LIKELIHOODS, likelihood, "likelihood")()
        self.register_buffer("step", minigrad.zeros(()))

    def encode(self, images: Tensor) -> Tensor:
        """Return the dice's logits `(N, latent, faces)`."""
        return self.encoder(images).reshape(len(images), self.latent, self.faces)

    def outputs(self, codes: Tensor) -> Tensor:
        """Return the logits `(..., pixels)` given rolls `(..., latent, faces)`, soft or not."""
        return self.decoder(codes.flatten(-2))

    def decode(self, codes: Tensor) -> Tensor:
        """Return the pixels' probabilities (or means) `(..., pixels)` given rolls `(..., latent, faces)`."""
        return self.likelihood.mean(self.outputs(codes))

    def temperature(self) -> Tensor:
        """Return the temperature of this step of training, 0-d."""
        return (-self.cooling * self.step).exp().clamp(min=self.coldest)

    def roll(self, logits: Tensor) -> Tensor:
        """Roll the dice: soft in training, `(N, latent, faces)` that add up to 1 over faces, else one 1 and zeros."""
        if self.training:
            return gumbel_softmax(logits, self.temperature())
        return self.throw(logits)

    def throw(self, logits: Tensor) -> Tensor:
        """Roll the dice `(..., latent, faces)`: one 1 and zeros, drawn from the softmax of the logits."""
        return self._one_hot((logits + gumbel(logits)).argmax(-1), logits)

    def _one_hot(self, faces: Tensor, like: Tensor) -> Tensor:
        return F.one_hot(faces, self.faces).to(like.dtype)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return (reconstructions, logits) with the dice rolled once for each image."""
        logits = self.encode(images)
        return self.decode(self.roll(logits)), logits

    def embed(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the dice's probabilities side by side, `(N, latent * faces)`."""
        return self.encode(images).softmax(-1).flatten(1)

    def reconstruct(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the reconstructions `(N, pixels)` from each die's likeliest face."""
        logits = self.encode(images)
        return self.decode(self._one_hot(logits.argmax(-1), logits))

    def sample(self, count: int) -> Tensor:
        """Return `count` new images `(count, pixels)`, decoded from rolls of fair dice."""
        return self.decode(self._one_hot(minigrad.randint(self.faces, (count, self.latent)), self.step))

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the negative ELBO; the KL of each die from a fair one is exact, `sum_f q_f log(q_f faces)`."""
        logits = self.encode(images)
        reconstruction = self.likelihood.nll(self.outputs(self.roll(logits)), images)
        log_q = logits.log_softmax(-1)
        kl = (log_q.exp() * (log_q + math.log(self.faces))).sum() / len(images)
        if self.training:
            self.step.add_(1)
        return Loss(reconstruction + kl, reconstruction=reconstruction, kl=kl)

    def log_weights(self, images: Tensor, samples: int = 1, labels: Tensor | None = None) -> Tensor:
        """Return log p(x, z) - log q(z | x) `(samples, N)` in nats, z being rolls: their exponentials' mean estimates p(x)."""
        logits = self.encode(images)
        rolls = self.throw(logits.expand(samples, *logits.shape))
        log_q = (rolls * logits.log_softmax(-1)).flatten(-2).sum(-1)
        log_prior = -self.latent * math.log(self.faces)
        return self.likelihood.log_prob(self.outputs(rolls), images) + log_prior - log_q


def gumbel(like: Tensor) -> Tensor:
    """Draw Gumbel noise of the shape of `like`: `-log(-log u)`, u uniform in (0, 1)."""
    return -(-minigrad.rand_like(like).clamp(min=1e-10).log()).log()


def gumbel_softmax(logits: Tensor, temperature: Tensor | float) -> Tensor:
    """Return `softmax((logits + gumbel) / temperature)` over the last axis, of the logits' shape."""
    return ((logits + gumbel(logits)) / temperature).softmax(-1)
