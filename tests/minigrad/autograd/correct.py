"""Right gradients that the checker must not complain of: every operation of the table, at ordinary and at hard points.

A regime says where: smooth points, exactly on kinks and ties, near kinks (1e-12 to 1e-3 away), values that pass through
float32, and very small or large values.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

import minigrad
from minigrad.autograd import Report, gradcheck, gradgradcheck
from minigrad.autograd.gradcheck import GradcheckError
from tests.minigrad.ops.cases import Case, anything, positive, values
from tests.minigrad.ops.compare import tensors_in
from tests.minigrad.ops.table import ROWS, Row

REGIMES = ("smooth", "kinks", "near", "float32", "tiny", "large")


# What the checker finds rightly: gradients that are not those of the function, at the places named.
FOUND = {
    "where with unused branch": REGIMES,  # sqrt(x) of negative x: 0 * nan
    "sinc": ("near", "tiny"),  # (cos x - sin x / x) / x loses all digits near 0
    "clamp by tensors": ("kinks",),  # where the bounds meet, PyTorch's convention sends no gradient to either
    "binary_cross_entropy": ("large",),  # at p = 1 the loss is cut off and the target's gradient, log 0, is not
    "to float16": ("float32", "tiny"),  # steps so wide that no difference is smaller than them
}


class Trial(NamedTuple):
    row: str
    regime: str
    report: Report | None  # None: right
    inputs: list[np.ndarray]
    options: dict[str, Any]


def draws(row: Row, count: int, start: int) -> list[Case]:
    """Random cases of a row of the table."""
    found: list[Case] = []

    @seed(start)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=row.cases)
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found


def inputs(rng: np.random.Generator, row: Row, case: Case, regime: str) -> list[np.ndarray]:
    """Values for the case in a regime; of rows with a domain, positive ones may be scaled."""
    found = []
    for shape in case.shapes:
        if regime == "kinks":
            x = values(rng, shape, "kinks", row.domain)
        elif regime == "near":
            x = values(rng, shape, "kinks", row.domain)
            x = x + rng.choice([-1.0, 1.0], shape) * 10.0 ** rng.uniform(-12, -3, shape)
        else:
            x = values(rng, shape, "smooth", row.domain)
            if row.domain in (anything, positive) and regime in ("tiny", "large"):
                x = x * (10.0 ** (rng.uniform(-8, -2) if regime == "tiny" else rng.uniform(0.5, 3)))
        found.append(np.asarray(row.domain(x) if regime in ("kinks", "near") else x))
    return found


def single(x: Any) -> Any:
    """The value through float32 and back."""
    return x.float().double()


def attempt(
    row: Row, case: Case, arrays: list[np.ndarray], regime: str, check: Callable[..., bool] = gradcheck
) -> Report | None:
    """Check the operation; None if its gradient was found right, or there is none to check."""
    options = {name: tensors_in(minigrad, o) for name, o in case.options.items()}

    def call(*xs: Any) -> Any:
        given_ = [single(x) for x in xs] if regime == "float32" else xs
        y = row.call(minigrad, *given_, **options)
        found = list(y) if isinstance(y, (tuple, list)) else [y]
        return tuple(single(o) if regime == "float32" and o.is_floating_point() else o for o in found)

    xs = [minigrad.tensor(a, dtype=minigrad.float64, requires_grad=True) for a in arrays]
    try:
        outputs = call(*xs)
    except (RuntimeError, IndexError, ValueError):
        return None  # an invalid case: the table has those, too
    if not any(o.requires_grad for o in outputs):
        return None
    try:
        check(call, xs)
    except GradcheckError as error:
        return error.report
    return None


def trials(count: int, start: int = 0, rows: list[Row] | None = None) -> Iterator[Trial]:
    """``count`` cases for each row, spread over the regimes."""
    rng = np.random.default_rng(start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for row in ROWS if rows is None else rows:
            if not row.order:
                continue
            for i, case in enumerate(draws(row, count, start)):
                regime = REGIMES[i % len(REGIMES)]
                if regime in FOUND.get(row.name, ()):
                    continue
                arrays = inputs(rng, row, case, regime)
                yield Trial(row.name, regime, attempt(row, case, arrays, regime), arrays, case.options)


def twice(rows: list[Row], start: int) -> Iterator[Trial]:
    """A smooth case of each row, checked to first order, and to second where the table compares that."""
    rng = np.random.default_rng(start)
    for row in rows:
        if not row.order or "smooth" in FOUND.get(row.name, ()):
            continue
        for case in draws(row, 1, start):
            arrays = inputs(rng, row, case, "smooth")
            for check in (gradcheck, gradgradcheck)[: row.order]:
                yield Trial(row.name, "smooth", attempt(row, case, arrays, "smooth", check), arrays, case.options)
