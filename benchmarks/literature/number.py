"""What a number of the literature is here: rows that are measured one after the other, a table, and claims about it.

Its plan says everything the rows depend on besides the seed, so a row in a file of results is known to be the same
row again. Every number has a second plan, on the bundled digits and in seconds, by which its program is tested.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ae.data import Splits
from ae.models import Model
from ae.train import Config, Metrics, Training

Plan = dict[str, Any]  # as JSON can hold it; under `data` the name of the images
Row = dict[str, Any]
Rows = Mapping[str, Row]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """What a row is measured with: the plan, the data it names, a seed, the data's root, and whom to tell of progress."""

    plan: Plan
    splits: Splits
    seed: int
    root: str | None
    say: Say

    def config(self, model: str, options: Plan | None = None, **others: Any) -> Config:
        """Return the configuration of a model by the plan's sizes and budget; the rest as `Config` has it."""
        fields: dict[str, Any] = {
            name: self.plan[name] for name in ("data", "latent", "epochs", "batch_size", "lr") if name in self.plan
        }
        fields |= {"pixels": self.splits.train_images.shape[1], "hidden": tuple(self.plan.get("hidden", ()))}
        return Config(model, **(fields | {"seed": self.seed, "options": options or {}} | others))

    def train(self, config: Config) -> tuple[Model, list[Metrics]]:
        """Return the configuration's model, trained and ready to evaluate, and the metrics of its epochs."""
        model, lines = config.build(), list[Metrics]()
        for line in Training(model, self.splits, config).run():
            self.say(
                f"epoch {line.epoch} of {config.epochs}: {line.test_loss:.3f} on the test set, {line.seconds:.0f} s"
            )
            lines.append(line)
        model.eval()
        return model, lines


@dataclass(frozen=True)
class Number:
    """A question to the data: `names` lists its rows, `measure` answers one of them, `table` and `claims` read them all.

    `claims` gives sentences and whether they hold. `quick` is the plan of a trial, whose claims may fail.
    """

    name: str
    title: str
    plan: Plan
    quick: Plan
    names: Callable[[Plan], Sequence[str]]
    measure: Callable[[str, Job], Row]
    table: Callable[[Rows], str]
    claims: Callable[[Rows], Mapping[str, bool]]


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> str:
    """Return a table as Markdown; so many columns are text, the others are numbers."""
    lines = [head, ["---"] * texts + ["---:"] * (len(head) - texts), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def spread(values: Sequence[float]) -> str:
    """Return the mean of values and how far they lie apart: `mean +- standard deviation` of single values."""
    mean = float(np.mean(values))
    return f"{mean:.2f} ± {float(np.std(values, ddof=1)):.2f}" if len(values) > 1 else f"{mean:.2f}"
