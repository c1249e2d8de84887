"""Table 1 of the importance-weighted autoencoder's paper, on a short schedule: more codes, a better likelihood.

Burda, Grosse and Salakhutdinov 2016: 784-200-200-50, tanh, pixels drawn black or white anew in every batch, batches of
20, Adam with epsilon 1e-4, the decoder started at the mean image, and the paper's eight learning rates. The paper
stays 3^(i-1) epochs at the i-th, 3,280 in all; the plan here stays equally long at each.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import minigrad
from ae.evaluation import active_units, in_blocks, log_likelihood, seeded
from benchmarks.literature.number import Job, Number, Plan, Row, Rows, markdown

PAPER = {"VAE": 86.76, "IWAE, k = 5": 85.54, "IWAE, k = 50": 84.78}
PLAN: Plan = {
    "data": "mnist", "hidden": [200, 200], "latent": 50, "batch_size": 20, "k": {"VAE": 1, "IWAE, k = 5": 5, "IWAE, k = 50": 50},
    "epochs": 16, "samples": 5000, "every": 50, "screen": 100,
}  # fmt: skip
QUICK: Plan = PLAN | {
    "data": "digits",
    "hidden": [16],
    "latent": 4,
    "epochs": 4,
    "samples": 50,
    "every": 4,
    "screen": 10,
}


def measure(name: str, job: Job) -> Row:
    """Train one model and estimate -log p(x) of the test images, their pixels drawn black or white once."""
    plan, splits = job.plan, job.splits
    recipe = {"schedule": "stages", "schedule_options": {"count": 8, "base": 1}, "binarize": "dynamic", "eps": 1e-4}
    config = job.config("iwae", {"k": plan["k"][name], "activation": "tanh"}, lr=1e-3, mean_bias=True, **recipe)
    start = time.process_time()
    model, lines = job.train(config)
    seconds = time.process_time() - start
    with seeded(job.seed):
        images = minigrad.bernoulli(minigrad.from_numpy(splits.test_images)).numpy()
        job.say(
            f"log p(x) of {len(images)} images by {plan['screen']} codes, of every {plan['every']}th by {plan['samples']}"
        )
        nll, error = estimate(model, images, plan["samples"], plan["every"], plan["screen"])
        units = active_units(in_blocks(model.embed, images))
    return {
        "nll": nll,
        "error": error,
        "bound": lines[-1].test_loss,
        "train_bound": lines[-1].train_loss,
        "active_units": units,
        "updates": len(splits.train_images) // config.batch_size * config.epochs,
        "seconds": round(seconds, 1),
    }


def estimate(model: Any, images: np.ndarray, samples: int, every: int, screen: int) -> tuple[float, float]:
    """Return the mean of -log p(x) over the images by `samples` codes each, in nats, and its standard error.

    So many codes are spent on every so many-th image only. All images get `screen` codes, and the mean of these
    estimates is corrected by the mean of what more codes changed where both are known: since the two agree to a
    fraction of a nat, so does the result with what all images would give. Source: Cochran 1977, "Sampling
    Techniques", section 7.7 (the difference estimator).
    """
    rough = -log_likelihood(model, images, screen)
    fine = -log_likelihood(model, images[::every], samples)
    change = fine - rough[::every]
    return float(rough.mean() + change.mean()), float(change.std(ddof=1) / np.sqrt(len(change)))


def table(rows: Rows) -> str:
    """Return -log p(x) beside the paper's."""
    cells = [
        [name, f"{row['nll']:.2f} ± {row['error']:.2f}", f"{PAPER[name]:.2f}", f"{row['nll'] - PAPER[name]:+.2f}",
         str(row["active_units"]), f"{row['bound']:.2f}", f"{row['seconds']:.0f}"]
        for name, row in rows.items()
    ]  # fmt: skip
    return markdown(
        ["model", "-log p(x), nats", "the paper's", "gap", "active units", "its own bound", "processor seconds"], cells
    )


def claims(rows: Rows) -> Mapping[str, bool]:
    """Return the paper's ordering."""
    vae, few, many = (rows[name]["nll"] for name in PAPER)
    return {"IWAE with k = 50 < IWAE with k = 5 < VAE": many < few < vae}


def names(plan: Plan) -> Sequence[str]:
    """Return a row for each number of codes."""
    return list(plan["k"])


NUMBER = Number("iwae", "IWAE: -log p(x) by the number of codes", PLAN, QUICK, names, measure, table, claims)
