"""All measurements of a model, one after the other, as plain numbers that go into a JSON file or a table.

`METRICS` says of each number what it is, in which unit and which way is better. What does not apply to a model is None,
and `notes` says why.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

import minigrad
from ae.data import Splits, glyph_factors
from ae.evaluation import disentangling, frechet, likelihood, pixels, probes
from ae.evaluation.blocks import in_blocks, seeded
from ae.models import Model
from ae.train import mean_loss
from minigrad import Tensor

PROBED = 10_000  # training images that the probes learn from, at most
SAMPLED = 1_000  # images drawn for the Frechet distance, at least


@dataclass(frozen=True)
class Metric:
    """A row of the table: what a number is, its unit, and whether `lower` or `higher` is better, or neither."""

    about: str
    unit: str
    better: str = ""


NATS, SQUARES = "nats per image", "squared grey levels per image"

METRICS: Mapping[str, Metric] = {
    "bce": Metric("reconstruction, cross-entropy", NATS, "lower"),
    "bce_floor": Metric("the same of a perfect copy", NATS),
    "squared_error": Metric("reconstruction, squared error", SQUARES, "lower"),
    "mse": Metric("the same per pixel", "squared grey levels", "lower"),
    "kl": Metric("KL of the codes from the prior", NATS),
    "elbo": Metric("evidence lower bound", NATS, "higher"),
    "nll": Metric("-log p(x), importance sampled", NATS, "lower"),
    "units": Metric("numbers in the code", ""),
    "active_units": Metric("active ones (variance > 0.01)", ""),
    "linear_probe": Metric("linear probe, accuracy", "share", "higher"),
    "neighbours": Metric("5 nearest neighbours, accuracy", "share", "higher"),
    "mig": Metric("mutual information gap, glyphs", "0 to 1", "higher"),
    "frechet_samples": Metric("Frechet distance, samples", "squared grey levels", "lower"),
    "frechet_copies": Metric("Frechet distance, reconstructions", "squared grey levels", "lower"),
    "frechet_training": Metric("Frechet distance, training images", "squared grey levels"),
    "denoising_masking": Metric("masked images repaired", SQUARES, "lower"),
    "denoising_masking_before": Metric("the same before repair", SQUARES),
    "denoising_gaussian": Metric("noisy images repaired", SQUARES, "lower"),
    "denoising_gaussian_before": Metric("the same before repair", SQUARES),
    "denoising_salt-and-pepper": Metric("salt-and-pepper repaired", SQUARES, "lower"),
    "denoising_salt-and-pepper_before": Metric("the same before repair", SQUARES),
}


@dataclass
class Evaluation:
    """The numbers `values` by their names in METRICS, lists of them in `details`, and in `notes` what is missing, and why."""

    settings: dict[str, Any]
    values: dict[str, float | None] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return asdict(self)


def evaluate(
    model: Model,
    splits: Splits,
    *,
    samples: int = 100,
    images: int | None = None,
    binarize: bool = False,
    seed: int = 0,
) -> Evaluation:
    """Measure a model on the first `images` of the test set, all unless told, with `samples` codes for log p(x).

    With `binarize` every pixel becomes black or white, drawn once with its grey level as the probability: the
    cross-entropy is then a likelihood, as published figures on binarized MNIST are. The same seed gives the same
    numbers; the default generator is left as it was.

    Raises ValueError if the model is of another number of pixels, and for less than two images.
    """
    x, labels = splits.test_images[:images], splits.test_labels[:images]
    if len(x) < 2:
        raise ValueError(
            f"an evaluation needs two test images at least, got {len(x)}: ask for more, as in --images 100"
        )
    expected = _pixels(model)
    if expected is not None and expected != x.shape[1]:
        raise ValueError(f"the model takes images of {expected} pixels, but those of {splits.name} have {x.shape[1]}")
    training = model.training
    model.eval()
    try:
        train = splits.train_images
        if binarize:
            with seeded(seed):
                x, train = _binary(x), _binary(train)
        found = Evaluation(
            {"data": splits.name, "images": len(x), "samples": samples, "binarize": binarize, "seed": seed}
        )
        for measure in (
            lambda: _reconstruction(found, model, x, labels),
            lambda: _likelihood(found, model, x, labels, samples),
            lambda: _codes(found, model, x, labels, train[:PROBED], splits.train_labels[:PROBED]),
            lambda: _factors(found, model, splits.image_shape),
            lambda: _frechet(found, model, x, labels, train),
            lambda: _denoising(found, model, x, labels),
        ):
            with seeded(seed):  # each of them, so that all models see the same noise, whatever they drew before
                measure()
    finally:
        model.train(training)
    return found


def _reconstruction(found: Evaluation, model: Model, x: np.ndarray, labels: np.ndarray) -> None:
    copies = in_blocks(model.reconstruct, x, labels)
    error = pixels.squared_error(copies, x)
    found.values |= {"bce": None, "bce_floor": pixels.grey_floor(x), "squared_error": error, "mse": error / x.shape[1]}
    try:
        found.values["bce"] = pixels.cross_entropy(copies, x)
    except ValueError as error_:
        found.notes["bce"] = str(error_)


def _likelihood(found: Evaluation, model: Model, x: np.ndarray, labels: np.ndarray, samples: int) -> None:
    images, classes = minigrad.from_numpy(x), minigrad.from_numpy(labels)
    with minigrad.no_grad():
        kl = model.loss(images[:2], classes[:2]).parts["kl"]
    found.values |= dict.fromkeys(("kl", "elbo", "nll"))
    if isinstance(kl, Tensor) or kl:  # a model without a distribution of codes says 0.0
        parts = mean_loss(model, images, 500, classes)
        found.values |= {"kl": parts["kl"], "elbo": -parts["reconstruction"] - parts["kl"]}
    else:
        found.notes["kl"] = found.notes["elbo"] = "the code has no distribution, hence neither KL nor a bound"
    if hasattr(model, "log_weights"):
        widest = max(max(value.shape, default=1) for value in model.parameters())
        log_p = likelihood.log_likelihood(model, x, samples, labels, widest=widest)
        found.values["nll"] = -float(log_p.mean())
        found.details["nll_standard_error"] = float(log_p.std() / np.sqrt(len(log_p)))
        if not found.settings["binarize"] and found.values["bce_floor"]:
            found.notes["nll"] = "of grey pixels this is a loss, not a likelihood: see --binarize"
    else:
        found.notes["nll"] = "the model has no density of codes to weigh them by"


def _codes(
    found: Evaluation, model: Model, x: np.ndarray, labels: np.ndarray, train: np.ndarray, train_labels: np.ndarray
) -> None:
    # Without the labels: a conditional model told them would hand them on to the probes.
    codes, train_codes = in_blocks(model.embed, x), in_blocks(model.embed, train)
    found.values |= {
        "units": codes.shape[1],
        "active_units": likelihood.active_units(codes),
        "linear_probe": probes.linear_probe(train_codes, train_labels, codes, labels),
        "neighbours": probes.nearest_neighbours(train_codes, train_labels, codes, labels),
    }
    found.details["variance_per_unit"] = likelihood.unit_variances(codes).tolist()
    told = likelihood.kl_per_unit(model, x, labels)
    if told is not None:
        found.details["kl_per_unit"] = told.tolist()


def _factors(found: Evaluation, model: Model, shape: tuple[int, int]) -> None:
    factors = glyph_factors(shape)
    codes = in_blocks(model.embed, factors.images)
    found.values["mig"], found.details["mig_per_factor"] = disentangling.mutual_information_gap(codes, factors.values)


def _frechet(found: Evaluation, model: Model, x: np.ndarray, labels: np.ndarray, train: np.ndarray) -> None:
    features = frechet.PrincipalFeatures(train)
    found.values |= {
        "frechet_samples": None,
        "frechet_copies": features.distance(in_blocks(model.reconstruct, x, labels), x),
        "frechet_training": features.distance(train, x),
    }
    if not model.generates:
        found.notes["frechet_samples"] = "the codes have no prior to draw from"
        return
    with minigrad.no_grad():
        count = min(max(SAMPLED, len(x)), 10_000)
        drawn = np.concatenate([model.sample(min(500, count - start)).numpy() for start in range(0, count, 500)])
    found.values["frechet_samples"] = features.distance(drawn, x)


def _denoising(found: Evaluation, model: Model, x: np.ndarray, labels: np.ndarray) -> None:
    for name, (before, after) in pixels.denoising(model, x, labels).items():
        found.values |= {f"denoising_{name}": after, f"denoising_{name}_before": before}


def _pixels(model: Model) -> int | None:
    """Return how many pixels the model's first layer takes, None if it does not say; class labels are not pixels."""
    encoder = getattr(model, "encoder", None)
    for value in [] if encoder is None else encoder.parameters():
        if value.dim() == 2:
            return int(value.shape[1]) - getattr(model, "classes", 0)
    return None


def _binary(images: np.ndarray) -> np.ndarray:
    return minigrad.bernoulli(minigrad.from_numpy(images)).numpy()


def table(columns: Mapping[str, Evaluation]) -> str:
    """Return the evaluations of runs, by name, as a text table: a row for each number, a column for each run."""
    names = list(columns)
    rows = [["", *names, "unit", "better"]]
    for name, metric in METRICS.items():
        cells = [_cell(columns[run].values.get(name)) for run in names]
        rows.append([metric.about, *cells, metric.unit, metric.better])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    right = range(1, len(names) + 1)
    lines = [
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    notes: dict[str, list[str]] = {}
    for run in names:
        for name, note in columns[run].notes.items():
            notes.setdefault(f"{METRICS[name].about}: {note}", []).append(run)
    said = [note if len(names) == 1 else f"{note} ({', '.join(of)})" for note, of in notes.items()]
    return "\n".join([*(line.rstrip() for line in lines), *said])


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:#.4g}".rstrip(".")
