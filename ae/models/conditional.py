"""The conditional VAE: told which digit it sees, it spends its code on how the digit is written, and draws on demand.

Encoder and decoder both see the label, as ones and zeros beside image and code. The code's prior does not depend on it.
"""

from collections.abc import Sequence
from typing import Any

import minigrad
from ae import losses
from ae.models.base import Loss, check_range, stack
from ae.models.vae import VAE
from minigrad import Tensor
from minigrad.nn import functional as F


class ConditionalVAE(VAE):
    """A VAE of images given their labels: `-log p(x | z, y) + KL(q(z | x, y) || p(z))` bounds -log p(x | y).

    Labels are whole numbers `(N,)` from 0 to `classes - 1`. Where none are given, each image takes the one that
    explains it best, see `classify`. Source: Sohn, Lee and Yan 2015, "Learning Structured Output Representation using
    Deep Conditional Generative Models", equation 4, with the roles of Kingma et al. 2014, "Semi-supervised Learning
    with Deep Generative Models", equation 6.
    """

    def __init__(
        self, pixels: int, hidden: int | Sequence[int], latent: int, *, classes: int = 10, **others: Any
    ) -> None:
        super().__init__(pixels, hidden, latent, **others)
        check_range("classes", classes, 1)
        self.classes = classes
        sizes = (hidden,) if isinstance(hidden, int) else tuple(hidden)
        activation = others.get("activation", "relu")
        self.encoder = stack((pixels + classes, *sizes), activation)
        self.decoder = stack((latent + classes, *sizes[::-1]), activation)

    def encode(self, images: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return mu and logvar `(N, latent)` of the codes of images, given their labels."""
        labels = self.classify(images) if labels is None else labels
        return super().encode(self._beside(images, labels))

    def outputs(self, codes: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the logits `(..., N, pixels)` of the pixels given codes `(..., N, latent)` and labels `(N,)`.

        Raises ValueError without labels.
        """
        if labels is None:
            raise ValueError("a conditional VAE decodes a code given a label: pass labels, one for each code")
        return super().outputs(self._beside(codes, labels))

    def decode(self, codes: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the pixels' probabilities `(..., N, pixels)` given codes and labels; `outputs` says more."""
        return self.likelihood.mean(self.outputs(codes, labels))

    def forward(self, images: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Return (reconstructions, mu, logvar) with one code drawn for each image."""
        labels = self.classify(images) if labels is None else labels
        mu, logvar = self.encode(images, labels)
        return self.decode(self.draw(mu, logvar), labels), mu, logvar

    def embed(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the clouds' centres, mu `(N, latent)`: how the digits are written."""
        return self.encode(images, labels)[0]

    def reconstruct(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the reconstructions `(N, pixels)` of images, without noise."""
        labels = self.classify(images) if labels is None else labels
        return self.decode(self.embed(images, labels), labels)

    def sample(self, count: int, labels: Tensor | None = None) -> Tensor:
        """Return `count` new images `(count, pixels)` of the given labels, or of 0, 1, 2, ... in turn."""
        labels = minigrad.arange(count) % self.classes if labels is None else labels
        return self.decode(minigrad.randn(count, self.latent), labels)

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the negative ELBO of the images given their labels. Raises ValueError without labels."""
        if labels is None:
            raise ValueError("a conditional VAE learns images given their labels: pass labels to loss()")
        mu, logvar = self.encode(images, labels)
        reconstruction = self.likelihood.nll(self.outputs(self.draw(mu, logvar), labels), images)
        kl = losses.kl(mu, logvar)
        return Loss(reconstruction + kl, reconstruction=reconstruction, kl=kl)

    def log_weights(self, images: Tensor, samples: int = 1, labels: Tensor | None = None) -> Tensor:
        """Return log p(x, z | y) - log q(z | x, y) `(samples, N)` in nats: their exponentials' mean estimates p(x | y)."""
        labels = self.classify(images) if labels is None else labels
        mu, logvar = self.encode(images, labels)
        codes = self.draw(mu.expand(samples, *mu.shape), logvar.expand(samples, *logvar.shape))
        log_q = losses.log_normal(codes, mu, logvar).sum(-1)
        return self.likelihood.log_prob(self.outputs(codes, labels), images) + self.log_prior(codes) - log_q

    def classify(self, images: Tensor) -> Tensor:
        """Return the label `(N,)` of each image that explains it best: the one with the largest ELBO at mu."""
        with minigrad.no_grad():
            bounds = []
            for label in range(self.classes):
                labels = minigrad.full((len(images),), label, dtype=minigrad.int64)
                mu, logvar = self.encode(images, labels)
                kl = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(1)
                bounds.append(self.likelihood.log_prob(self.outputs(mu, labels), images) - kl)
            return minigrad.stack(bounds, dim=1).argmax(1)

    def _beside(self, rows: Tensor, labels: Tensor) -> Tensor:
        """Join rows `(..., N, size)` and the labels as ones and zeros, `(..., N, size + classes)`."""
        ones = F.one_hot(labels, self.classes).to(rows.dtype)
        return minigrad.cat((rows, ones.expand(*rows.shape[:-1], self.classes)), dim=-1)
