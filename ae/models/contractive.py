"""The contractive autoencoder: a code that barely moves when the image does, except where images really differ.

The price is on the encoder's Jacobian J = dh/dx, as its squared Frobenius norm `sum_ji (dh_j / dx_i)^2`. For one sigmoid
layer it has a closed form; for any other encoder it takes a gradient of a gradient, which autograd gives.
"""

from collections.abc import Callable, Sequence

import minigrad
from ae import losses
from ae.models.base import Loss, Model, check_range, stack
from minigrad import Tensor, nn


class ContractiveAutoencoder(Model):
    """One sigmoid layer in, one layer out, and the price in closed form: `reconstruction + weight * mean_n |J_n|^2`.

    `h = sigmoid(W x + b)` has `dh_j / dx_i = h_j (1 - h_j) W_ji`, hence `|J|^2 = sum_j (h_j (1 - h_j))^2 sum_i W_ji^2`.
    Source: Rifai et al. 2011, "Contractive Auto-Encoders: Explicit Invariance During Feature Extraction", equation 1
    and its closed form for a sigmoid layer; there with tied weights.
    """

    def __init__(self, pixels: int = 25, latent: int = 50, *, weight: float = 0.1) -> None:
        super().__init__()
        check_range("weight", weight, 0)
        self.weight = weight
        self.encoder = nn.Linear(pixels, latent)
        self.decoder = nn.Linear(latent, pixels)

    def encode(self, images: Tensor) -> Tensor:
        """Return the codes `(N, latent)`, in (0, 1)."""
        return self.encoder(images).sigmoid()

    def contraction(self, images: Tensor) -> Tensor:
        """Return `|J|^2`, the mean over images, 0-d."""
        return self._price(self.encode(images))

    def _price(self, codes: Tensor) -> Tensor:
        slopes = codes * (1 - codes)
        return (slopes.square() @ self.encoder.weight.square().sum(1)).mean()

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the reconstruction's cost and, as `contraction`, the Jacobian's squared norm."""
        codes = self.encode(images)
        reconstruction, contraction = losses.bernoulli(self.outputs(codes), images), self._price(codes)
        return Loss(reconstruction + self.weight * contraction, reconstruction=reconstruction, contraction=contraction)


class DeepContractive(Model):
    """The contractive autoencoder of any depth, its price by double backward; the code is a sigmoid's.

    Source: Rifai et al. 2011, equation 1; Rifai et al. 2011, "Higher Order Contractive Auto-Encoder", for why deeper.
    """

    def __init__(self, pixels: int, hidden: Sequence[int], latent: int, *, weight: float = 0.1) -> None:
        super().__init__()
        check_range("weight", weight, 0)
        self.weight = weight
        self.encoder = nn.Sequential(stack((pixels, *hidden, latent), "sigmoid"), nn.Sigmoid())
        self.decoder = stack((latent, *hidden[::-1], pixels), "sigmoid")

    def contraction(self, images: Tensor) -> Tensor:
        """Return `|J|^2`, the mean over images, 0-d."""
        return jacobian_norm(self.encode, images)[1]

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the reconstruction's cost and, as `contraction`, the Jacobian's squared norm."""
        codes, contraction = jacobian_norm(self.encode, images)
        reconstruction = losses.bernoulli(self.outputs(codes), images)
        return Loss(reconstruction + self.weight * contraction, reconstruction=reconstruction, contraction=contraction)


def jacobian_norm(encode: Callable[[Tensor], Tensor], images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the codes `(N, latent)` and the mean over images of `sum_ji (dh_j / dx_i)^2`, both differentiable.

    An image's code depends on no other image, so one backward pass from the sum of h_j over images gives row j of every
    image's Jacobian; `create_graph` keeps the pass differentiable. Without a recorded graph, as in evaluation, it
    records one of its own.
    """
    recording = minigrad.is_grad_enabled()
    with minigrad.enable_grad():
        images = images.detach().requires_grad_()
        codes = encode(images)
        norm = images.new_zeros(())
        for code in codes.unbind(1):
            (row,) = minigrad.autograd.grad(code.sum(), images, create_graph=recording, retain_graph=True)
            norm = norm + row.square().sum()
    norm = norm / len(images)
    return (codes, norm) if recording else (codes.detach(), norm.detach())
