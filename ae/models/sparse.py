"""Sparse autoencoders: a code may be larger than the image, as long as few of its numbers speak at a time.

Four ways to ask for it: a price on every activation (L1), a target for how often a unit is active (KL), the k strongest
units of an image and no others (k-sparse), or of a unit its strongest images of the batch and no others (lifetime).
"""

from ae import losses
from ae.models.base import Loss, Model, check_range
from minigrad import Tensor, nn


class L1Sparse(Model):
    """A ReLU code whose activations cost `weight` nats each: `reconstruction + weight * mean_n sum_j |h_nj|`.

    Source: Goodfellow, Bengio and Courville 2016, "Deep Learning", equation 14.2 and section 14.2.1: a
    Laplace prior on the codes.
    """

    def __init__(self, pixels: int = 25, latent: int = 50, *, weight: float = 0.1) -> None:
        super().__init__()
        check_range("weight", weight, 0)
        self.weight = weight
        self.encoder = nn.Sequential(nn.Linear(pixels, latent), nn.ReLU())
        self.decoder = nn.Linear(latent, pixels)

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the reconstruction's cost and, as `l1`, the codes' sum of magnitudes, the mean over images."""
        codes = self.encode(images)
        reconstruction = losses.bernoulli(self.outputs(codes), images)
        l1 = codes.abs().sum() / len(images)
        return Loss(reconstruction + self.weight * l1, reconstruction=reconstruction, l1=l1)


class KLSparse(Model):
    """A sigmoid code whose units should be active `target` of the time, by the batch's mean activation `r_j`.

    `reconstruction + weight * sum_j KL(target || r_j)`, the KL of two coins:
    `t log(t / r) + (1 - t) log((1 - t) / (1 - r))`. Source: Ng 2011, "Sparse autoencoder" (CS294A lecture notes),
    section 3, there with the squared error.
    """

    def __init__(self, pixels: int = 25, latent: int = 50, *, target: float = 0.05, weight: float = 1.0) -> None:
        super().__init__()
        if not 0 < target < 1:
            raise ValueError(f"target needs a number between 0 and 1, the share of images a unit likes, got {target:g}")
        check_range("weight", weight, 0)
        self.target, self.weight = target, weight
        self.encoder = nn.Sequential(nn.Linear(pixels, latent), nn.Sigmoid())
        self.decoder = nn.Linear(latent, pixels)

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the reconstruction's cost and, as `sparsity`, the units' divergence from the target."""
        codes = self.encode(images)
        reconstruction = losses.bernoulli(self.outputs(codes), images)
        sparsity = kl_of_coins(self.target, codes.mean(0)).sum()
        return Loss(reconstruction + self.weight * sparsity, reconstruction=reconstruction, sparsity=sparsity)


def kl_of_coins(target: float, rate: Tensor) -> Tensor:
    """Return KL(Bernoulli(target) || Bernoulli(rate)) of every element, in nats: 0 where rate is target."""
    return target * (target / rate).log() + (1 - target) * ((1 - target) / (1 - rate)).log()


class KSparse(Model):
    """A linear code of which only the k largest numbers of each image survive; the rest are 0 and get no gradient.

    The choice of units is the only nonlinearity. Source: Makhzani and Frey 2014, "k-Sparse Autoencoders", section 2.1;
    like them, `test_factor` times as many units may speak in evaluation, here 1 by default.
    """

    def __init__(self, pixels: int = 25, latent: int = 50, *, k: int = 8, test_factor: float = 1.0) -> None:
        super().__init__()
        check_range("k", k, 1, latent)
        check_range("test_factor", test_factor, 1)
        self.k, self.test_factor = k, test_factor
        self.latent = latent
        self.encoder = nn.Linear(pixels, latent)
        self.decoder = nn.Linear(latent, pixels)

    def encode(self, images: Tensor) -> Tensor:
        """Return codes `(N, latent)` with k numbers other than 0 in each."""
        kept = self.k if self.training else min(round(self.k * self.test_factor), self.latent)
        return keep_largest(self.encoder(images), kept, dim=1)


class LifetimeSparse(Model):
    """A ReLU code of which each unit keeps its largest activations in the batch, a share of `rate`.

    Every unit wins as often as every other, so none dies. Winners are chosen among the images given together, in `loss`,
    `forward` and `reconstruct`; `encode` and `embed`, the features for others to use, cut nothing off.
    Source: Makhzani and Frey 2015, "Winner-Take-All Autoencoders", section 2 (fully connected, lifetime sparsity).
    """

    def __init__(self, pixels: int = 25, latent: int = 50, *, rate: float = 0.1) -> None:
        super().__init__()
        if not 0 < rate <= 1:
            raise ValueError(f"rate needs a number above 0 and up to 1, the share of images a unit keeps, got {rate:g}")
        self.rate = rate
        self.encoder = nn.Sequential(nn.Linear(pixels, latent), nn.ReLU())
        self.decoder = nn.Linear(latent, pixels)

    def winners(self, images: Tensor) -> Tensor:
        """Return codes `(N, latent)` of which every column keeps its largest numbers, one at least."""
        return keep_largest(self.encode(images), max(1, round(self.rate * len(images))), dim=0)

    def forward(self, images: Tensor) -> Tensor:
        """Return the reconstructions `(N, pixels)` from the winners."""
        return self.decode(self.winners(images))

    def reconstruct(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the reconstructions `(N, pixels)` from the winners."""
        return self(images)

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the cost of reconstructions from the winners."""
        reconstruction = losses.bernoulli(self.outputs(self.winners(images)), images)
        return Loss(reconstruction, reconstruction=reconstruction)


def keep_largest(codes: Tensor, count: int, dim: int) -> Tensor:
    """Return the codes with all but the `count` largest along `dim` set to 0.

    Which they are is a choice, not a function with a slope: the gradient passes through those kept as through a copy.
    """
    winners = codes.detach().topk(count, dim=dim).indices
    return codes.new_zeros(codes.shape).scatter_add(dim, winners, codes.gather(dim, winners))
