"""Training runs with nothing wrong, on which no tool may raise an alarm."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

import minigrad as torch
from ae.models import MODELS, build
from minigrad import nn, optim


@dataclass
class Run:
    """A model, its optimizers, and a function that computes the loss of each for the next batch."""

    model: Any
    optimizers: Sequence[optim.Optimizer]
    objectives: Callable[[], Sequence[Any]]

    def train(self, steps: int = 5, after_backward: Callable[[], None] = lambda: None) -> float:
        """Take some steps; the last loss."""
        losses: Sequence[Any] = ()
        for _ in range(steps):
            losses = self.objectives()
            for loss, optimizer in zip(losses, self.optimizers, strict=True):
                optimizer.zero_grad()
                loss.backward()
                after_backward()
                optimizer.step()
        return losses[0].item()


ACTIVATIONS = [nn.ReLU, nn.Tanh, nn.Sigmoid, nn.ELU, nn.GELU, nn.SiLU, nn.LeakyReLU, nn.Softplus]
OPTIMIZERS: list[Callable[..., optim.Optimizer]] = [
    lambda p: optim.SGD(p, lr=0.05),
    lambda p: optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True),
    lambda p: optim.Adam(p, lr=3e-3),
    lambda p: optim.AdamW(p, lr=3e-3),
    lambda p: optim.RMSprop(p, lr=1e-3),
]


def autoencoder(name: str) -> Run:
    """A small model of each kind that there is."""
    torch.manual_seed(0)
    entry = MODELS[name]
    model = build(name, 16, () if entry.sizes == "flat" else (12,), 32 if entry.wide else 4)
    images, labels = torch.rand(32, 16), torch.randint(0, 10, (32,))

    def objectives() -> Sequence[Any]:
        rows = torch.randperm(32)[:16]
        return model.loss(images[rows], labels[rows]).objectives

    return Run(model, model.optimizers(1e-3), objectives)


def mlp(seed: int) -> tuple[nn.Module, optim.Optimizer, Callable[[], Any]]:
    """A random network of 1 to 4 hidden layers, with dropout, normalisation and a loss of one kind or another."""
    torch.manual_seed(seed)
    depth, width = 1 + seed % 4, 8 + seed % 9
    layers: list[nn.Module] = []
    size = 6
    for k in range(depth):
        layers.append(nn.Linear(size, width))
        if seed % 3 == 0:
            layers.append(nn.LayerNorm(width) if seed % 2 else nn.BatchNorm1d(width))
        layers.append(ACTIVATIONS[(seed + k) % len(ACTIVATIONS)]())
        if seed % 5 == 0:
            layers.append(nn.Dropout(0.2))
        size = width
    layers.append(nn.Linear(size, 3))
    model = nn.Sequential(*layers)
    x, classes = torch.randn(64, 6), torch.randint(0, 3, (64,))
    target = torch.randn(64, 3)
    criterion = [
        lambda y, k: nn.functional.cross_entropy(y, classes[k]),
        lambda y, k: nn.functional.mse_loss(y, target[k]),
        lambda y, k: nn.functional.binary_cross_entropy_with_logits(y, (target[k] > 0).float()),
        lambda y, k: -(torch.log_softmax(y, 1).gather(1, classes[k].unsqueeze(1))).mean(),
    ][seed % 4]

    def loss() -> Any:
        rows = torch.randperm(64)[:32]
        return criterion(model(x[rows]), rows)

    return model, OPTIMIZERS[seed % len(OPTIMIZERS)](model.parameters()), loss


def network(seed: int) -> Run:
    model, optimizer, loss = mlp(seed)
    return Run(model, [optimizer], lambda: [loss()])


def runs(count: int) -> list[Any]:
    """All autoencoders and so many networks, each as a function that makes it."""
    return [
        *(pytest.param(partial(autoencoder, name), id=name) for name in MODELS),
        *(pytest.param(partial(network, seed), id=f"network {seed}") for seed in range(count)),
    ]
