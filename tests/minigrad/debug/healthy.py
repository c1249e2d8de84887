"""Training runs with nothing wrong, on which no tool may raise an alarm."""

from collections.abc import Callable, Iterator
from typing import Any

import minigrad as torch
from ae.models import VAE, Autoencoder, DeepAutoencoder
from minigrad import nn, optim

Step = tuple[nn.Module, optim.Optimizer, Callable[[], Any]]

ACTIVATIONS = [nn.ReLU, nn.Tanh, nn.Sigmoid, nn.ELU, nn.GELU, nn.SiLU, nn.LeakyReLU, nn.Softplus]
OPTIMIZERS: list[Callable[..., optim.Optimizer]] = [
    lambda p: optim.SGD(p, lr=0.05),
    lambda p: optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True),
    lambda p: optim.Adam(p, lr=3e-3),
    lambda p: optim.AdamW(p, lr=3e-3),
    lambda p: optim.RMSprop(p, lr=1e-3),
]


def autoencoders() -> Iterator[tuple[str, Callable[[], Step]]]:
    """Names, and functions that make a model, its optimizer and the loss of its next batch."""
    sizes = {
        "autoencoder": lambda: Autoencoder(16, 4),
        "deep": lambda: DeepAutoencoder((16, 12, 4)),
        "vae": lambda: VAE(16, 12, 3),
    }
    for name, make in sizes.items():
        yield name, lambda make=make: _autoencoder(make)


def _autoencoder(make: Callable[[], Any]) -> Step:
    torch.manual_seed(0)
    model = make()
    images = torch.rand(32, 16)

    def loss() -> Any:
        reconstruction, kl = model.losses(images[torch.randperm(32)[:16]])
        return reconstruction + kl

    return model, optim.Adam(model.parameters(), lr=1e-3), loss


def mlp(seed: int) -> Step:
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


def runs(count: int) -> list[Any]:
    """All autoencoders and so many networks, as parameters of a test."""
    return [*autoencoders(), *((f"mlp {seed}", lambda seed=seed: mlp(seed)) for seed in range(count))]


def train(step: Step, steps: int = 5) -> Any:
    """Some steps of training; the last loss."""
    _, optimizer, loss = step
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
    return value
