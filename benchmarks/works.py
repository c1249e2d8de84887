"""Five training steps, each written once for minigrad and for PyTorch: zero_grad, forward, loss, backward, step, item.

A work is a function that gets the package (`minigrad` or `torch`) and returns a function that takes one such step.
"""

from collections.abc import Callable
from types import ModuleType

Step = Callable[[], float]


def tutorial(torch: ModuleType) -> Step:
    """The first autoencoder, 25-10-25, on one image, by plain gradient descent."""
    nn, functional = torch.nn, torch.nn.functional
    model = nn.Sequential(nn.Linear(25, 10), nn.ReLU(), nn.Linear(10, 25), nn.Sigmoid())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    image = (torch.rand(1, 25) > 0.5).to(torch.float32)

    def step() -> float:
        optimizer.zero_grad()
        loss = functional.binary_cross_entropy(model(image), image)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def vae_mnist(torch: ModuleType) -> Step:
    """The VAE 784-400-20 on 128 images of MNIST's size."""
    return _vae(torch, 784, 400, 20, batch=128)


def vae_digits(torch: ModuleType) -> Step:
    """The VAE 64-32-8 on 32 images of the bundled digits' size."""
    return _vae(torch, 64, 32, 8, batch=32)


def _vae(torch: ModuleType, pixels: int, hidden: int, latent: int, batch: int) -> Step:
    nn, functional = torch.nn, torch.nn.functional
    encoder, mean, log_variance = nn.Linear(pixels, hidden), nn.Linear(hidden, latent), nn.Linear(hidden, latent)
    decoder, output = nn.Linear(latent, hidden), nn.Linear(hidden, pixels)
    model = nn.ModuleList([encoder, mean, log_variance, decoder, output])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    images = torch.rand(batch, pixels)

    def step() -> float:
        optimizer.zero_grad()
        features = functional.relu(encoder(images))
        mu, logvar = mean(features), log_variance(features)
        deviation = (0.5 * logvar).exp()
        codes = mu + deviation * torch.randn_like(deviation)
        copies = output(functional.relu(decoder(codes))).sigmoid()
        reconstruction = functional.binary_cross_entropy(copies, images, reduction="sum")
        kl = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum()
        loss = (reconstruction + kl) / batch
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def deep(torch: ModuleType) -> Step:
    """Twelve layers of 256 with tanh, on 64 rows."""
    layers: list = []
    for _ in range(12):
        layers += [torch.nn.Linear(256, 256), torch.nn.Tanh()]
    return _regression(torch, torch.nn.Sequential(*layers), torch.rand(64, 256))


def wide(torch: ModuleType) -> Step:
    """The autoencoder 2048-2048-2048 with ReLU, on 256 rows: almost only matrix products."""
    nn = torch.nn
    model = nn.Sequential(nn.Linear(2048, 2048), nn.ReLU(), nn.Linear(2048, 2048))
    return _regression(torch, model, torch.rand(256, 2048))


def _regression(torch: ModuleType, model, rows) -> Step:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def step() -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(rows), rows)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


WORKS = {
    "25-10-25 AE, batch 1, SGD": tutorial,
    "VAE 784-400-20, batch 128, Adam": vae_mnist,
    "VAE 64-32-8, batch 32, Adam": vae_digits,
    "12 x Linear(256) + tanh, batch 64, Adam": deep,
    "2048-2048-2048 AE, batch 256, Adam": wide,
}
