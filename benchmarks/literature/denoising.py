"""Who has learned to repair, repairs better: denoising autoencoders beside a plain one of the same sizes and budget.

Vincent et al. 2010, "Stacked Denoising Autoencoders". Each is trained on one kind of noise, the plain one on none; all
are shown damaged test images of every kind, with the same damage, and measured by the squared error to the whole ones.
"""

from collections.abc import Mapping, Sequence

from ae.evaluation import denoising, in_blocks, seeded, squared_error
from ae.models.denoising import NOISES
from benchmarks.literature.number import Job, Number, Plan, Row, Rows, markdown, spread

PLAIN, LEVEL = "plain", "0.3"  # LEVEL is how much noise there is to learn from
PLAN: Plan = {
    "data": "mnist", "hidden": [128], "latent": 64, "epochs": 2, "batch_size": 128, "lr": 1e-3, "train_level": float(LEVEL),
    "levels": [0.15, 0.3, 0.45], "seeds": 2,
}  # fmt: skip
QUICK: Plan = PLAN | {"data": "digits", "hidden": [32], "latent": 16, "epochs": 20, "batch_size": 32, "seeds": 2}


def names(plan: Plan) -> Sequence[str]:
    """Return a row for each kind of noise to learn from, and one for none."""
    return [PLAIN, *NOISES]


def measure(name: str, job: Job) -> Row:
    """Train with several seeds and repair test images: errors by noise and level, one for each seed."""
    plan, images = job.plan, job.splits.test_images
    row: Row = {"whole": [], **{noise: {str(level): [] for level in plan["levels"]} for noise in NOISES}}
    row["damaged"] = {noise: {} for noise in NOISES}
    for one in range(job.seed, job.seed + plan["seeds"]):
        options = {"level": 0.0} if name == PLAIN else {"noise": name, "level": plan["train_level"]}
        model, _ = job.train(job.config("denoising", options, seed=one))
        row["whole"].append(squared_error(in_blocks(model.reconstruct, images), images))
        for level in plan["levels"]:
            with seeded(job.seed):
                repaired = denoising(model, images, level=level)
            for noise, (before, after) in repaired.items():
                row[noise][str(level)].append(after)
                row["damaged"][noise][str(level)] = before
    return row


def table(rows: Rows) -> str:
    """Return the mean error over seeds after repair; rows by noise and level, a column for each model."""
    damaged = rows[PLAIN]["damaged"]
    cells = [["none", "0.00", *(spread(row["whole"]) for row in rows.values())]]
    cells += [
        [f"{noise}, {level}", f"{before:.2f}", *(spread(row[noise][level]) for row in rows.values())]
        for noise, levels in damaged.items()
        for level, before in levels.items()
    ]
    return markdown(
        ["noise shown", "as shown", *(f"trained on {name}" if name != PLAIN else PLAIN for name in rows)], cells
    )


def claims(rows: Rows) -> Mapping[str, bool]:
    """Return whether each model beats the plain one on its own noise, whatever the seeds of the two."""
    plain = rows[PLAIN]
    return {
        f"{noise} of {LEVEL}: better than plain, with every seed": (
            max(rows[noise][noise][LEVEL]) < min(plain[noise][LEVEL])
        )
        for noise in NOISES
    }


NUMBER = Number(
    "denoising", "Denoising: squared error per damaged test image", PLAN, QUICK, names, measure, table, claims
)
