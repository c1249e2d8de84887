"""What a run depends on, and what it reports: two records that are files in the run's folder.

A field that stands at its default is left out of the file, so that old runs stay readable and short ones short.
"""

import math
import sys
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

import minigrad
from ae import schedules
from ae.models import Model, build

BINARIZE = ("none", "threshold", "dynamic")


@dataclass(frozen=True)
class Config:
    """Everything a run depends on, besides the data's files and the libraries' versions.

    `options` are those of the model's own that differ from its defaults. The rest is off unless told: a `schedule` of
    the learning rate with its `schedule_options` (see `ae.schedules`), gradients clipped to the norm `clip`, a share
    `validation` of the training images set aside, which decides when there was no progress for `patience` epochs, and
    which epoch's model is kept by `keep_best`; `binarize` makes pixels black or white, at one half (threshold) or by
    chance, anew in every batch (dynamic); `eps` replaces the optimizers' own, and
    `mean_bias` lets a VAE's decoder start at the mean image.

    Raises ValueError for a value out of range, and if the best is to be chosen without a validation set.
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
    schedule: str = "constant"
    schedule_options: Mapping[str, Any] = field(default_factory=dict)
    clip: float = math.inf
    validation: float = 0.0
    patience: int = 0
    keep_best: bool = False
    binarize: str = "none"
    eps: float | None = None
    mean_bias: bool = False

    def __post_init__(self) -> None:
        for name, low in (("pixels", 1), ("latent", 1), ("epochs", 1), ("batch_size", 1), ("seed", 0), ("patience", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise ValueError(f"{name} needs a whole number from {low}, got {value!r}")
        for name, high in (("lr", sys.float_info.max), ("eps", sys.float_info.max), ("clip", math.inf)):
            value = getattr(self, name)
            if name == "eps" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= high:
                raise ValueError(f"{name} needs a number above 0, got {value!r}")
        if not isinstance(self.validation, int | float) or not 0 <= self.validation < 1:
            raise ValueError(f"validation needs a share of the images from 0 to below 1, got {self.validation!r}")
        if not all(isinstance(size, int) and not isinstance(size, bool) and size >= 1 for size in self.hidden):
            raise ValueError(f"hidden needs whole numbers from 1, got {self.hidden!r}")
        schedules.check(self.schedule, self.schedule_options)
        if self.binarize not in BINARIZE:
            raise ValueError(f"unknown binarize {self.binarize!r}; there are {', '.join(BINARIZE)}")
        if not self.validation and (self.patience or self.keep_best or self.schedule == "plateau"):
            raise ValueError(
                "early stopping, keeping the best and the plateau schedule choose by images set aside: name their share, "
                "as in --validation 0.1 (chosen by the test set, its loss would flatter the model)"
            )

    def build(self) -> Model:
        """Return the run's model as it stands before the first step; sets the default generator's seed."""
        minigrad.manual_seed(self.seed)
        return build(self.model, self.pixels, self.hidden, self.latent, **self.options)


@dataclass(frozen=True)
class Metrics:
    """One epoch in numbers; the losses are in nats per image.

    `train_loss` is the mean over the epoch, while the model still changed. The others are of the test set, after it:
    `test_loss` is what the model minimizes, `reconstruction + kl` for a VAE; `parts` are the loss's others, by name.
    Only where there is something to say: the `validation_loss`, and the learning rate `lr` that a schedule set.
    """

    epoch: int
    train_loss: float
    test_loss: float
    reconstruction: float
    kl: float
    seconds: float
    parts: Mapping[str, float] = field(default_factory=dict)
    validation_loss: float | None = None
    lr: float | None = None


def as_dict(record: Config | Metrics) -> dict[str, Any]:
    """Return a record's fields by name, as JSON can hold them, without those that stand at their default."""
    found = {}
    for one in fields(record):
        value = getattr(record, one.name)
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        if value != default:
            found[one.name] = dict(value) if isinstance(value, Mapping) else value
    return found
