"""Every model that `python -m ae list` shows on the same images with the same budget: kinds, not champions.

All see the training images equally often with Adam at one rate, and have a code of one size: of numbers, words or dice.
Those that ask for a code larger than the image have such a one, and no hidden layer. None was tuned. The tutorial's last
chapter reads such a table; this one has all models. The images are the bundled digits, so it is made in minutes, offline.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ae.data import Splits
from ae.evaluation import cross_entropy, in_blocks, linear_probe, nearest_neighbours, seeded, squared_error
from ae.models import MODELS, Model
from benchmarks.literature.number import Job, Number, Plan, Row, Rows, markdown

PLAN: Plan = {
    "data": "digits", "hidden": [64], "latent": 8, "wide": 80, "epochs": 30, "batch_size": 32, "lr": 3e-3,
}  # fmt: skip
QUICK: Plan = PLAN | {"epochs": 1}
BEST = {"bce": min, "squared_error": min, "probe": max, "neighbours": max}  # which way is better


def names(plan: Plan) -> Sequence[str]:
    """Return the models."""
    return list(MODELS)


def measure(name: str, job: Job) -> Row:
    """Train one model and measure what means the same for all; what a model does not have is None."""
    entry, plan = MODELS[name], job.plan
    sizes: dict[str, Any] = {"hidden": ()} if entry.sizes == "flat" else {}
    start = time.process_time()
    model, lines = job.train(job.config(name, **sizes, latent=plan["wide" if entry.wide else "latent"]))
    seconds = time.process_time() - start
    with seeded(job.seed):
        row = scores(model, job.splits)
    if lines[-1].kl:  # a model without a distribution of codes says 0.0
        row |= {"kl": lines[-1].kl, "elbo": -lines[-1].reconstruction - lines[-1].kl}
    return row | {"seconds": round(seconds, 2)}


def scores(model: Model, splits: Splits) -> Row:
    """Return how exactly test images are drawn again and how much of the class is in their codes."""
    images, labels = splits.test_images, splits.test_labels
    copies = in_blocks(model.reconstruct, images, labels)
    row: Row = dict.fromkeys(("bce", "kl", "elbo"))
    if copies.min() >= 0 and copies.max() <= 1:  # else they are no probabilities
        row["bce"] = cross_entropy(copies, images)
    # Without the labels: a conditional model told them would hand them on to the probes.
    votes = (in_blocks(model.embed, splits.train_images), splits.train_labels, in_blocks(model.embed, images), labels)
    return row | {
        "squared_error": squared_error(copies, images),
        "numbers": votes[0].shape[1],
        "probe": linear_probe(*votes),
        "neighbours": nearest_neighbours(*votes),
    }


def table(rows: Rows) -> str:
    """Return all models with all that was measured; the best of a column is bold."""
    best = {key: choose(row[key] for row in rows.values() if row[key] is not None) for key, choose in BEST.items()}

    def cell(row: Row, key: str) -> str:
        value = row[key]
        if value is None:
            return "-"
        shown = f"{100 * value:.1f}" if key in ("probe", "neighbours") else f"{value:.2f}"
        return f"**{shown}**" if value == best.get(key) else shown

    columns = ("bce", "squared_error", "kl", "elbo", "probe", "neighbours")
    head = [
        "model",
        "code",
        "BCE",
        "squared error",
        "KL",
        "ELBO",
        "linear probe, %",
        "5 neighbours, %",
        "processor seconds",
    ]
    return markdown(
        head,
        [
            [name, str(row["numbers"]), *(cell(row, key) for key in columns), f"{row['seconds']:.1f}"]
            for name, row in rows.items()
        ],
    )


def short(rows: Rows) -> str:
    """Return a dozen models with three columns, for a page that shows more than this."""
    kept = [name for name in SHORT if name in rows]
    cells = [
        [
            name,
            MODELS[name].about,
            f"{rows[name]['squared_error']:.2f}",
            _elbo(rows[name]),
            f"{100 * rows[name]['probe']:.1f}",
        ]
        for name in kept
    ]
    return markdown(["model", "", "squared error", "ELBO, nats", "linear probe, %"], cells, texts=2)


SHORT = (
    "autoencoder", "linear", "deep", "k-sparse", "denoising", "contractive", "vae", "beta-vae", "conditional-vae", "iwae",
    "wae-mmd", "vq-vae", "vamp-vae",
)  # fmt: skip


def _elbo(row: Row) -> str:
    return "-" if row["elbo"] is None else f"{row['elbo']:.1f}"


def claims(rows: Rows) -> Mapping[str, bool]:
    """Return what the chapters say of kinds and one table of single runs can show."""
    squared, probe = ({name: row[key] for name, row in rows.items()} for key in ("squared_error", "probe"))
    return {
        "a deep code draws better than a flat one of the same size": squared["deep"] < squared["linear"],
        "a VAE pays for its KL in sharpness": squared["vae"] > squared["deep"],
        "a larger beta tells less": rows["beta-vae"]["kl"] < rows["vae"]["kl"],
        "a code told the class forgets it": probe["conditional-vae"] < probe["vae"],
    }


NUMBER = Number(
    "scoreboard", "All models, the same images and the same budget", PLAN, QUICK, names, measure, table, claims
)
