"""The element types, named and printed as in PyTorch, and the common type of mixed operands.

A ``dtype`` here is a thin name for a NumPy dtype: inside the package arrays speak NumPy, a user sees ``torch.float32``.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np


class dtype:
    """An element type, such as ``minigrad.float32``. ``np.dtype(minigrad.float32)`` gives NumPy's.

    Source: https://docs.pytorch.org/docs/stable/tensor_attributes.html#torch.dtype
    """

    __slots__ = ("_name", "dtype")

    def __init__(self, name: str, numpy: Any) -> None:
        self._name = name
        self.dtype = np.dtype(numpy)  # NumPy's protocol: np.dtype(x) reads x.dtype

    @property
    def __numpy_dtype__(self) -> np.dtype:
        return self.dtype

    @property
    def is_floating_point(self) -> bool:
        return self.dtype.kind == "f"

    @property
    def is_complex(self) -> bool:
        return False

    @property
    def is_signed(self) -> bool:
        return self.dtype.kind in "if"

    @property
    def itemsize(self) -> int:
        """Bytes an element."""
        return self.dtype.itemsize

    def __repr__(self) -> str:
        return f"torch.{self._name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return from_numpy, (self.dtype.str,)  # there is one object per type, also after pickle and deepcopy


float16 = half = dtype("float16", np.float16)
float32 = float_ = dtype("float32", np.float32)
float64 = double = dtype("float64", np.float64)
uint8 = dtype("uint8", np.uint8)
int8 = dtype("int8", np.int8)
int16 = short = dtype("int16", np.int16)
int32 = int_ = dtype("int32", np.int32)
int64 = long = dtype("int64", np.int64)
bool_ = dtype("bool", np.bool_)

_BY_NUMPY = {t.dtype: t for t in (float16, float32, float64, uint8, int8, int16, int32, int64, bool_)}
_PYTHON = {bool: bool_.dtype, int: int64.dtype, float: float64.dtype}


class _Default:
    """The floating type of new tensors, which ``set_default_dtype`` changes."""

    numpy = np.dtype(np.float32)


default = _Default()


def get_default_dtype() -> dtype:
    """The floating type that new tensors get where none is given."""
    return _BY_NUMPY[default.numpy]


def set_default_dtype(d: dtype) -> None:
    """Make ``d`` the floating type of new tensors. Raises TypeError unless it is a floating type."""
    found = to_numpy(d)
    if found is None or found.kind != "f":
        raise TypeError(f"only floating-point types are supported as the default type, got {d}")
    default.numpy = found


def from_numpy(numpy: Any) -> dtype:
    """The ``dtype`` of a NumPy dtype. Raises TypeError for one that minigrad has no tensors of."""
    try:
        return _BY_NUMPY[np.dtype(numpy)]
    except KeyError:
        have = ", ".join(t._name for t in _BY_NUMPY.values())
        raise TypeError(
            f"minigrad has no tensors of type {np.dtype(numpy)}; it has {have}: convert with .astype()"
        ) from None


def to_numpy(d: Any) -> np.dtype | None:
    """NumPy's dtype of ``d``: a minigrad dtype, a NumPy dtype or type, or Python's ``float``, ``int``, ``bool``."""
    if d is None:
        return None
    if isinstance(d, dtype):
        return d.dtype
    if d in _PYTHON:
        return _PYTHON[d]
    return from_numpy(d).dtype


_KIND = {"b": 0, "u": 1, "i": 1, "f": 2}


def _kind_of_scalar(value: Any) -> tuple[int, np.dtype]:
    if isinstance(value, (bool, np.bool_)):
        return 0, bool_.dtype
    if isinstance(value, (int, np.integer)):
        return 1, int64.dtype
    if isinstance(value, (float, np.floating)):
        return 2, default.numpy
    raise TypeError(f"an operand must be a tensor, an array or a number, got {type(value).__name__}: {value!r}")


def result_dtype(*operands: Any) -> np.dtype:
    """The common type of operands by PyTorch's rule.

    Kinds are ordered bool < integer < floating. Within a kind, arrays of one or more dimensions outrank 0-d arrays,
    which outrank Python numbers; a lower rank counts only if it brings a higher kind.
    Source: https://docs.pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc
    """
    ranked: list[np.dtype | None] = [None, None, None]
    # A rule's own steps on 0-d arrays give NumPy scalars; between a user's array and NumPy's scalar the array decides.
    arrays = np.ndarray if any(isinstance(o, np.ndarray) for o in operands) else (np.ndarray, np.generic)
    for operand in operands:
        if isinstance(operand, arrays):
            rank, numpy = (0 if operand.ndim else 1), operand.dtype
        else:
            rank, numpy = 2, _kind_of_scalar(operand)[1]
        former = ranked[rank]
        ranked[rank] = numpy if former is None else promote_numpy(former, numpy)
    result = None
    for candidate in ranked:
        if candidate is not None and (result is None or _KIND[candidate.kind] > _KIND[result.kind]):
            result = candidate
    assert result is not None
    return result


def promote_numpy(a: np.dtype, b: np.dtype) -> np.dtype:
    """The common type of two arrays' types: as NumPy's, but a floating type never grows to hold an integer one."""
    if a == b:
        return a
    if (a.kind == "f") != (b.kind == "f"):
        return a if a.kind == "f" else b
    return np.promote_types(a, b)


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest type that both convert to, as ``torch.promote_types``."""
    return from_numpy(promote_numpy(type1.dtype, type2.dtype))


def promote(x: Any, other: Any) -> tuple[Any, Any]:
    """Both operands in their common type; the usual case, one type already, costs a comparison."""
    if isinstance(x, np.ndarray) and isinstance(other, np.ndarray):
        if x.dtype is other.dtype:
            return x, other
    elif isinstance(other, (float, int)) and not isinstance(other, np.generic) and x.dtype.kind == "f":
        return x, other  # NumPy, too, lets an array decide against a Python number
    return _promote(x, other)


def _promote(x: Any, other: Any) -> tuple[np.ndarray, np.ndarray]:
    common = result_dtype(x, other)
    # in two steps: a Python number out of the range of an integer type wraps around there, as in PyTorch
    return np.asanyarray(x).astype(common, copy=False), np.asanyarray(other).astype(common, copy=False)


@functools.lru_cache(1024)
def constant(value: float, dtype: np.dtype) -> np.ndarray:
    """A number as a 0-d array, which NumPy takes as an operand in half the time of a Python number. Not to be changed."""
    found = np.array(value, dtype)
    found.flags.writeable = False
    return found


@functools.lru_cache(64)
def _row(value: float, size: int, dtype: np.dtype) -> np.ndarray:
    found = np.full(size, value, dtype)
    found.flags.writeable = False
    return found


def bound(value: float, x: np.ndarray) -> np.ndarray:
    """A number for ``np.maximum`` or ``np.minimum`` with ``x``: the same for each row, or, not to be changed, for all."""
    # With a row of that number these two are twice as fast as with the number alone; to set up, they take longer.
    if x.size > 4096 and 128 <= x.shape[-1] <= 65536 and type(x) is np.ndarray:
        return _row(value, x.shape[-1], x.dtype)
    return constant(value, x.dtype)


def promote_float(x: np.ndarray) -> np.ndarray:
    """``x`` itself if it is floating, else ``x`` in the default floating type: what exp, sqrt, mean ... need."""
    return x if x.dtype.kind == "f" else x.astype(default.numpy)


class finfo:
    """The limits of a floating type: ``eps``, ``max``, ``min``, ``tiny``, ``bits``."""

    def __init__(self, type: Any = None) -> None:
        found = np.finfo(default.numpy if type is None else np.dtype(to_numpy(type)))
        self.bits, self.dtype = found.bits, found.dtype.name
        self.eps, self.max, self.min, self.tiny = (float(v) for v in (found.eps, found.max, found.min, found.tiny))
        self.smallest_normal, self.resolution = self.tiny, float(found.resolution)


class iinfo:
    """The limits of an integer type: ``max``, ``min``, ``bits``."""

    def __init__(self, type: Any) -> None:
        found = np.iinfo(np.dtype(to_numpy(type)))
        self.bits, self.dtype, self.max, self.min = found.bits, found.dtype.name, int(found.max), int(found.min)
