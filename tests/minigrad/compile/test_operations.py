"""Every operation of the table, compiled: forward and backward give the bits that the operation itself gives."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import minigrad
from tests.minigrad.ops.cases import laid_out, values
from tests.minigrad.ops.compare import run
from tests.minigrad.ops.row import Row
from tests.minigrad.ops.table import ROWS

few = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def traces(row: Row, case: Any, function: Any, arrays: list[np.ndarray], wanted: list[bool]) -> list[Any]:
    """The outputs and gradients as bytes."""
    inputs = [minigrad.from_numpy(a.copy("K")) for a in arrays]
    inputs = [x.requires_grad_() if w and x.is_floating_point() else x for x, w in zip(inputs, wanted, strict=True)]
    outputs = function(*inputs)
    found = [y for y in outputs if isinstance(y, minigrad.Tensor)]
    flowing = [y for y in found if y.requires_grad]
    ends = [x for x in inputs if x.requires_grad]
    gradients: Any = ()
    if flowing:
        seeds = [minigrad.full_like(y, 0.5).detach() for y in flowing]
        gradients = minigrad.autograd.grad(flowing, ends, seeds, allow_unused=True)
    return [repr(y) if not isinstance(y, minigrad.Tensor) else y.detach().numpy().tobytes() for y in outputs] + [
        None if g is None else (g.dtype, tuple(g.shape), g.detach().numpy().tobytes()) for g in gradients
    ]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
@few
@given(data=st.data())
def test_compiled_operation_gives_the_same_bits(row: Row, data: Any) -> None:
    case = data.draw(row.cases)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    dtype = data.draw(st.sampled_from(["float64", "float32"]))
    layout = data.draw(st.sampled_from(["C", "C", "F"]))
    wanted = [bool(rng.random() < 0.8) for _ in case.shapes]

    def step(*inputs: Any) -> list[Any]:
        return run(minigrad, row, case, inputs)

    compiled = minigrad.compile(step)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for regime in ("smooth", "smooth", "smooth", "kinks", "smooth"):
            arrays = [laid_out(values(rng, s, regime, row.domain).astype(dtype), layout) for s in case.shapes]
            try:
                expected: Any = traces(row, case, step, arrays, wanted)
            except (RuntimeError, IndexError, ValueError, TypeError) as error:
                with pytest.raises(type(error)):
                    traces(row, case, compiled, arrays, wanted)
                continue
            assert traces(row, case, compiled, arrays, wanted) == expected
    assert not caught, str(caught[0].message)
