"""The denoising autoencoder: shown a damaged image, it must draw the whole one; copying no longer pays.

What it learns points from noise back to the data: for little Gaussian noise, `reconstruct(x) - x` is the variance of the
noise times the slope of log p(x) (Alain and Bengio 2014).
"""

from collections.abc import Sequence

import minigrad
from ae import losses
from ae.models.base import Loss, Model, check_range, one_of, stack
from minigrad import Tensor


def masking(images: Tensor, level: float) -> Tensor:
    """Set a share `level` of the pixels, chosen by chance, to 0."""
    return images * (minigrad.rand_like(images) >= level)


def gaussian(images: Tensor, level: float) -> Tensor:
    """Add noise of standard deviation `level` to every pixel; the result may leave [0, 1]."""
    return images + level * minigrad.randn_like(images)


def salt_and_pepper(images: Tensor, level: float) -> Tensor:
    """Set a share `level` of the pixels, chosen by chance, to 0 or 1 by the toss of a coin."""
    chance = minigrad.rand_like(images)
    damaged = minigrad.where(chance < level / 2, minigrad.zeros_like(images), minigrad.ones_like(images))
    return minigrad.where(chance < level, damaged, images)


NOISES = {"masking": masking, "gaussian": gaussian, "salt-and-pepper": salt_and_pepper}


class DenoisingAutoencoder(Model):
    """A deep autoencoder that learns to undo noise: `-log p(x | decode(encode(x~)))` with `x~` a damaged `x`.

    `noise` is masking, gaussian or salt-and-pepper, `level` how much of it. The loss is that of repairing, also on the
    test set; `embed` and `reconstruct` take images as they are. Source: Vincent et al. 2010, "Stacked Denoising
    Autoencoders", section 3.
    """

    def __init__(
        self, pixels: int, hidden: Sequence[int], latent: int, *, noise: str = "masking", level: float = 0.3
    ) -> None:
        super().__init__()
        self.noise = one_of(NOISES, noise, "noise")
        check_range("level", level, 0, float("inf") if noise == "gaussian" else 1)
        self.level = level
        self.encoder = stack((pixels, *hidden, latent))
        self.decoder = stack((latent, *hidden[::-1], pixels))

    def corrupt(self, images: Tensor) -> Tensor:
        """Return damaged copies of images, drawn anew at every call."""
        return self.noise(images, self.level)

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return what it costs to draw the images from damaged copies."""
        reconstruction = losses.bernoulli(self.outputs(self.encode(self.corrupt(images))), images)
        return Loss(reconstruction, reconstruction=reconstruction)
