"""Choosing between values, element by element: ``where``, and a mask that is exact also at inf and nan."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import default, promote
from minigrad.engine import Primitive, TensorBase, cast, define
from minigrad.ops.dims import takes_out
from minigrad.ops.inspect import nonzero


@Primitive
def _where(condition: Any, x: Any, other: Any) -> Any:
    return np.where(condition, *promote(x, other))


_where.vjp(x=lambda g, condition: _where(condition, g, 0.0), other=lambda g, condition: _where(condition, 0.0, g))


@takes_out
def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """``input`` where ``condition`` holds, else ``other``; of a condition alone, the indices of what is not 0."""
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    kind = condition.array.dtype.kind if isinstance(condition, TensorBase) else np.asanyarray(condition).dtype.kind
    if kind not in "bu":
        raise RuntimeError("where expected condition to be a boolean tensor, as x > 0 gives")
    typed = (TensorBase, np.ndarray) if isinstance(condition, TensorBase) else (TensorBase, np.ndarray, np.generic)
    if not any(isinstance(v, typed) for v in (input, other)):
        input, other = (
            np.asanyarray(v, default.numpy) if isinstance(v, float) else np.asanyarray(v) for v in (input, other)
        )
    return _where(condition, input, other)


_BITS = {2: np.int16, 4: np.int32, 8: np.int64}


@define("MulBackward0")
def keep(x: Any, mask: Any) -> Any:
    """``x`` where ``mask`` holds and exactly 0 elsewhere, also where ``x`` is inf or nan."""
    bits = x.view(_BITS[x.itemsize])
    return np.multiply(bits, mask).view(x.dtype)  # a float's bits times 0 or 1, five times as fast as np.where


keep.vjp(x=lambda g, mask: keep(g, mask))


def cast_like(x: Any, g: Any) -> Any:
    """``x`` in the element type of ``g``."""
    target = g.array.dtype if isinstance(g, TensorBase) else g.dtype
    return cast(x, target)
