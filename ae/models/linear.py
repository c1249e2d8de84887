"""The linear autoencoder: without a nonlinearity it can do no better than principal component analysis, and gets there.

With k numbers in the code the reconstructions lie on a k-dimensional plane, and least squares makes it the plane of the
first k principal components (Eckart and Young 1936). Which vectors span it is left open: codes are not the components'.
"""

from ae import losses
from ae.models.base import Loss, Model
from minigrad import Tensor, nn


class LinearAutoencoder(Model):
    """`code = W1 x + b1`, `reconstruction = W2 code + b2`, trained on the squared error.

    The error has no local minima, only saddle points. Source: Baldi and Hornik 1989, "Neural Networks and Principal
    Component Analysis: Learning from Examples Without Local Minima", facts 1 to 4.
    """

    def __init__(self, pixels: int = 25, latent: int = 10) -> None:
        super().__init__()
        self.encoder = nn.Linear(pixels, latent)
        self.decoder = nn.Linear(latent, pixels)

    def decode(self, codes: Tensor) -> Tensor:
        """Return the reconstructions `(N, pixels)` of codes `(N, latent)`; they may lie outside [0, 1]."""
        return self.decoder(codes)

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the squared error of the reconstructions, summed over pixels: see `ae.losses.squared_error`."""
        reconstruction = losses.squared_error(self(images), images)
        return Loss(reconstruction, reconstruction=reconstruction)
