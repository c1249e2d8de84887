"""What every autoencoder answers, so that one trainer, one evaluation and one report serve them all.

A model with an `encoder` and a `decoder` whose outputs are logits is complete; what it does in another way, it says by
overriding one of the methods of `Model`. ae/README.md builds one in twenty lines.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ae import losses
from minigrad import Tensor, nn, optim


class Loss:
    """What a batch costs: `total` is minimized, the named `parts` are reported; all are 0-d.

    `parts` always has `reconstruction` and `kl`, in nats per image and not weighted, so that runs which weigh them in
    different ways can be compared; whatever else makes up the total follows under its own name. A second player's
    loss, if there is one, is `adversary`: see `Model.optimizers`.
    """

    def __init__(
        self,
        total: Tensor,
        *,
        reconstruction: Tensor,
        kl: Tensor | float = 0.0,
        adversary: Tensor | None = None,
        **others: Tensor | float,
    ) -> None:
        self.total = total
        self.parts: dict[str, Tensor | float] = {"reconstruction": reconstruction, "kl": kl, **others}
        self.objectives: tuple[Tensor, ...] = (total,)
        if adversary is not None:
            self.parts["adversary"] = adversary
            self.objectives = (total, adversary)


class Model(nn.Module):
    """An autoencoder of images `(N, pixels)` in [0, 1] with codes `(N, latent)`.

    A subclass sets `encoder` and `decoder` or overrides `encode` and `outputs`. `generates` is True of models whose
    codes have a prior distribution, from which `sample` draws.
    """

    generates = False
    encoder: nn.Module
    decoder: nn.Module

    def encode(self, images: Tensor) -> Any:
        """Return the codes of images, or the numbers their distribution is made of."""
        return self.encoder(images)

    def outputs(self, codes: Tensor) -> Tensor:
        """Return what the decoder says of the pixels `(N, pixels)` given codes: logits."""
        return self.decoder(codes)

    def decode(self, codes: Tensor) -> Tensor:
        """Return the pixels' probabilities `(N, pixels)` given codes."""
        return self.outputs(codes).sigmoid()

    def forward(self, images: Tensor) -> Any:
        """Return the reconstructions `(N, pixels)`, and what else the model's own forward says."""
        return self.decode(self.encode(images))

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return what a batch costs; the labels `(N,)` are for models that know classes."""
        reconstruction = losses.bernoulli(self.outputs(self.encode(images)), images)
        return Loss(reconstruction, reconstruction=reconstruction)

    def sample(self, count: int) -> Tensor:
        """Return `count` new images `(count, pixels)`, decoded from codes drawn from the prior.

        Raises RuntimeError if the codes have none.
        """
        raise RuntimeError(
            f"{type(self).__name__} cannot sample, for its codes have no prior: fit a distribution to embed(images), "
            f"draw codes from it and decode() them"
        )

    def embed(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return one point `(N, latent)` for each image, without noise: what a probe or a scatter plot takes."""
        return self.encode(images)

    def reconstruct(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the reconstructions `(N, pixels)` of images, without noise."""
        return self.decode(self.embed(images))

    def losses(self, images: Tensor, labels: Tensor | None = None) -> tuple[Tensor | float, Tensor | float]:
        """Return the two parts that every loss has, (reconstruction, kl), in nats per image."""
        parts = self.loss(images, labels).parts
        return parts["reconstruction"], parts["kl"]

    def optimizers(self, lr: float) -> list[optim.Optimizer]:
        """Return an optimizer for each of `loss(...).objectives`: Adam on all parameters, unless a model says else."""
        return [optim.Adam(self.parameters(), lr=lr)]


ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def stack(sizes: Sequence[int], activation: str = "relu") -> nn.Module:
    """Return linear layers from each size to the next with an activation between them, none behind the last.

    One layer is returned as it is, so that its parameters are called `weight` and `bias`. Raises ValueError for fewer
    than two sizes or an unknown activation.
    """
    if len(sizes) < 2:
        raise ValueError(f"stack() needs at least the sizes of input and output, got {tuple(sizes)}")
    between = one_of(ACTIVATIONS, activation, "activation")
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), between()]
    layers.pop()
    return layers[0] if len(layers) == 1 else nn.Sequential(*layers)


def one_of(table: dict[str, Any], name: str, what: str) -> Any:
    """Return the table's entry of that name. Raises ValueError, naming the others, if there is none."""
    if name not in table:
        raise ValueError(f"unknown {what} {name!r}; there are {', '.join(table)}")
    return table[name]


def check_range(name: str, value: float, low: float, high: float = math.inf) -> None:
    """Raise ValueError unless the number is finite and `low <= value <= high`."""
    if not (low <= value <= high and math.isfinite(value)):
        if low == -math.inf:
            bound = f"up to {high:g}"
        else:
            bound = f"from {low:g} to {high:g}" if high < math.inf else f"of at least {low:g}"
        raise ValueError(f"{name} needs a number {bound}, got {value:g}")
