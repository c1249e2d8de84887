"""Training steps, each written once for minigrad and for PyTorch: zero_grad, forward, loss, backward, step, item.

A program gets the package, which is `minigrad` or `torch`, the arrays to start from, and `compile`, which is the
package's own or leaves the function as it is. It returns the function that takes one step.
"""

import itertools
from collections.abc import Callable
from typing import Any

from benchmarks.catalogue import SEED
from benchmarks.engines.backend import Arrays, Step, weights

Compile = Callable[[Callable], Callable]


def tutorial(torch: Any, compile: Compile, arrays: Arrays, pixels: int, hidden: int, own_draws: bool) -> Step:
    """The first autoencoder, on one image, by plain gradient descent."""
    nn, functional = torch.nn, torch.nn.functional
    model = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid())
    load(torch, model, arrays)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    image = torch.from_numpy(arrays["image"])

    @compile
    def step() -> Any:
        optimizer.zero_grad()
        loss = functional.binary_cross_entropy(model(image), image)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return lambda: step().item()


def mlp(
    torch: Any,
    compile: Compile,
    arrays: Arrays,
    widths: list[int],
    batch: int,
    activation: str,
    activate_last: bool,
    own_draws: bool,
) -> Step:
    """A stack of linear layers that learns to copy its input, with Adam."""
    nn, functional = torch.nn, torch.nn.functional
    layers: list = []
    for inputs, outputs in itertools.pairwise(widths):
        layers += [nn.Linear(inputs, outputs), getattr(nn, activation)()]
    model = nn.Sequential(*(layers if activate_last else layers[:-1]))
    load(torch, model, arrays)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    rows = torch.from_numpy(arrays["rows"])

    @compile
    def step() -> Any:
        optimizer.zero_grad()
        loss = functional.mse_loss(model(rows), rows)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return lambda: step().item()


def vae(
    torch: Any, compile: Compile, arrays: Arrays, pixels: int, hidden: int, latent: int, batch: int, own_draws: bool
) -> Step:
    """The VAE on one batch, over and over."""
    step = _vae_step(torch, compile, arrays, pixels, hidden, latent)
    images = torch.from_numpy(arrays["images"])
    torch.manual_seed(SEED)
    return lambda: step(images).item()


def epoch(
    torch: Any,
    compile: Compile,
    arrays: Arrays,
    pixels: int,
    hidden: int,
    latent: int,
    batch: int,
    images: int,
    own_draws: bool,
) -> Step:
    """The VAE on all images in random order; the result is the mean loss of the batches."""
    step = _vae_step(torch, compile, arrays, pixels, hidden, latent)
    data = torch.utils.data.TensorDataset(torch.from_numpy(arrays["images"]))
    loader = torch.utils.data.DataLoader(data, batch_size=batch, shuffle=True)
    torch.manual_seed(SEED)

    def run() -> float:
        losses = [step(rows).item() for (rows,) in loader]
        return sum(losses) / len(losses)

    return run


def _vae_step(torch: Any, compile: Compile, arrays: Arrays, pixels: int, hidden: int, latent: int) -> Callable:
    nn, functional = torch.nn, torch.nn.functional
    encoder, mean, log_variance = nn.Linear(pixels, hidden), nn.Linear(hidden, latent), nn.Linear(hidden, latent)
    decoder, output = nn.Linear(latent, hidden), nn.Linear(hidden, pixels)
    model = nn.ModuleList([encoder, mean, log_variance, decoder, output])
    load(torch, model, arrays)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    @compile
    def step(images: Any) -> Any:
        optimizer.zero_grad()
        features = functional.relu(encoder(images))
        mu, logvar = mean(features), log_variance(features)
        deviation = (0.5 * logvar).exp()
        codes = mu + deviation * torch.randn_like(deviation)
        copies = output(functional.relu(decoder(codes))).sigmoid()
        reconstruction = functional.binary_cross_entropy(copies, images, reduction="sum")
        kl = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum()
        loss = (reconstruction + kl) / images.shape[0]
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def load(torch: Any, model: Any, arrays: Arrays) -> None:
    """Set a model's parameters to the initial weights of the work."""
    with torch.no_grad():
        for parameter, array in zip(model.parameters(), weights(arrays), strict=True):
            parameter.copy_(torch.from_numpy(array))
