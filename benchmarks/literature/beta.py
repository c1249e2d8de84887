"""Beta trades rate for distortion: a dearer nat of KL makes the code tell less and the picture worse.

Higgins et al. 2017; the reading as rate (KL) and distortion (cross-entropy): Alemi et al. 2018, "Fixing a Broken ELBO".
Grey pixels, the sizes of PyTorch's example, the test set.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from ae.evaluation import active_units, in_blocks
from benchmarks.literature.number import Job, Number, Plan, Row, Rows, markdown

PLAN: Plan = {
    "data": "mnist", "hidden": [400], "latent": 20, "betas": [0.25, 0.5, 1.0, 2.0, 4.0, 8.0], "epochs": 3,
    "batch_size": 128, "lr": 1e-3,
}  # fmt: skip
QUICK: Plan = PLAN | {
    "data": "digits",
    "hidden": [32],
    "latent": 8,
    "epochs": 25,
    "batch_size": 32,
    "betas": [0.25, 1.0, 4.0],
}


def names(plan: Plan) -> Sequence[str]:
    """Return a row for each beta."""
    return [f"{beta:g}" for beta in plan["betas"]]


def measure(name: str, job: Job) -> Row:
    """Train one model and return rate, distortion and active units."""
    model, lines = job.train(job.config("beta-vae", {"beta": float(name)}))
    units = active_units(in_blocks(model.embed, job.splits.test_images))
    return {"rate": lines[-1].kl, "distortion": lines[-1].reconstruction, "active_units": units}


def table(rows: Rows) -> str:
    """Return rate, distortion and their sum by beta."""
    cells = [
        [name, f"{row['rate']:.2f}", f"{row['distortion']:.2f}", f"{row['rate'] + row['distortion']:.2f}",
         str(row["active_units"])]
        for name, row in rows.items()
    ]  # fmt: skip
    return markdown(
        ["beta", "rate: KL, nats", "distortion: cross-entropy, nats", "negative ELBO", "active units"], cells
    )


def claims(rows: Rows) -> Mapping[str, bool]:
    """Return whether rate and distortion move in opposite directions at every step."""
    steps = list(pairwise(rows.values()))
    return {
        "the rate falls with every rise of beta": all(b["rate"] < a["rate"] for a, b in steps),
        "the distortion rises with it": all(b["distortion"] > a["distortion"] for a, b in steps),
    }


NUMBER = Number("beta", "beta-VAE: rate and distortion", PLAN, QUICK, names, measure, table, claims)
