"""The importance-weighted autoencoder: the VAE's networks with a better bound, from several codes per image.

A VAE asks that every code drawn explains the image. Here k codes share the work: the mean of their weights p(x, z) /
q(z | x) estimates p(x), and the log of the estimate is closer to log p(x) the larger k is. k = 1 is the VAE.
"""

import math
from collections.abc import Sequence
from typing import Any

from ae.models.base import Loss, check_range
from ae.models.vae import VAE
from minigrad import Tensor


class IWAE(VAE):
    """Maximizes `E log (1/k) sum_i p(x, z_i) / q(z_i | x)`, with k codes z_i drawn from q for each image.

    Source: Burda, Grosse and Salakhutdinov 2016, "Importance Weighted Autoencoders", equation 8. Its
    gradient weighs each code's by `w_i / sum w`, which autograd finds by itself.
    """

    def __init__(self, pixels: int, hidden: int | Sequence[int], latent: int, *, k: int = 5, **others: Any) -> None:
        super().__init__(pixels, hidden, latent, **others)
        check_range("k", k, 1)
        self.k = k

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the negative bound of k codes; its parts are the means over the codes, whose sum is the VAE's bound."""
        log_likelihood, log_prior, log_q = self.terms(images, self.k)
        bound = importance_bound(log_likelihood + log_prior - log_q).mean()
        return Loss(-bound, reconstruction=-log_likelihood.mean(), kl=(log_q - log_prior).mean())


def importance_bound(log_weights: Tensor) -> Tensor:
    """Return `log (1/k) sum_i w_i` of each image `(N,)` from log w `(k, N)`, without leaving the logarithm."""
    return log_weights.logsumexp(0) - math.log(len(log_weights))
