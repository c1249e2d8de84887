"""Training: pass over the images in random order and step down the gradient, then measure on images never trained on.

Two random streams, both set by the seed: the default generator draws the parameters and then the codes' noise, a second
one shuffles. A run is thus the same on every machine up to float rounding, and so is a run on PyTorch.
"""

import math
import time
from collections.abc import Callable, Iterator
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
        train_loss = 0.0
        model.train()
        for rows in order.split(config.batch_size):
            reconstruction, kl = model.losses(train_images[rows])
            loss = reconstruction + kl
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            train_loss += loss.item() * len(rows) / len(order)
            after_batch()
        test_reconstruction, test_kl = evaluate(model, test_images, config.batch_size)
        test_loss = test_reconstruction + test_kl
        if not math.isfinite(train_loss + test_loss):
            raise ArithmeticError(
                f"the loss is no longer finite in epoch {epoch}: {train_loss} in training, {test_loss} on the test set; "
                f"a learning rate below {config.lr:g} (--lr) usually helps"
            )
        seconds = time.perf_counter() - start
        yield Metrics(epoch, train_loss, test_loss, test_reconstruction, test_kl, round(seconds, 3))


def evaluate(model: Model, images: Tensor, batch_size: int) -> tuple[float, float]:
    """Return the mean (reconstruction, kl) over the images, in nats per image; a VAE draws one code for each image."""
    reconstruction, kl = 0.0, 0.0
    model.eval()
    with minigrad.no_grad():
        for batch in images.split(batch_size):
            batch_reconstruction, batch_kl = model.losses(batch)
            reconstruction += float(batch_reconstruction) * len(batch) / len(images)
            kl += float(batch_kl) * len(batch) / len(images)
    return reconstruction, kl


def batches(splits: Splits, config: Config) -> int:
    """Return the number of steps of a whole run."""
    return config.epochs * math.ceil(len(splits.train_images) / config.batch_size)
