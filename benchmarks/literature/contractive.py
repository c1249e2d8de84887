"""The contractive autoencoder's code moves less when the image does, at almost the same reconstruction.

Rifai et al. 2011. The same sigmoid layer is trained with a growing price on the Jacobian of its code, 0 being the plain
autoencoder. Both are of the test set: the cross-entropy, and the mean of the Jacobian's squared Frobenius norm.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.literature.number import Job, Number, Plan, Row, Rows, markdown, spread

COMPARABLE = 1.02  # a reconstruction is, if it costs at most 2 % more
PLAN: Plan = {
    "data": "mnist", "latent": 128, "weights": [0.0, 0.1, 0.3, 1.0, 3.0], "epochs": 3, "batch_size": 128, "lr": 1e-3,
    "seeds": 2,
}  # fmt: skip
QUICK: Plan = PLAN | {
    "data": "digits",
    "latent": 32,
    "weights": [0.0, 0.3, 1.0],
    "epochs": 12,
    "batch_size": 32,
    "seeds": 2,
}


def names(plan: Plan) -> Sequence[str]:
    """Return a row for each price."""
    return [f"{weight:g}" for weight in plan["weights"]]


def measure(name: str, job: Job) -> Row:
    """Train with several seeds and return reconstruction and squared norm for each."""
    row: Row = {"bce": [], "jacobian": []}
    for one in range(job.seed, job.seed + job.plan["seeds"]):
        last = job.train(job.config("contractive", {"weight": float(name)}, seed=one))[1][-1]
        row["bce"].append(last.reconstruction)
        row["jacobian"].append(last.parts["contraction"])
    return row


def table(rows: Rows) -> str:
    """Return reconstruction and norm by the price."""
    plain = np.mean(rows["0"]["bce"])
    cells = [
        [name, spread(row["bce"]), f"{100 * (np.mean(row['bce']) / plain - 1):+.2f} %", spread(row["jacobian"])]
        for name, row in rows.items()
    ]
    return markdown(
        ["weight of the price", "cross-entropy, nats", "beside plain", "squared norm of the Jacobian"], cells
    )


def claims(rows: Rows) -> Mapping[str, bool]:
    """Return whether the norm falls with the price, and whether it is smaller at a comparable reconstruction."""
    norms = [float(np.mean(row["jacobian"])) for row in rows.values()]
    plain = rows["0"]
    cheap = [
        row["jacobian"]
        for row in rows.values()
        if row is not plain and np.mean(row["bce"]) <= COMPARABLE * np.mean(plain["bce"])
    ]
    return {
        "the norm falls with every rise of the price": norms == sorted(norms, reverse=True),
        f"a smaller norm than the plain one's at no more than {COMPARABLE:.0%} of its cross-entropy": any(
            max(norm) < min(plain["jacobian"]) for norm in cheap
        ),
    }


NUMBER = Number("contractive", "Contractive: the Jacobian's price", PLAN, QUICK, names, measure, table, claims)
