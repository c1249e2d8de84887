"""The variational autoencoder: it encodes an image not as a point but as a cloud of codes, and can draw new images.

The encoder gives the mean and the log-variance of a Gaussian; a code is drawn from it, and decoded. The loss pulls every
cloud towards N(0, 1), so that a code drawn from N(0, 1) decodes to an image too. The sizes 784-400-20 are those of
PyTorch's example programs.
"""

import minigrad
from ae import losses
from minigrad import Tensor, nn
from minigrad.nn import functional as F


class VAE(nn.Module):
    """One hidden ReLU layer on both sides of a Gaussian code.

    Images `(N, pixels)` in [0, 1] become `mu` and `logvar`, both `(N, latent)`, and reconstructions `(N, pixels)`.
    Source: Kingma and Welling 2014, "Auto-Encoding Variational Bayes", appendix C.
    """

    def __init__(self, pixels: int = 784, hidden: int = 400, latent: int = 20) -> None:
        super().__init__()
        self.latent = latent
        self.encoder = nn.Linear(pixels, hidden)
        self.mu = nn.Linear(hidden, latent)
        self.logvar = nn.Linear(hidden, latent)
        self.decoder = nn.Linear(latent, hidden)
        self.output = nn.Linear(hidden, pixels)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return mu and logvar `(N, latent)` of the codes of images `(N, pixels)`."""
        hidden = F.relu(self.encoder(images))
        return self.mu(hidden), self.logvar(hidden)

    def decode(self, codes: Tensor) -> Tensor:
        """Return the pixels' probabilities `(N, pixels)` given codes `(N, latent)`."""
        return self.output(F.relu(self.decoder(codes))).sigmoid()

    def draw(self, mu: Tensor, logvar: Tensor) -> Tensor:
        """Draw codes from N(mu, exp(logvar)) such that gradients reach both: `mu + exp(logvar / 2) * noise`.

        The noise comes from the default generator; it is drawn apart from the parameters, which only shift and scale it.
        """
        deviation = (0.5 * logvar).exp()
        return mu + deviation * minigrad.randn_like(deviation)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (reconstructions, mu, logvar) with one code drawn for each image."""
        mu, logvar = self.encode(images)
        return self.decode(self.draw(mu, logvar)), mu, logvar

    def reconstruct(self, images: Tensor) -> Tensor:
        """Return the reconstructions `(N, pixels)` from the clouds' centres, mu, without noise."""
        return self.decode(self.encode(images)[0])

    def sample(self, count: int) -> Tensor:
        """Return `count` new images `(count, pixels)`, decoded from codes that are drawn from the prior N(0, 1)."""
        return self.decode(minigrad.randn(count, self.latent))

    def losses(self, images: Tensor) -> tuple[Tensor, Tensor | float]:
        """Return (reconstruction, kl) in nats per image; their sum, the negative ELBO, bounds -log p(x) from above."""
        reconstructions, mu, logvar = self(images)
        return losses.reconstruction(reconstructions, images), losses.kl(mu, logvar)
