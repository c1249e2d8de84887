"""``grad_fn`` has PyTorch's name for every row of the table, but for exceptions that have a reason each."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, settings

import minigrad
from tests.minigrad.ops.cases import Case, values
from tests.minigrad.ops.compare import attempt, leaves
from tests.minigrad.ops.row import Row
from tests.minigrad.ops.table import ROWS

MADE_OF_OTHERS = "a composition of operations that have PyTorch's names; there it is one operation"
ONE_HERE = "one operation here, a composition in PyTorch"
EXCEPTIONS = {
    **dict.fromkeys(
        [
            "addmv", "aminmax", "atleast_2d", "atleast_3d", "baddbmm", "cdist", "cov", "diag_embed", "dist", "index_put",
            "quantile", "repeat_interleave alike", "rot90", "std_mean", "tensor_split", "var_mean", "vdot",
        ],
        MADE_OF_OTHERS,
    ),
    **dict.fromkeys(["cbrt", "einsum", "einsum ii->i", "einsum ii,i->i", "einsum iji->j", "gaussian_kl"], ONE_HERE),
    **dict.fromkeys(["sum", "mean"], "dim=None is the same as no dim here; PyTorch has two names"),
    **dict.fromkeys(["matmul", "@"], "PyTorch folds stacks into one matrix and views the product"),
    **dict.fromkeys(["cross_entropy", "nll_loss"], "PyTorch has another kernel for images of classes"),
    "diff": "PyTorch copies for n = 0, which here is the input itself",
    "index_fill by a tensor": "PyTorch has a second name where the value is a tensor",
    "movedim of a number": "PyTorch calls moving nothing an alias",
    "rsub": "the name is that of 1 - x, which is met more often than rsub(x, y)",
}  # fmt: skip


def names(m: object, row: Row, case: Case) -> list[str]:
    arrays = [np.asarray(values(np.random.default_rng(0), s, "smooth", row.domain)) for s in case.shapes]
    outputs = attempt(m, row, case, leaves(m, arrays, [True] * len(arrays)))
    if isinstance(outputs, Exception):
        return []
    return [y.grad_fn.name().rpartition("::")[2] if y.grad_fn is not None else "" for y in outputs]


def differs(row: Row) -> bool:
    found = []

    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=row.cases)
    def look(case: Case) -> None:
        found.append(names(minigrad, row, case) != names(torch, row, case))

    look()
    return any(found)


def test_only_the_exceptions_have_other_names() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = {row.name for row in ROWS if row.order and differs(row)}
    assert not other - set(EXCEPTIONS)
