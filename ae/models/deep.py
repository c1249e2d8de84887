"""The autoencoder with layers before and behind the code, so that the code need not be linear in the pixels."""

from collections.abc import Sequence
from itertools import pairwise

import minigrad
from ae.models.autoencoder import cross_entropy
from ae.models.base import Loss, Model
from minigrad import Tensor, nn
from minigrad.nn import functional as F


class DeepAutoencoder(Model):
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

    def decode(self, codes: Tensor) -> Tensor:
        """Return the reconstructions `(N, pixels)` of codes `(N, latent)`."""
        return self.decoder(codes)

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the cross-entropy of the reconstructions: the code has no distribution, hence no KL."""
        return cross_entropy(self, images)


class TiedAutoencoder(Model):
    """The deep autoencoder whose decoder uses the encoder's weights, transposed: half the numbers to learn.

    `code = W2 relu(W1 x + b1) + b2`, `logits = W1^T relu(W2^T code + c2) + c1`. A weight's gradient is the sum of what
    its two uses send. Source: Hinton and Salakhutdinov 2006, figure 1 (unrolling), and Vincent et al. 2010, "Stacked
    Denoising Autoencoders", section 2.2.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        if len(sizes) < 2:
            raise ValueError(
                f"TiedAutoencoder needs at least the sizes of the image and of the code, got {tuple(sizes)}"
            )
        self.encoder = nn.Sequential(*_layers(sizes))
        self.biases = nn.ParameterList([nn.Parameter(minigrad.zeros(size)) for size in sizes[-2::-1]])

    def outputs(self, codes: Tensor) -> Tensor:
        """Return the logits `(N, pixels)` of codes `(N, latent)`."""
        weights = [parameter for parameter in self.encoder.parameters() if parameter.dim() == 2]
        last = len(weights) - 1
        for i, (weight, bias) in enumerate(zip(reversed(weights), self.biases, strict=True)):
            codes = F.linear(codes, weight.t(), bias)
            if i < last:
                codes = F.relu(codes)
        return codes

    def decode(self, codes: Tensor) -> Tensor:
        """Return the reconstructions `(N, pixels)` of codes `(N, latent)`."""
        return self.outputs(codes).sigmoid()


def _layers(sizes: Sequence[int]) -> list[nn.Module]:
    """Linear layers from each size to the next, with ReLU between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return layers[:-1]
