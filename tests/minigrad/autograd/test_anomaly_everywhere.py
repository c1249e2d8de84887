"""detect_anomaly on every operation there is: no false alarm, nothing overlooked, and no other error than its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
from minigrad.autograd.anomaly import AnomalyError
from tests.minigrad.ops.compare import attempt, leaves
from tests.minigrad.ops.row import Row
from tests.minigrad.ops.table import ROWS
from tests.minigrad.ops.test_table import arrays_for, few

fewer = settings(few, max_examples=6)  # the whole table is long
differentiable = [row for row in ROWS if row.order]


def program(row: Row, case: Any, arrays: list[np.ndarray], wanted: list[bool], g: float) -> list[np.ndarray] | None:
    """All values and gradients that take part in differentiation; None if the operation refuses its arguments."""
    inputs = leaves(minigrad, arrays, wanted)
    outputs = attempt(minigrad, row, case, inputs)
    if isinstance(outputs, AnomalyError):
        raise outputs
    if isinstance(outputs, Exception):
        return None
    recorded = [y for y in outputs if y.requires_grad and y.grad_fn is not None]
    if not recorded:
        return []
    ends = [x for x in inputs if x.requires_grad]
    gs = [minigrad.full_like(y, min(g, float(np.finfo(y.array.dtype).max))) for y in recorded]
    try:
        found = minigrad.autograd.grad(recorded, ends, gs, allow_unused=True)
    except np.linalg.LinAlgError:  # the rule needs an inverse that there is not
        return None
    return [x.detach().numpy() for x in (*recorded, *(x for x in found if x is not None))]


def finite(found: list[np.ndarray]) -> bool:
    return all(np.isfinite(x).all() for x in found)


@pytest.mark.parametrize("row", differentiable, ids=lambda row: row.name)
@fewer
@given(data=st.data())
def test_finite_values_and_gradients_raise_no_alarm(row: Row, data: Any) -> None:
    regime = data.draw(st.sampled_from(["smooth", "kinks"]))
    case, arrays, wanted, _ = arrays_for(data, row, regime, ["float64", "float32"])
    plain = program(row, case, arrays, wanted, 1.0)
    if plain is not None and finite(plain):
        with minigrad.autograd.detect_anomaly():
            watched = program(row, case, arrays, wanted, 1.0)
        assert watched is not None
        for a, b in zip(watched, plain, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("row", [row for row in differentiable if row.special >= 0], ids=lambda row: row.name)
@fewer
@given(data=st.data())
def test_what_is_not_finite_is_found_and_explained(row: Row, data: Any) -> None:
    case, arrays, wanted, seed = arrays_for(data, row, "special", ["float64", "float32"])
    g = [1.0, 0.0, 1e38][seed % 3]
    with minigrad.autograd.detect_anomaly():
        try:
            found = program(row, case, arrays, wanted, g)
        except AnomalyError as error:
            anomaly = error.anomaly
            assert anomaly.kind in str(anomaly)
            assert not np.isfinite(anomaly.value)
            return
    # an inf that came in may stay in the values, nan and infinite gradients may not
    assert found is None or not any(np.isnan(x).any() for x in found)
