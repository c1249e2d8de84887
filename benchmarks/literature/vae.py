"""The VAE of PyTorch's examples on MNIST, on minigrad and, if it is installed, the same program and seed on PyTorch.

784-400-20, batches of 128, Adam at 1e-3, grey pixels, ten epochs. Two published logs of the example end at 105.589 and
105.559 nats per test image. Rounding grows into other random choices of the same quality after some hundred steps, so
the two curves agree to a tenth of a nat and not to the last digit.
"""

import dataclasses
import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence

from ae.train import Config
from benchmarks.literature.number import Job, Number, Plan, Row, Rows, markdown

PUBLISHED, TOLERANCE = 105.6, 0.3
PLAN: Plan = {"data": "mnist", "hidden": [400], "latent": 20, "epochs": 10, "batch_size": 128, "lr": 1e-3}
QUICK: Plan = PLAN | {"data": "digits", "hidden": [32], "latent": 8, "epochs": 2}


def names(plan: Plan) -> Sequence[str]:
    """Return the packages that are there."""
    return ["minigrad", *(["PyTorch"] if importlib.util.find_spec("torch") else [])]


def measure(name: str, job: Job) -> Row:
    """Train on a package and return the test loss after every epoch."""
    config = job.config("vae")
    if name == "minigrad":
        lines = [dataclasses.asdict(line) for line in job.train(config)[1]]
    else:
        lines = _on_torch(config, job)
    return {key: [line[key] for line in lines] for key in ("test_loss", "reconstruction", "kl")}


def _on_torch(config: Config, job: Job) -> list[dict]:
    """Run the same configuration in a process where PyTorch stands in minigrad's place."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.literature.on_torch",
        json.dumps(dataclasses.asdict(config)),
        job.root or "",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = []
        for text in process.stdout:
            lines.append(json.loads(text))
            job.say(f"epoch {len(lines)} of {config.epochs}: {lines[-1]['test_loss']:.3f} on the test set")
    if process.returncode:
        raise RuntimeError(f"the run on PyTorch ended with status {process.returncode}; its error is above")
    return lines


def table(rows: Rows) -> str:
    """Return the test loss, reconstruction and KL apart from it after the last epoch, by epoch."""
    epochs = len(rows["minigrad"]["test_loss"])
    cells = [[name, *(f"{loss:.2f}" for loss in row["test_loss"])] for name, row in rows.items()]
    return markdown(["test loss after epoch", *map(str, range(1, epochs + 1))], cells)


def claims(rows: Rows) -> Mapping[str, bool]:
    """Return whether the last epoch's loss is the published one."""
    last = rows["minigrad"]["test_loss"][-1]
    return {f"{last:.2f} lies within {PUBLISHED} ± {TOLERANCE}": abs(last - PUBLISHED) <= TOLERANCE}


NUMBER = Number("vae", "VAE: PyTorch's example", PLAN, QUICK, names, measure, table, claims)
