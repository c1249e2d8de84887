"""The autoencoder with layers before and behind the code, so that the code need not be linear in the pixels."""

from collections.abc import Sequence
from itertools import pairwise

from ae import losses
from minigrad import Tensor, nn


class DeepAutoencoder(nn.Module):
    """An encoder of the given sizes and its mirror image: `(784, 256, 20)` is 784-256-20-256-784.

    ReLU follows every layer but two: the code is linear, so that it may take any value, and the output is a sigmoid.
    Images `(N, sizes[0])` in [0, 1] become codes `(N, sizes[-1])` and reconstructions `(N, sizes[0])` in (0, 1).

    Raises ValueError for fewer than two sizes. Source: Hinton and Salakhutdinov 2006, "Reducing the Dimensionality of
    Data with Neural Networks", here with ReLU and without their layer-by-layer pretraining.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        if len(sizes) < 2:
            raise ValueError(
                f"DeepAutoencoder needs at least the sizes of the image and of the code, got {tuple(sizes)}"
            )
        self.encoder = nn.Sequential(*_layers(sizes))
        self.decoder = nn.Sequential(*_layers(sizes[::-1]), nn.Sigmoid())

    def forward(self, images: Tensor) -> Tensor:
        """Return the reconstructions `(N, pixels)` of images `(N, pixels)`."""
        return self.decoder(self.encoder(images))

    def reconstruct(self, images: Tensor) -> Tensor:
        """Return the reconstructions `(N, pixels)`: what every model of `ae` answers under this name."""
        return self(images)

    def losses(self, images: Tensor) -> tuple[Tensor, Tensor | float]:
        """Return (reconstruction, 0.0) in nats per image: the code has no distribution, hence no divergence."""
        return losses.reconstruction(self(images), images), 0.0


def _layers(sizes: Sequence[int]) -> list[nn.Module]:
    """Linear layers from each size to the next, with ReLU between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return layers[:-1]
