"""Every row of the table against PyTorch: values, types, gradients and second gradients on random cases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.minigrad.ops.cases import LAYOUTS, laid_out, numbers, values
from tests.minigrad.ops.compare import compare
from tests.minigrad.ops.row import Row
from tests.minigrad.ops.table import ROWS

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning"
)  # PyTorch's advice, such as var with no degrees of freedom

few = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # a failing case is small as it is
    suppress_health_check=list(HealthCheck),
)
every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


def arrays_for(data: Any, row: Row, regime: str, dtypes: list[str]) -> tuple[Any, list[np.ndarray], list[bool], int]:
    case = data.draw(row.cases)
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    dtype = data.draw(st.sampled_from(dtypes))
    layout = data.draw(st.sampled_from(LAYOUTS))
    arrays = [laid_out(values(rng, s, regime, row.domain).astype(dtype), layout) for s in case.shapes]
    wanted = [bool(rng.random() < 0.8) for _ in arrays]
    if not any(wanted):
        wanted[-1] = True
    return case, arrays, wanted, seed


@every_row
@few
@given(data=st.data())
def test_row_agrees_with_pytorch_where_smooth(row: Row, data: Any) -> None:
    case, arrays, wanted, seed = arrays_for(data, row, "smooth", ["float64", "float64", "float32"])
    compare(row, case, arrays, wanted, 2, seed)


@every_row
@few
@given(data=st.data())
def test_row_agrees_with_pytorch_at_kinks_and_ties(row: Row, data: Any) -> None:
    case, arrays, wanted, seed = arrays_for(data, row, "kinks", ["float64", "float64", "float32"])
    compare(row, case, arrays, wanted, row.kinks, seed)


@every_row
@few
@given(data=st.data())
def test_row_agrees_with_pytorch_at_nan_inf_and_saturation(row: Row, data: Any) -> None:
    case, arrays, wanted, seed = arrays_for(data, row, "special", ["float64", "float32"])
    if row.special >= 0:
        compare(row, case, arrays, wanted, row.special, seed)


KINDS = {
    "f": ["float16", "float32", "float64"],
    "d": ["float32", "float64"],
    "i": ["int64", "int32", "int16", "int8", "uint8"],
    "b": ["bool"],
}


@every_row
@few
@given(data=st.data())
def test_row_has_the_types_of_pytorch(row: Row, data: Any) -> None:
    case = data.draw(row.cases)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    every = [name for kind in row.dtypes for name in KINDS[kind]]
    dtypes = [data.draw(st.sampled_from(every)) for _ in case.shapes]
    arrays = [
        numbers(rng, s, np.dtype(d if row.mixed else dtypes[0])) for s, d in zip(case.shapes, dtypes, strict=True)
    ]
    compare(row, case, arrays, [False] * len(arrays), 0, 0)
