"""Training: pass over the images in random order and step down the gradient, then measure on images never trained on.

Two random streams, both set by the seed: the default generator draws the parameters and then the codes' noise, a second
one shuffles. A run is thus the same on every machine up to float rounding, and so is a run on PyTorch.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import minigrad
from ae.data import Splits
from ae.models import Model, build
from minigrad import Tensor, optim


@dataclass(frozen=True)
class Config:
    """Everything a run depends on, besides the data's files and the libraries' versions."""

    model: str
    data: str
    pixels: int
    hidden: tuple[int, ...]
    latent: int
    epochs: int
    batch_size: int
    lr: float
    seed: int

    def build(self) -> Model:
        """Return the run's model as it stands before the first step; sets the default generator's seed."""
        minigrad.manual_seed(self.seed)
        return build(self.model, self.pixels, self.hidden, self.latent)


@dataclass(frozen=True)
class Metrics:
    """One epoch in numbers; the losses are in nats per image.

    `train_loss` is the mean over the epoch, while the model still changed. The others are of the test set, after it:
    `test_loss = reconstruction + kl`.
    """

    epoch: int
    train_loss: float
    test_loss: float
    reconstruction: float
    kl: float
    seconds: float


def train(
    model: Model, splits: Splits, config: Config, after_batch: Callable[[], None] = lambda: None
) -> Iterator[Metrics]:
    """Train the model with Adam, in place, and yield the metrics after every epoch.

    Raises ArithmeticError if the loss is no longer finite.
    """
    train_images, test_images = minigrad.from_numpy(splits.train_images), minigrad.from_numpy(splits.test_images)
    shuffling = minigrad.Generator()
    shuffling.manual_seed(config.seed)
    optimizer = optim.Adam(model.parameters(), lr=config.lr)
    for epoch in range(1, config.epochs + 1):
        start = time.perf_counter()
        order = minigrad.randperm(len(train_images), generator=shuffling)
        try:
            train_loss = _step_through(model, train_images, order.split(config.batch_size), optimizer, after_batch)
            reconstruction, kl = evaluate(model, test_images, config.batch_size)
        except ArithmeticError as error:
            advice = f"a learning rate (--lr) below {config.lr:g} usually helps"
            raise ArithmeticError(f"training broke down in epoch {epoch}: {error}; {advice}") from error
        yield Metrics(epoch, train_loss, reconstruction + kl, reconstruction, kl, round(time.perf_counter() - start, 3))


def _step_through(
    model: Model, images: Tensor, rows: Sequence[Tensor], optimizer: optim.Optimizer, after_batch: Callable[[], None]
) -> float:
    """Take one step for each batch of rows and return the mean loss of all images."""
    total = 0.0
    model.train()
    for batch in rows:
        reconstruction, kl = model.losses(images[batch])
        loss = reconstruction + kl
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += _finite(loss) * len(batch) / len(images)
        after_batch()
    return total


def evaluate(model: Model, images: Tensor, batch_size: int) -> tuple[float, float]:
    """Return the mean (reconstruction, kl) over the images, in nats per image; a VAE draws one code for each image."""
    reconstruction, kl = 0.0, 0.0
    model.eval()
    with minigrad.no_grad():
        for batch in images.split(batch_size):
            batch_reconstruction, batch_kl = model.losses(batch)
            reconstruction += _finite(batch_reconstruction) * len(batch) / len(images)
            kl += _finite(batch_kl) * len(batch) / len(images)
    return reconstruction, kl


def _finite(loss: Tensor | float) -> float:
    """Return a loss as a number, or raise ArithmeticError if it is infinite or nan."""
    value = loss.item() if isinstance(loss, Tensor) else loss
    if not math.isfinite(value):
        raise ArithmeticError(f"the loss is {value}")
    return value


def batches(splits: Splits, config: Config) -> int:
    """Return the number of steps of a whole run."""
    return config.epochs * math.ceil(len(splits.train_images) / config.batch_size)
