"""Measures the checker: hit rates on wrong rules, false alarms on right ones, and the confusion matrix as a file.

python -m tests.minigrad.autograd.confusion            # all of it; rewrites minigrad/autograd/CONFUSION.md
python -m tests.minigrad.autograd.confusion --right 2  # fewer right cases for each operation, nothing rewritten
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd import Report, diagnose
from tests.minigrad.autograd import catalogue_arrays  # noqa: F401  # adds its operations to the catalogue
from tests.minigrad.autograd.catalogue import LABELS, OPERATIONS, Operation
from tests.minigrad.autograd.edited import bent

SIZES = ((3, 5, 7), (7, 3, 5))


class Result(NamedTuple):
    operation: str
    label: str
    report: Report
    hit: bool


def inputs_of(operation: Operation, seed: int) -> list[tuple[Any, ...]]:
    """Two draws of the operation's inputs, of different sizes."""
    rng = np.random.default_rng(seed)
    return [operation.make(rng, *sizes) for sizes in SIZES]


def judge(operation: Operation, label: str, rule: Any, reference: bool, seed: int = 0) -> Result:
    """What the checker says of a wrong rule, and whether that is its name."""
    first, *more = inputs_of(operation, seed)
    wrt = list(operation.right) if isinstance(operation.right, dict) else None
    report = diagnose(
        operation.forward, rule, first, more=more, wrt=wrt, reference=operation.right if reference else None, seed=seed
    )
    return Result(operation.name, label, report, report.code in LABELS[label])


def by_hand(reference: bool, seed: int = 0) -> list[Result]:
    """All wrong rules of the catalogue."""
    return [judge(op, label, rule, reference, seed) for op in OPERATIONS for label, rule in op.wrong]


def by_machine(reference: bool, seed: int = 0) -> list[tuple[str, Result]]:
    """All bent rules, by name."""
    found = []
    for op in OPERATIONS:
        for label, name, rules in bent(op, inputs_of(op, seed)):
            found.append((name, judge(op, label, rules, reference, seed)))
    return found
