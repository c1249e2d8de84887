"""The smallest autoencoder: one layer in, one layer out, and between them a code with fewer numbers than the image.

It starts as 25-10-25, for the 5x5 pictures of `ae.data.glyph`. With more numbers in the code than in the image
nothing keeps it from copying: that is what sparse, denoising and contractive autoencoders mend.
"""

from typing import Any

from ae import losses
from ae.models.base import Loss, Model
from minigrad import Tensor, nn


class Autoencoder(Model):
    """Two layers: `code = relu(W1 x + b1)`, `reconstruction = sigmoid(W2 code + b2)`.

    Images `(N, pixels)` in [0, 1] become codes `(N, latent)` and reconstructions `(N, pixels)` in (0, 1).
    Source: Rumelhart, Hinton and Williams 1986, "Learning Internal Representations by Error Propagation", the encoder
    problem (N-log2 N-N), here with ReLU.
    """

    def __init__(self, pixels: int = 25, latent: int = 10) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(pixels, latent), nn.ReLU())
        self.decoder = nn.Sequential(nn.Linear(latent, pixels), nn.Sigmoid())

    def decode(self, codes: Tensor) -> Tensor:
        """Return the reconstructions `(N, pixels)` of codes `(N, latent)`."""
        return self.decoder(codes)

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the cross-entropy of the reconstructions: the code has no distribution, hence no KL."""
        return cross_entropy(self, images)


class Undercomplete(Autoencoder):
    """The autoencoder whose code is smaller than the image, so that it cannot just copy.

    Raises ValueError for any other code. Source: Goodfellow, Bengio and Courville 2016, "Deep Learning", section 14.1,
    equation 14.1.
    """

    def __init__(self, pixels: int = 25, latent: int = 10) -> None:
        if latent >= pixels:
            raise ValueError(f"an undercomplete code has less numbers than the image, {pixels}, got {latent}")
        super().__init__(pixels, latent)


class Overcomplete(Autoencoder):
    """The autoencoder whose code is larger than the image, so that copying is a solution, and says nothing of digits.

    Raises ValueError for any other code. Source: Goodfellow, Bengio and Courville 2016, "Deep Learning", section 14.2.
    """

    def __init__(self, pixels: int = 25, latent: int = 50) -> None:
        if latent <= pixels:
            raise ValueError(f"an overcomplete code has more numbers than the image, {pixels}, got {latent}")
        super().__init__(pixels, latent)


def cross_entropy(model: Model, images: Tensor) -> Loss:
    """Return the loss of a model whose decoder gives probabilities instead of logits."""
    reconstruction: Any = losses.reconstruction(model(images), images)
    return Loss(reconstruction, reconstruction=reconstruction)
