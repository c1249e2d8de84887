"""What is measured: every work by name, as plain data. How an engine does it stands in `benchmarks/engines`.

A work names its kind (the program) and the parameters (the sizes). Works of one family differ only in `size`; they
share their processes and make one line of a plot. Groups are what a user asks for: `--works steps`.
"""

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

SEED = 0

OPERATIONS = ("add", "multiply", "exp", "tanh", "relu", "sum", "log_softmax", "matmul")
SIZES = tuple(10**exponent for exponent in range(1, 8))


@dataclass(frozen=True)
class Work:
    """One thing to measure; `check` replaces parameters where the results are compared, to keep that short."""

    name: str
    title: str
    group: str
    kind: str
    parameters: dict[str, Any]
    family: str
    size: int | None = None
    axis: str | None = None
    check: dict[str, Any] = field(default_factory=dict)


def _steps() -> list[Work]:
    tutorial = {"pixels": 25, "hidden": 10}
    large = {"pixels": 784, "hidden": 400, "latent": 20, "batch": 128}
    small = {"pixels": 64, "hidden": 32, "latent": 8, "batch": 32}
    deep = {"widths": [256] * 13, "batch": 64, "activation": "Tanh", "activate_last": True}
    wide = {"widths": [2048] * 3, "batch": 256, "activation": "ReLU", "activate_last": False}
    rows: list[tuple[str, str, str, dict[str, Any]]] = [
        ("tutorial", "25-10-25 AE, batch 1, SGD", "tutorial", tutorial),
        ("vae", "VAE 784-400-20, batch 128, Adam", "vae", large),
        ("vae-digits", "VAE 64-32-8, batch 32, Adam", "vae", small),
        ("deep", "12 x Linear(256) + tanh, batch 64, Adam", "mlp", deep),
        ("wide", "2048-2048-2048 AE, batch 256, Adam", "mlp", wide),
    ]
    return [Work(name, title, "steps", kind, parameters, name) for name, title, kind, parameters in rows]


def _operations() -> list[Work]:
    works = []
    for operation in OPERATIONS:
        for direction in ("forward", "both"):
            family = f"{operation}/{direction}"
            what = "forward" if direction == "forward" else "forward and backward"
            for size in SIZES:
                parameters = {"operation": operation, "direction": direction, "size": size}
                title = f"{operation}, {what}, {size:,} elements"
                name = f"{family}/{size}"
                works.append(Work(name, title, "operations", "operation", parameters, family, size, "elements"))
    return works


def _mlps() -> list[Work]:
    sweeps = {
        "width": ((8, 32, 128, 512, 2048), lambda n: ([n] * 5, 64)),
        "depth": ((1, 4, 16, 64), lambda n: ([64] * (n + 1), 64)),
        "batch": ((1, 8, 64, 512, 4096), lambda n: ([256] * 5, n)),
    }
    works = []
    for axis, (sizes, shape) in sweeps.items():
        for size in sizes:
            widths, batch = shape(size)
            parameters = {"widths": widths, "batch": batch, "activation": "ReLU", "activate_last": False}
            title = f"MLP {len(widths) - 1} x {widths[0]}, batch {batch}, Adam"
            works.append(Work(f"mlp/{axis}/{size}", title, "mlp", "mlp", parameters, f"mlp/{axis}", size, axis))
    return works


def _sweep(group: str, kind: str, key: str, axis: str, sizes: Iterable[int], title: str, **fixed: Any) -> list[Work]:
    return [
        Work(f"{group}/{size}", title.format(size), group, kind, {key: size, **fixed}, group, size, axis)
        for size in sizes
    ]


WORKS: tuple[Work, ...] = (
    *_steps(),
    *_operations(),
    *_mlps(),
    *_sweep(
        "chain", "chain", "length", "operations", (10, 100, 1000, 10000), "chain of {:,} sines, 10 numbers", size=10
    ),
    *_sweep(
        "double-backward",
        "penalty",
        "width",
        "width",
        (8, 64, 512),
        "gradient penalty, 2 x Linear({}) + tanh",
        batch=64,
    ),
    *_sweep("gradcheck", "gradcheck", "size", "inputs", (4, 16, 64), "gradient check of tanh(xW), {} inputs"),
    *_sweep(
        "loading", "loading", "batch", "batch", (16, 128, 1024), "shuffled batches of {} from 8,192 x 784", rows=8192
    ),
    Work(
        "epoch",
        "an epoch of the VAE 784-400-20 on MNIST's 60,000 images",
        "epoch",
        "epoch",
        {"pixels": 784, "hidden": 400, "latent": 20, "batch": 128, "images": 60000},
        "epoch",
        check={"images": 640},
    ),
)

GROUPS = tuple(dict.fromkeys(work.group for work in WORKS))


def select(patterns: Iterable[str]) -> list[Work]:
    """Return the works that a group's, a family's or a work's name, or a pattern such as `exp/*`, asks for.

    Raises ValueError for a pattern that fits nothing.
    """
    chosen: dict[str, Work] = {}
    patterns = list(patterns)
    if not patterns:
        raise ValueError(f"no work is named; groups are {', '.join(GROUPS)}")
    for pattern in patterns:
        found = [
            work
            for work in WORKS
            if pattern in ("all", work.group, work.family) or fnmatch.fnmatchcase(work.name, pattern)
        ]
        if not found:
            raise ValueError(
                f"no work is called {pattern!r}; groups are {', '.join(GROUPS)}, and `python -m benchmarks list` names all"
            )
        chosen |= {work.name: work for work in found}
    return [work for work in WORKS if work.name in chosen]
