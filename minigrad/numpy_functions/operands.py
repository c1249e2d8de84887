"""What the functions are given, made ready for the operations: types, common types, axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from minigrad import dtypes
from minigrad.engine import TensorBase, cast
from minigrad.ops import index as i
from minigrad.ops.dims import along, array_of

Axis = int | tuple[int, ...] | None


def operand(x: Any) -> Any:
    """A tensor or a number as it is, anything else as an array. Raises TypeError for a type that tensors do not have."""
    if isinstance(x, (TensorBase, int, float, np.integer, np.floating, np.bool_)):
        return x
    array = np.asarray(x)
    dtypes.from_numpy(array.dtype)
    return array


def arrays(*xs: Any) -> list[Any]:
    """The operands as tensors and arrays of their common type."""
    operands = [operand(x) for x in xs]
    common = dtypes.result_dtype(*[x.array if isinstance(x, TensorBase) else x for x in operands])
    return [cast(x, common) if isinstance(x, TensorBase) else np.asarray(x, common) for x in operands]


def converted(a: Any, dtype: Any) -> Any:
    """``a`` in NumPy's ``dtype`` (``float`` is float64 here), or as it is for None."""
    if dtype is None:
        return a
    wanted = dtypes.from_numpy(dtype).dtype
    return a if array_of(a).dtype == wanted else cast(a, wanted)


def floating(a: Any) -> Any:
    """``a``, integers and bools as the default floating type."""
    return a if array_of(a).dtype.kind == "f" else cast(a, dtypes.default.numpy)


def axes_of(a: Any, axis: Axis) -> tuple[int, ...]:
    """The axes from the front; None means all of them, and (), unlike in PyTorch, none."""
    ndim = array_of(a).ndim
    if ndim == 0 and axis in (0, -1):
        return ()  # as NumPy's ufunc.reduce has it
    return tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)


def part(a: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return i.getitem(a, along(axis, slice(start, stop)))
