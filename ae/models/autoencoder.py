"""The smallest autoencoder: one layer in, one layer out, and between them a code with fewer numbers than the image.

It starts as 25-10-25, for the 5x5 pictures of `ae.data.glyph`.
"""

from ae import losses
from minigrad import Tensor, nn


class Autoencoder(nn.Module):
    """Two layers: `code = relu(W1 x + b1)`, `reconstruction = sigmoid(W2 code + b2)`.

    Images `(N, pixels)` in [0, 1] become codes `(N, latent)` and reconstructions `(N, pixels)` in (0, 1).
    """

    def __init__(self, pixels: int = 25, latent: int = 10) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(pixels, latent), nn.ReLU())
        self.decoder = nn.Sequential(nn.Linear(latent, pixels), nn.Sigmoid())

    def forward(self, images: Tensor) -> Tensor:
        """Return the reconstructions `(N, pixels)` of images `(N, pixels)`."""
        return self.decoder(self.encoder(images))

    def reconstruct(self, images: Tensor) -> Tensor:
        """Return the reconstructions `(N, pixels)`: what every model of `ae` answers under this name."""
        return self(images)

    def losses(self, images: Tensor) -> tuple[Tensor, Tensor | float]:
        """Return (reconstruction, 0.0) in nats per image: the code has no distribution, hence no divergence."""
        return losses.reconstruction(self(images), images), 0.0
