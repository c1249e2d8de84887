"""Training: pass over the images in random order and step down the gradient, then measure on images never trained on.

Two random streams, both set by the seed: the default generator draws the parameters and then the codes' noise, a second
one shuffles. A run is thus the same on every machine up to float rounding, and so is a run on PyTorch. `Training` holds
all that an epoch changes, so that a run can be written down between two epochs and taken up again, to the last bit.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import minigrad
from ae import schedules
from ae.config import Config, Metrics
from ae.data import Splits
from ae.models import VAE, Model
from minigrad import Tensor, nn, optim

__all__ = ["Callback", "Config", "Metrics", "Training", "batches", "evaluate", "mean_loss", "train"]


class Callback:
    """What wants to be told of a training's course; override what you want to hear of."""

    def after_batch(self, training: "Training") -> None:
        """Every optimizer has taken a step."""

    def after_epoch(self, training: "Training", metrics: Metrics) -> None:
        """An epoch was measured; `training.stop(reason)` makes it the last."""


class Training:
    """A model on its way: `run()` trains it, in place, from `epoch` to the last epoch of the configuration.

    `state()` and `load_state()`, between two epochs, carry everything that the next ones depend on. A `compiled` step
    leaves the same bits in less time.
    """

    def __init__(
        self,
        model: Model,
        splits: Splits,
        config: Config,
        callbacks: Sequence[Callback] = (),
        *,
        compiled: bool = True,
    ) -> None:
        self.model, self.config, self.callbacks = model, config, list(callbacks)
        self._step = minigrad.compile(step, disable=not compiled)
        classes = getattr(model, "classes", None)
        if classes is not None and classes <= (largest := int(splits.train_labels.max())):
            raise ValueError(
                f"{config.model} has {classes} classes, labels from 0 to {classes - 1}, but {splits.name} has labels up to "
                f"{largest}: give it {largest + 1}, as in --set classes={largest + 1}"
            )
        images, labels = minigrad.from_numpy(splits.train_images), minigrad.from_numpy(splits.train_labels)
        test = minigrad.from_numpy(splits.test_images), minigrad.from_numpy(splits.test_labels)
        if config.binarize == "threshold":
            images, test = (images > 0.5).float(), ((test[0] > 0.5).float(), test[1])
        self.test = test
        self.validation: tuple[Tensor, Tensor] | None = None
        if config.validation:
            kept, aside = validation_rows(len(images), config)
            self.validation = images[aside], labels[aside]
            images, labels = images[kept], labels[kept]
        self.images, self.labels = images, labels
        self.shuffling = minigrad.Generator()
        self.shuffling.manual_seed(config.seed)
        if config.mean_bias:
            if not isinstance(model, VAE):
                raise ValueError(
                    f"mean_bias is for VAEs and their relatives, {config.model} has no output of logits alone"
                )
            model.start_from(images.mean(0))
        self.optimizers = model.optimizers(config.lr)
        for optimizer in self.optimizers if config.eps is not None else []:
            for group in optimizer.param_groups:
                group["eps"] = config.eps
        made = [
            schedules.build(config.schedule, one, config.epochs, config.schedule_options) for one in self.optimizers
        ]
        self.schedulers = [one for one in made if one is not None]
        self.epoch, self.best, self.best_epoch = 0, math.inf, 0
        self.stopped = ""

    @property
    def improved(self) -> bool:
        """True if the last epoch's validation loss is the lowest so far, or there is no validation to tell."""
        return self.validation is None or self.best_epoch == self.epoch

    def stop(self, reason: str) -> None:
        """Let this epoch be the last."""
        self.stopped = reason

    def run(self) -> Iterator[Metrics]:
        """Train and yield the metrics after every epoch. Raises ArithmeticError if the loss is no longer finite."""
        while self.epoch < self.config.epochs and not self.stopped:
            start, rate = time.perf_counter(), self.optimizers[0].param_groups[0]["lr"]
            try:
                train_loss = self._step_through()
                parts = self._measure(self.test)
                validation_loss = None if self.validation is None else self._measure(self.validation)["total"]
            except ArithmeticError as error:
                advice = f"a learning rate (--lr) below {self.config.lr:g} usually helps"
                if not math.isfinite(self.config.clip):
                    advice += ", or gradients kept short (--clip 1)"
                raise ArithmeticError(f"training broke down in epoch {self.epoch + 1}: {error}; {advice}") from error
            self.epoch += 1
            self._judge(validation_loss)
            seconds = round(time.perf_counter() - start, 3)
            test_loss, reconstruction, kl = (parts.pop(name) for name in ("total", "reconstruction", "kl"))
            told_rate = rate if self.schedulers else None
            metrics = Metrics(
                self.epoch, train_loss, test_loss, reconstruction, kl, seconds, parts, validation_loss, told_rate
            )
            for callback in self.callbacks:
                callback.after_epoch(self, metrics)
            yield metrics

    def _step_through(self) -> float:
        """Take one step of every optimizer for each batch and return the mean loss of all images."""
        total = 0.0
        self.model.train()
        order = minigrad.randperm(len(self.images), generator=self.shuffling)
        for rows in order.split(self.config.batch_size):
            images = self._as_seen(self.images[rows])
            loss = self._step(self.model, self.optimizers, images, self.labels[rows], self.config.clip)
            total += _finite(loss) * len(rows) / len(self.images)
            for callback in self.callbacks:
                callback.after_batch(self)
        return total

    def _measure(self, part: tuple[Tensor, Tensor]) -> dict[str, float]:
        images, labels = part
        return mean_loss(self.model, self._as_seen(images), self.config.batch_size, labels)

    def _as_seen(self, images: Tensor) -> Tensor:
        """Return images as the model is shown them: their pixels by chance black or white, if so configured."""
        return minigrad.bernoulli(images) if self.config.binarize == "dynamic" else images

    def _judge(self, validation_loss: float | None) -> None:
        """Let schedules take their step, and stop if there was no progress for too long."""
        for scheduler in self.schedulers:
            if self.config.schedule == "plateau":
                scheduler.step(validation_loss)
            else:
                scheduler.step()
        if validation_loss is None:
            return
        if validation_loss < self.best:
            self.best, self.best_epoch = validation_loss, self.epoch
        elif self.config.patience and self.epoch - self.best_epoch >= self.config.patience:
            self.stop(f"no lower validation loss than epoch {self.best_epoch}'s for {self.config.patience} epochs")

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return what the next epoch depends on: tensors by name, and the rest, as JSON can hold it."""
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        tensors |= {"random.noise": minigrad.get_rng_state(), "random.order": self.shuffling.get_state()}
        groups: list[Any] = []
        numbers: list[dict[str, dict[str, Any]]] = []
        for i, optimizer in enumerate(self.optimizers):
            held = optimizer.state_dict()
            groups.append(held["param_groups"])
            numbers.append({})  # of a parameter's state, what is no tensor
            for parameter, values in held["state"].items():
                for name, value in values.items():
                    if isinstance(value, Tensor):
                        tensors[f"optimizer.{i}.{parameter}.{name}"] = value
                    else:
                        numbers[i].setdefault(str(parameter), {})[name] = value
        return tensors, {
            "epoch": self.epoch,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "stopped": self.stopped,
            "groups": groups,
            "numbers": numbers,
            "schedulers": [scheduler.state_dict() for scheduler in self.schedulers],
        }

    def load_state(self, tensors: Mapping[str, Tensor], rest: Mapping[str, Any]) -> None:
        """Go on from what `state` returned. Raises KeyError, ValueError or RuntimeError if it is of another run."""
        self.model.load_state_dict({name[6:]: value for name, value in tensors.items() if name.startswith("model.")})
        for i, optimizer in enumerate(self.optimizers):
            state: dict[int, dict[str, Any]] = {int(key): dict(value) for key, value in rest["numbers"][i].items()}
            for key, value in tensors.items():
                kind, _, place = key.partition(".")
                if kind == "optimizer" and place.startswith(f"{i}."):
                    _, parameter, name = place.split(".", 2)
                    state.setdefault(int(parameter), {})[name] = value
            optimizer.load_state_dict({"state": state, "param_groups": rest["groups"][i]})
        for scheduler, values in zip(self.schedulers, rest["schedulers"], strict=True):
            scheduler.load_state_dict(values)
        self.shuffling.set_state(tensors["random.order"])
        minigrad.set_rng_state(tensors["random.noise"])
        self.epoch, self.best, self.best_epoch = rest["epoch"], rest["best"], rest["best_epoch"]
        self.stopped = rest["stopped"]


def step(
    model: Model, optimizers: Sequence[optim.Optimizer], images: Tensor, labels: Tensor | None, clip: float = math.inf
) -> Tensor:
    """Take one step of every optimizer down the gradient of its own objective and return the batch's loss, 0-d."""
    loss = model.loss(images, labels)
    for objective, optimizer in zip(loss.objectives, optimizers, strict=True):
        optimizer.zero_grad()
        objective.backward()
        if math.isfinite(clip):
            nn.utils.clip_grad_norm_([value for group in optimizer.param_groups for value in group["params"]], clip)
        optimizer.step()
    return loss.total.detach()


class _AfterBatch(Callback):
    def __init__(self, function: Callable[[], None]) -> None:
        self.function = function

    def after_batch(self, training: Training) -> None:
        self.function()


def train(
    model: Model,
    splits: Splits,
    config: Config,
    after_batch: Callable[[], None] = lambda: None,
    callbacks: Sequence[Callback] = (),
    *,
    compiled: bool = True,
) -> Iterator[Metrics]:
    """Train the model with its optimizers, in place, and yield the metrics after every epoch.

    Raises ArithmeticError if the loss is no longer finite.
    """
    yield from Training(model, splits, config, (_AfterBatch(after_batch), *callbacks), compiled=compiled).run()


def validation_rows(count: int, config: Config) -> tuple[Tensor, Tensor]:
    """Return the rows to train on and those set aside, chosen by the seed: one image at least on each side.

    Raises ValueError if there is only one image.
    """
    aside = min(max(1, round(config.validation * count)), count - 1)
    if aside < 1:
        raise ValueError(f"a validation set needs two training images at least, got {count}")
    choosing = minigrad.Generator()
    choosing.manual_seed(config.seed)
    order = minigrad.randperm(count, generator=choosing)
    return order[aside:].sort().values, order[:aside].sort().values


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
    count = len(splits.train_images)
    if config.validation:
        count = len(validation_rows(count, config)[0])
    return config.epochs * math.ceil(count / config.batch_size)
