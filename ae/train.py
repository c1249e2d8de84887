"""Training: pass over the images in random order and step down the gradient, then measure on images never trained on.

Two random streams, both set by the seed: the default generator draws the parameters and then the codes' noise, a second
one shuffles. A run is thus the same on every machine up to float rounding, and so is a run on PyTorch.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import minigrad
from ae.data import Splits
from ae.models import Model, build
from minigrad import Tensor, optim


@dataclass(frozen=True)
class Config:
    """Everything a run depends on, besides the data's files and the libraries' versions.

    `options` are those of the model's own that differ from its defaults.
    """

    model: str
    data: str
    pixels: int
    hidden: tuple[int, ...]
    latent: int
    epochs: int
    batch_size: int
    lr: float
    seed: int
    options: Mapping[str, Any] = field(default_factory=dict)

    def build(self) -> Model:
        """Return the run's model as it stands before the first step; sets the default generator's seed."""
        minigrad.manual_seed(self.seed)
        return build(self.model, self.pixels, self.hidden, self.latent, **self.options)


@dataclass(frozen=True)
class Metrics:
    """One epoch in numbers; the losses are in nats per image.

    `train_loss` is the mean over the epoch, while the model still changed. The others are of the test set, after it:
    `test_loss` is what the model minimizes, `reconstruction + kl` for a VAE; `parts` are the loss's others, by name.
    """

    epoch: int
    train_loss: float
    test_loss: float
    reconstruction: float
    kl: float
    seconds: float
    parts: Mapping[str, float] = field(default_factory=dict)


def train(
    model: Model, splits: Splits, config: Config, after_batch: Callable[[], None] = lambda: None
) -> Iterator[Metrics]:
    """Train the model with its optimizers, in place, and yield the metrics after every epoch.

    Raises ArithmeticError if the loss is no longer finite.
    """
    train_images, test_images = minigrad.from_numpy(splits.train_images), minigrad.from_numpy(splits.test_images)
    train_labels, test_labels = minigrad.from_numpy(splits.train_labels), minigrad.from_numpy(splits.test_labels)
    shuffling = minigrad.Generator()
    shuffling.manual_seed(config.seed)
    optimizers = model.optimizers(config.lr)
    for epoch in range(1, config.epochs + 1):
        start = time.perf_counter()
        order = minigrad.randperm(len(train_images), generator=shuffling)
        try:
            rows = order.split(config.batch_size)
            train_loss = _step_through(model, train_images, train_labels, rows, optimizers, after_batch)
            parts = mean_loss(model, test_images, config.batch_size, test_labels)
        except ArithmeticError as error:
            advice = f"a learning rate (--lr) below {config.lr:g} usually helps"
            raise ArithmeticError(f"training broke down in epoch {epoch}: {error}; {advice}") from error
        seconds = round(time.perf_counter() - start, 3)
        test_loss, reconstruction, kl = (parts.pop(name) for name in ("total", "reconstruction", "kl"))
        yield Metrics(epoch, train_loss, test_loss, reconstruction, kl, seconds, parts)


def _step_through(
    model: Model,
    images: Tensor,
    labels: Tensor,
    rows: Sequence[Tensor],
    optimizers: Sequence[optim.Optimizer],
    after_batch: Callable[[], None],
) -> float:
    """Take one step of every optimizer for each batch of rows and return the mean loss of all images."""
    total = 0.0
    model.train()
    for batch in rows:
        loss = model.loss(images[batch], labels[batch])
        for objective, optimizer in zip(loss.objectives, optimizers, strict=True):
            optimizer.zero_grad()
            objective.backward()
            optimizer.step()
        total += _finite(loss.total) * len(batch) / len(images)
        after_batch()
    return total


def evaluate(model: Model, images: Tensor, batch_size: int, labels: Tensor | None = None) -> tuple[float, float]:
    """Return the mean (reconstruction, kl) over the images, in nats per image; a VAE draws one code for each image."""
    means = mean_loss(model, images, batch_size, labels)
    return means["reconstruction"], means["kl"]


def mean_loss(model: Model, images: Tensor, batch_size: int, labels: Tensor | None = None) -> dict[str, float]:
    """Return the mean over the images of the loss, as `total`, and of its parts, by name."""
    means: dict[str, float] = {}
    model.eval()
    with minigrad.no_grad():
        for start in range(0, len(images), batch_size):
            stop = min(start + batch_size, len(images))
            loss = model.loss(images[start:stop], None if labels is None else labels[start:stop])
            for name, value in {"total": loss.total, **loss.parts}.items():
                means[name] = means.get(name, 0.0) + _finite(value) * (stop - start) / len(images)
    return means


def _finite(loss: Tensor | float) -> float:
    """Return a loss as a number, or raise ArithmeticError if it is infinite or nan."""
    value = loss.item() if isinstance(loss, Tensor) else loss
    if not math.isfinite(value):
        raise ArithmeticError(f"the loss is {value}")
    return value


def batches(splits: Splits, config: Config) -> int:
    """Return the number of steps of a whole run."""
    return config.epochs * math.ceil(len(splits.train_images) / config.batch_size)
