"""The panels of a run: each a figure with its caption and its data as a table, or a sentence on why there is none."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

import minigrad
from ae import data, runs
from ae.config import Config, Metrics, as_dict
from ae.evaluation import decode_points, in_blocks, kl_per_unit, seeded, unit_variances
from ae.models import VAE, ConditionalVAE, Model
from ae.report import pictures
from ae.report.pictures import Picture

SHOWN, ROWS = 10, 200  # images in a strip; rows of a table


@dataclass(frozen=True)
class Table:
    """Rows of cells under the names of their columns; `left_out` more were not shown."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    left_out: int = 0


@dataclass(frozen=True)
class Panel:
    """A figure: one picture or strips of them with a label each, and the data; or, if there are none, why (`empty`)."""

    title: str
    about: str = ""
    strips: Sequence[tuple[str, Picture]] = ()
    table: Table | None = None
    empty: str = ""


@dataclass
class Run:
    """A run as it lies in its folder, its data, and what its model says of the test images."""

    folder: Path
    config: Config
    metrics: list[Metrics]
    model: Model
    splits: data.Splits
    evaluation: dict[str, Any] | None
    codes: np.ndarray = field(init=False)
    labels: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.labels = self.splits.test_labels[: pictures.LIMIT]
        self.codes = in_blocks(self.model.embed, self.images, self.labels)

    @property
    def name(self) -> str:
        """What the run is called: the last part of its folder's path."""
        return self.folder.resolve().name

    @property
    def images(self) -> np.ndarray:
        """The test images that are looked at, the first thousand."""
        return self.splits.test_images[: pictures.LIMIT]

    def examples(self, count: int = SHOWN) -> np.ndarray:
        """The rows of the first image of each class, then of the second of each, up to `count`."""
        places = [np.flatnonzero(self.labels == label) for label in np.unique(self.labels)]
        turns = [rows[i] for i in range(max(map(len, places))) for rows in places if i < len(rows)]
        return np.array(turns[:count])

    def decode(self, codes: np.ndarray, label: int = 0) -> np.ndarray:
        """Return the images of codes; a conditional model is asked for those of `label`."""
        return decode_points(self.model, codes, np.full(len(codes), label))

    def reconstruct(self, rows: np.ndarray) -> np.ndarray:
        """Return the reconstructions of test images."""
        return in_blocks(self.model.reconstruct, self.images[rows], self.labels[rows])

    def mosaic(self, images: np.ndarray, alt: str, columns: int = SHOWN, **how: Any) -> Picture:
        """Return a picture of images of this data's shape."""
        return pictures.mosaic(images, self.splits.image_shape, columns, alt, **how)


def panels(run: Run) -> list[Panel]:
    """Return all panels of a run, in the order of the page."""
    with seeded(run.config.seed):
        made = (curves, reconstructions, samples, scatter, manifold, units, traversals, interpolations, filters)
        return [make(run) for make in made]


def load(folder: str | Path, data_root: str | None = None) -> Run:
    """Read a run. Raises FileNotFoundError if it is none or half written, ValueError if its files are damaged."""
    config = runs.read_config(folder)
    splits = data.load(config.data, data_root)
    return Run(
        Path(folder), config, runs.read_metrics(folder), runs.load(folder), splits, runs.read_json(folder, "evaluation")
    )


def curves(run: Run) -> Panel:
    """The losses over the epochs."""
    title = "Loss over the epochs"
    if not run.metrics:
        return Panel(title, empty="No epoch was finished, so there is nothing to draw.")
    epochs = [line.epoch for line in run.metrics]
    columns: dict[str, list[float]] = {
        "training loss": [line.train_loss for line in run.metrics],
        "test loss": [line.test_loss for line in run.metrics],
    }
    if any(line.validation_loss is not None for line in run.metrics):
        columns["validation loss"] = [
            math.nan if line.validation_loss is None else line.validation_loss for line in run.metrics
        ]
    if any(line.kl for line in run.metrics):
        columns["reconstruction (test)"] = [line.reconstruction for line in run.metrics]
        columns["KL (test)"] = [line.kl for line in run.metrics]
    picture = pictures.curves({name: (epochs, values) for name, values in columns.items()}, f"{title} of {run.name}")
    rows = [[epoch, *values] for epoch, *values in zip(epochs, *columns.values(), strict=True)]
    return Panel(title, "In nats per image.", [("", picture)], table_of(["epoch", *columns], rows))


def reconstructions(run: Run) -> Panel:
    """Test images above their reconstructions."""
    rows = run.examples(2 * SHOWN)
    copies = run.reconstruct(rows)
    strips = []
    for start in range(0, len(rows), SHOWN):
        some = slice(start, start + SHOWN)
        digits = " ".join(map(str, run.labels[rows[some]]))
        columns = min(SHOWN, len(rows))
        strips.append(("image", run.mosaic(run.images[rows[some]], f"test images of {digits}", columns)))
        strips.append(("copy", run.mosaic(copies[some], f"reconstructions of {digits}", columns)))
    errors = np.square(copies - run.images[rows]).sum(1)
    table = table_of(["test image", "label", "squared error"], zip(rows, run.labels[rows], errors, strict=True))
    return Panel("Reconstructions", "Test images, each above its reconstruction without noise.", strips, table)


def samples(run: Run) -> Panel:
    """New images."""
    title = "Samples"
    if not run.model.generates:
        return Panel(title, empty="The codes of this model have no prior to draw from, so it draws no new images.")
    with minigrad.no_grad():
        drawn = run.model.sample(6 * SHOWN).numpy()
    near = _nearest(drawn, run.splits.train_images[:10_000])
    table = table_of(["sample", "mean grey level", "squared distance to the nearest training image"],
                   zip(range(1, len(drawn) + 1), drawn.mean(1), near, strict=True))  # fmt: skip
    about = "Decoded from codes drawn from the prior; pixels are probabilities."
    return Panel(title, about, [("", run.mosaic(drawn, f"{len(drawn)} samples of {run.name}"))], table)


def scatter(run: Run) -> Panel:
    """The codes of test images on a plane."""
    points, names, about = _plane(run)
    picture = pictures.scatter(points, run.labels, names, f"codes of {len(points)} test images of {run.name}")
    rows = [(i, label, *point) for i, (label, point) in enumerate(zip(run.labels, points, strict=True))]
    return Panel("Codes", about, [("", picture)], table_of(["test image", "label", *names], rows))


def _plane(run: Run) -> tuple[np.ndarray, tuple[str, str], str]:
    """Return two numbers for every code, what they are called, and what they are."""
    if run.codes.shape[1] == 1:
        return (
            np.column_stack((run.codes[:, 0], run.labels)).astype(float),
            ("code", "label"),
            "The code is one number; the height is the label.",
        )
    if run.codes.shape[1] == 2:
        return run.codes, ("first number of the code", "second number"), "The code is two numbers: this is all of it."
    centre, axes, share = _principal(run.codes)
    about = f"The two principal components of {run.codes.shape[1]} numbers, which hold {share:.0%} of their variance."
    return (run.codes - centre) @ axes, ("first principal component", "second principal component"), about


def _principal(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the mean, the first two principal axes `(latent, 2)` and the share of variance they hold."""
    centre = codes.mean(0)
    _, values, axes = np.linalg.svd(codes.astype(np.float64) - centre, full_matrices=False)
    total = np.square(values).sum()
    return centre, axes[:2].T, float(np.square(values[:2]).sum() / total) if total else 0.0


def manifold(run: Run, side: int = 12) -> Panel:
    """Images decoded from a grid of codes."""
    title = "Manifold"
    if run.codes.shape[1] == 1:
        return Panel(title, empty="The code is one number: its traversal, below, shows all of it.")
    label = int(run.labels[0])
    if run.codes.shape[1] == 2 and isinstance(run.model, VAE) and type(run.model).log_prior is VAE.log_prior:
        marks = np.array([NormalDist().inv_cdf(p) for p in np.linspace(0.03, 0.97, side)])
        grid = np.array([(x, y) for y in marks[::-1] for x in marks])
        about = "Decoded from a grid of codes, even in the prior's probability: 3 % to 97 % of each number."
        names, places = ("first number", "second number"), grid
    else:
        centre, axes, _ = _principal(run.codes)
        spread = ((run.codes - centre) @ axes).std(0)
        marks = np.linspace(-2, 2, side)
        places = np.array([(x, y) for y in marks[::-1] for x in marks]) * spread
        grid = centre + places @ axes.T
        about = "Decoded from a grid on the plane of the codes' two principal components, two deviations to each side."
        names = ("first component", "second component")
    if isinstance(run.model, ConditionalVAE):
        about += f" All of the label {label}."
    images = run.decode(grid, label)
    rows = zip(range(1, len(places) + 1), *places.T, images.mean(1), strict=True)
    picture = run.mosaic(images, f"grid of decoded codes of {run.name}", side, tile=40)
    return Panel(title, about, [("", picture)], table_of(["image", *names, "mean grey level"], rows))


def units(run: Run) -> Panel:
    """What each unit of the code does."""
    variances = unit_variances(run.codes)
    kl = kl_per_unit(run.model, run.images, run.labels)
    columns = ["unit", "variance of the code"] + ([] if kl is None else ["KL"])
    rows = [(i + 1, value, *([] if kl is None else [kl[i]])) for i, value in enumerate(variances)]
    if kl is None:
        picture = pictures.bars(variances, "variance", f"variance of each unit of {run.name}")
        return Panel(
            "Variance per unit", "How much each number of the code varies over the test images.", [("", picture)],
            table_of(columns, rows),
        )  # fmt: skip
    picture = pictures.bars(kl, "nats per image", f"KL of each unit of {run.name}")
    about = "What each number of the code tells of an image; one near 0 has collapsed into the prior."
    return Panel("KL per unit", about, [("", picture)], table_of(columns, rows))


def traversals(run: Run, steps: int = 9, most: int = 10) -> Panel:
    """One unit of a code moved, the others held."""
    deviation = run.codes.std(0)
    kl = kl_per_unit(run.model, run.images, run.labels)
    order = np.argsort(-(deviation if kl is None else kl))[:most]
    start, label = run.codes[0], int(run.labels[0])
    strips, rows = [], []
    for unit in order:
        values = run.codes[:, unit].mean() + np.linspace(-2.5, 2.5, steps) * deviation[unit]
        codes = np.tile(start, (steps, 1))
        codes[:, unit] = values
        images = run.decode(codes, label)
        strips.append((f"unit {unit + 1}", run.mosaic(images, f"traversal of unit {unit + 1}", steps)))
        rows.append((unit + 1, values[0], values[-1], np.square(images[-1] - images[0]).sum()))
    about = (
        f"The code of the first test image (a {label}), one number moved over two and a half deviations to each side of "
        f"its mean: {'each of its units' if len(order) == run.codes.shape[1] else f'the {most} units that tell the most'}."
    )
    return Panel("Traversals", about, strips, table_of(["unit", "from", "to", "squared change of the image"], rows))


def interpolations(run: Run, steps: int = 9, pairs: int = 5) -> Panel:
    """Straight ways between the codes of two images."""
    rows = run.examples(2 * pairs)
    pairs = len(rows) // 2
    if not pairs:
        return Panel("Interpolations", empty="The test set has one image: there is nothing to go to.")
    weights = np.linspace(0, 1, steps)[:, None]
    strips, cells = [], []
    for first, second in zip(rows[:pairs], rows[pairs : 2 * pairs], strict=True):
        a, b = run.labels[first], run.labels[second]
        images = run.decode((1 - weights) * run.codes[first] + weights * run.codes[second], int(a))
        strips.append((f"{a} to {b}", run.mosaic(images, f"interpolation from a {a} to a {b}", steps)))
        cells.append((first, a, second, b, np.linalg.norm(run.codes[first] - run.codes[second])))
    about = "Decoded from codes on the straight line between those of two test images."
    if isinstance(run.model, ConditionalVAE):
        about += " The label stays the first image's."
    columns = ["from image", "label", "to image", "label", "distance of the codes"]
    return Panel("Interpolations", about, strips, table_of(columns, cells))


def filters(run: Run, most: int = 60) -> Panel:
    """The weights of the first layer."""
    pixels = run.config.pixels
    weights = [value.detach().numpy() for value in run.model.encoder.parameters() if value.dim() == 2]
    if not weights or weights[0].shape[1] < pixels:
        return Panel("Filters", empty="The encoder's first layer has no weight for each pixel to show.")
    weight = weights[0][:, :pixels]
    norms = np.linalg.norm(weight, axis=1)
    order = np.argsort(-norms)[:most]
    picture = run.mosaic(weight[order], f"{len(order)} filters of {run.name}", min(SHOWN, len(order)), signed=True)
    which = "the largest first" if len(order) == len(norms) else f"the {most} largest of {len(norms)}"
    about = f"Weights of the first layer, {which}: red adds, blue takes away, white is 0."
    rows = [(unit + 1, norms[unit], weight[unit].min(), weight[unit].max()) for unit in order]
    return Panel("Filters", about, [("", picture)], table_of(["unit", "norm", "least weight", "largest"], rows))


def settings(run: Run) -> Table:
    """Return the configuration as rows."""
    return Table(["setting", "value"], [[name, str(value)] for name, value in as_dict(run.config).items()])


def _nearest(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    distances = np.square(images).sum(1)[:, None] - 2 * images @ others.T + np.square(others).sum(1)
    return np.maximum(distances.min(1), 0)


def table_of(columns: Sequence[str], rows: Any) -> Table:
    """Return rows as text, the first 200 of them."""
    cells = [[text(cell) for cell in row] for row in rows]
    return Table(columns, cells[:ROWS], max(0, len(cells) - ROWS))


def text(value: Any) -> str:
    """Return a cell's text: numbers to four digits, a dash for what there is not."""
    if value is None:
        return "–"
    if isinstance(value, int | np.integer | str):
        return str(value)
    return f"{value:#.4g}".rstrip(".").replace("-", "−")
