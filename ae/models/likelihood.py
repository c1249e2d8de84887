"""What a decoder's outputs mean: the distribution p(x | z) of the pixels, which makes reconstruction a probability.

`nll` is the reconstruction loss of a batch; `log_prob` keeps the images apart, for any number of codes per image.
"""

import math

import minigrad
from ae import losses
from minigrad import Tensor, nn
from minigrad.nn import functional as F


class Bernoulli(nn.Module):
    """Every pixel is black or white; the outputs are logits of the probability of white.

    Of grey pixels it is a loss, not a likelihood: see `ae.losses.reconstruction`.
    Source: Kingma and Welling 2014, "Auto-Encoding Variational Bayes", appendix C.1.
    """

    def mean(self, outputs: Tensor) -> Tensor:
        """Return the probabilities, `(..., pixels)` as the outputs."""
        return outputs.sigmoid()

    def nll(self, outputs: Tensor, images: Tensor) -> Tensor:
        """Return -log p(images | outputs) in nats per image; both `(N, pixels)`, the result 0-d."""
        return losses.bernoulli(outputs, images)

    def log_prob(self, outputs: Tensor, images: Tensor) -> Tensor:
        """Return log p of each image `(..., N)`, in nats, given outputs `(..., N, pixels)` and images `(N, pixels)`."""
        targets = images.expand_as(outputs)
        return -F.binary_cross_entropy_with_logits(outputs, targets, reduction="none").sum(-1)


class Gaussian(nn.Module):
    """Every pixel is Gaussian around `sigmoid(outputs)`, with one variance for all that is learned with the rest.

    Learning it sets the balance of reconstruction and KL by likelihood, which a fixed variance sets by hand. The density
    may exceed 1, so the loss may fall below 0. Source: Rybkin, Daniilidis and Levine 2021, "Simple and Effective VAE
    Training with Calibrated Decoders".
    """

    def __init__(self) -> None:
        super().__init__()
        self.logvar = nn.Parameter(minigrad.full((), math.log(0.1)))  # of pixels in [0, 1]: 1/4 at most

    def mean(self, outputs: Tensor) -> Tensor:
        """Return the means, in (0, 1), `(..., pixels)` as the outputs."""
        return outputs.sigmoid()

    def nll(self, outputs: Tensor, images: Tensor) -> Tensor:
        """Return -log p(images | outputs) in nats per image; both `(N, pixels)`, the result 0-d."""
        return -self.log_prob(outputs, images).mean()

    def log_prob(self, outputs: Tensor, images: Tensor) -> Tensor:
        """Return log p of each image `(..., N)`, in nats, given outputs `(..., N, pixels)` and images `(N, pixels)`."""
        return losses.log_normal(images, self.mean(outputs), self.logvar).sum(-1)


LIKELIHOODS = {"bernoulli": Bernoulli, "gaussian": Gaussian}
