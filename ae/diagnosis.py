"""What goes wrong without an error: codes that collapse into their prior, and units that are 0 for every image.

Both leave a loss that looks fine and a model that ignores its input. They are looked for after every epoch, without
drawing a random number, and told once, when they have lasted.
"""

from collections.abc import Callable, Sequence

import numpy as np

import minigrad
from ae.config import Metrics
from ae.evaluation import in_blocks, kl_per_unit
from ae.models import Model
from ae.train import Callback, Training
from minigrad import Tensor, nn

COLLAPSED = 0.01  # nats: what a latent tells that tells nothing
DEAD = 0.75  # share of a hidden layer's units: half of them are often silent in a model that is well
DEAD_CODE = 0.25  # share of the code's numbers


class Diagnosis(Callback):
    """Calls `tell` with a sentence, once for each thing that was wrong after `lasting` epochs in a row."""

    def __init__(self, tell: Callable[[str], object], lasting: int = 3, images: int = 500) -> None:
        self.tell, self.lasting, self.images = tell, lasting, images
        self.streaks: dict[str, int] = {}
        self.told: set[str] = set()

    def after_epoch(self, training: Training, metrics: Metrics) -> None:
        """Look at the first test images; at the end of a run do not wait."""
        images, labels = (one[: self.images].numpy() for one in training.test)
        found = findings(training.model, images, labels)
        self.streaks = {name: self.streaks.get(name, 0) + 1 for name in found}
        last = metrics.epoch == training.config.epochs or bool(training.stopped)
        for name, sentence in found.items():
            if name not in self.told and (last or self.streaks[name] >= self.lasting):
                self.told.add(name)
                self.tell(f"epoch {metrics.epoch}: {sentence}")


def findings(model: Model, images: np.ndarray, labels: np.ndarray | None = None) -> dict[str, str]:
    """Return what is wrong with a model, by name, as judged by images `(N, pixels)`: there may be nothing.

    `collapse` if no latent tells more than 0.01 nats, by `ae.losses.kl_per_unit`; `constant` if all images have the
    same code; `dead code` if a quarter of its numbers or more do not change; `dead <layer>` if three quarters of a ReLU
    layer's units or more are 0 for every image (Lu et al. 2020, "Dying ReLU and Initialization").
    """
    training, found = model.training, {}
    model.eval()
    try:
        told = kl_per_unit(model, images, labels)
        if told is not None and (told < COLLAPSED).all():
            found["collapse"] = (
                f"posterior collapse: the codes tell {told.sum():.3g} nats of an image, no latent more than {COLLAPSED}; "
                f"a smaller weight of the KL at first (beta-vae with warmup) or free bits (free-bits-vae) help"
            )
        elif len(images) > 1:
            spread = np.ptp(in_blocks(model.embed, images, labels), axis=0)
            still, width = int((spread == 0).sum()), len(spread)
            if still == width:
                found["constant"] = (
                    "all images have the same code, so that all reconstructions are the same: a lower learning rate or "
                    "another seed usually helps"
                )
            elif still >= DEAD_CODE * width:
                found["dead code"] = (
                    f"dead units: {still} of the code's {width} numbers are the same for all {len(images)} test images "
                    f"looked at, so they carry nothing; a lower learning rate or another seed helps"
                )
        for name, (dead, units) in dead_units(model, images, labels).items():
            if dead >= DEAD * units and dead:
                found[f"dead {name}"] = (
                    f"dead units: {dead} of the {units} ReLUs of {name} are 0 for all {len(images)} test images looked "
                    f"at, so they add nothing; a lower learning rate helps"
                )
    finally:
        model.train(training)
    return found


def dead_units(model: Model, images: np.ndarray, labels: np.ndarray | None = None) -> dict[str, tuple[int, int]]:
    """Return for each ReLU layer (units that are 0 for every image, units), while the model reconstructs images."""
    active: dict[str, np.ndarray] = {}
    calls: dict[str, int] = {}

    def watch(name: str) -> Callable[[nn.Module, Sequence[Tensor], Tensor], None]:
        def hook(module: nn.Module, inputs: Sequence[Tensor], output: Tensor) -> None:
            calls[name] = calls.get(name, 0) + 1
            place = name if calls[name] == 1 else f"{name} (use {calls[name]})"
            if output.dim() == 2:
                alive = np.max(output.detach().numpy() > 0, axis=0)
                active[place] = alive | active[place] if place in active else alive

        return hook

    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.ReLU)]
    handles = [module.register_forward_hook(watch(name)) for name, module in layers]
    try:
        for start in range(0, len(images), 500):
            calls.clear()
            rows = slice(start, start + 500)
            with minigrad.no_grad():
                classes = None if labels is None else minigrad.from_numpy(labels[rows])
                model.reconstruct(minigrad.from_numpy(images[rows]), classes)
    finally:
        for handle in handles:
            handle.remove()
    return {name: (int((~alive).sum()), len(alive)) for name, alive in active.items()}
