"""What an autoencoder minimizes, in nats per image: the sum over pixels (or latents), the mean over images.

Sum and mean are not a matter of taste here. The two terms of a VAE's loss are parts of one log-probability of one image;
averaging the first over 784 pixels and the second over 20 latents would weigh them 39 to 1, and the codes would collapse.
"""

from minigrad import Tensor
from minigrad.nn import functional as F


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


def kl(mu: Tensor, logvar: Tensor) -> Tensor:
    """Return the divergence KL(N(mu, exp(logvar)) || N(0, 1)) of the codes from their prior, in nats per image.

    `mean_n sum_j (mu_nj^2 + exp(logvar_nj) - 1 - logvar_nj) / 2`, both arguments `(N, latent)`, the result 0-d and never
    negative. Source: Kingma and Welling 2014, "Auto-Encoding Variational Bayes", appendix B.

    Raises ValueError if the shapes differ.
    """
    if mu.shape != logvar.shape:
        raise ValueError(
            f"kl() needs mu and logvar of one shape (N, latent), got {tuple(mu.shape)} and {tuple(logvar.shape)}"
        )
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum() / len(mu)
