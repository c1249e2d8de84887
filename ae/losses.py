"""What an autoencoder minimizes, in nats per image: the sum over pixels (or latents), the mean over images.

Sum and mean are not a matter of taste here. The two terms of a VAE's loss are parts of one log-probability of one image;
averaging the first over 784 pixels and the second over 20 latents would weigh them 39 to 1, and the codes would collapse.
"""

import math

from minigrad import Tensor
from minigrad.nn import functional as F

LOG_2PI = math.log(2 * math.pi)


def reconstruction(probabilities: Tensor, images: Tensor) -> Tensor:
    """Return the binary cross-entropy of images under the pixels' Bernoulli probabilities, in nats per image.

    `mean_n sum_i -(x_ni log p_ni + (1 - x_ni) log(1 - p_ni))`, both arguments `(N, pixels)` in [0, 1], the result 0-d.

    For black and white pixels this is the exact negative log-likelihood. For grey ones it is not: even a perfect copy
    costs the entropy of its greys (45.53 nats per image on MNIST's test set), so only differences between models count.

    Raises ValueError if the shapes differ, ArithmeticError if a probability is nan and RuntimeError if another value
    lies outside [0, 1].
    """
    try:
        return F.binary_cross_entropy(probabilities, images, reduction="sum") / len(images)
    except RuntimeError as error:
        if probabilities.isnan().any():
            raise ArithmeticError("the model's output is nan") from error
        raise


def bernoulli(logits: Tensor, images: Tensor) -> Tensor:
    """Return `reconstruction(sigmoid(logits), images)`, computed from the logits: exact however sure the model is.

    `mean_n sum_i log(1 + exp(a_ni)) - x_ni a_ni`, both arguments `(N, pixels)`, the result 0-d. A probability that
    rounds to 0 or 1 costs infinitely much if it is wrong, and its gradient is lost; a logit knows no such edge.

    Raises ValueError if the shapes differ.
    """
    return F.binary_cross_entropy_with_logits(logits, images, reduction="sum") / len(images)


def squared_error(reconstructions: Tensor, images: Tensor) -> Tensor:
    """Return `mean_n sum_i (y_ni - x_ni)^2`, both arguments `(N, pixels)`, the result 0-d.

    These are nats of a Gaussian of variance 1/2 around the reconstruction, less the constant `pixels / 2 * log(pi)`.
    """
    if reconstructions.shape != images.shape:
        raise ValueError(
            f"squared_error() needs two of one shape, got {tuple(reconstructions.shape)} and {tuple(images.shape)}"
        )
    return (reconstructions - images).square().sum() / len(images)


def kl(mu: Tensor, logvar: Tensor) -> Tensor:
    """Return the divergence KL(N(mu, exp(logvar)) || N(0, 1)) of the codes from their prior, in nats per image.

    `mean_n sum_j (mu_nj^2 + exp(logvar_nj) - 1 - logvar_nj) / 2`, both arguments `(N, latent)`, the result 0-d and never
    negative. Source: Kingma and Welling 2014, "Auto-Encoding Variational Bayes", appendix B.

    Raises ValueError if the shapes differ.
    """
    _one_shape(mu, logvar)
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum() / len(mu)


def kl_per_unit(mu: Tensor, logvar: Tensor) -> Tensor:
    """Return what each latent adds to `kl(mu, logvar)`: `(latent,)`, in nats, the mean over images.

    Raises ValueError if the shapes differ.
    """
    _one_shape(mu, logvar)
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).mean(0)


def _one_shape(mu: Tensor, logvar: Tensor) -> None:
    if mu.shape != logvar.shape:
        raise ValueError(
            f"kl() needs mu and logvar of one shape (N, latent), got {tuple(mu.shape)} and {tuple(logvar.shape)}"
        )


def log_normal(x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """Return log N(x; mu, exp(logvar)) of every element, in nats; the three arguments broadcast.

    `-((x - mu)^2 / exp(logvar) + logvar + log(2 pi)) / 2`
    """
    return -0.5 * ((x - mu).square() * (-logvar).exp() + logvar + LOG_2PI)


def log_standard_normal(x: Tensor) -> Tensor:
    """Return log N(x; 0, 1) of every element, in nats: `-(x^2 + log(2 pi)) / 2`."""
    return -0.5 * (x.square() + LOG_2PI)
