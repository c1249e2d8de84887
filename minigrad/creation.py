"""New tensors from data, and from a shape and a value.

Python floats give the default floating type (float32), integers int64, bools bool; NumPy data keeps its type.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.attributes import check_device, contiguous_format
from minigrad.grad_mode import mode
from minigrad.ops.dims import laid_like
from minigrad.ops.joining import stack
from minigrad.ops.shape import broadcast_to, shape_of
from minigrad.rounding import scale_and_shift
from minigrad.tensor import Tensor


def _finish(array: np.ndarray, requires_grad: bool, device: Any = None) -> Tensor:
    check_device(device)
    found = Tensor.wrap(array)
    return found.requires_grad_() if requires_grad else found


def _array(data: Any, dtype: Any) -> np.ndarray:
    """The data as an array of PyTorch's type for it; shares memory where it can."""
    wanted = dtypes.to_numpy(dtype)
    if isinstance(data, Tensor):
        array = data.array
    elif isinstance(data, (np.ndarray, np.generic)):
        array = np.asarray(data)
    else:
        try:
            array = np.asarray(_plain(data))
            wanted = wanted or _own_type(data)
        except ValueError as error:
            raise ValueError(f"a tensor needs rows of equal length: {error}") from None
        if array.dtype.kind == "f" and wanted is None:
            wanted = dtypes.default.numpy
        if array.size == 0 and wanted is None:
            wanted = dtypes.default.numpy
    if array.dtype.kind in "OSU":
        raise TypeError(
            f"a tensor holds numbers, got {type(data).__name__} with elements such as {np.ravel(array)[:1].tolist()!r}"
        )
    return array.astype(dtypes.from_numpy(array.dtype).dtype if wanted is None else wanted, copy=False)


def _own_type(data: Any) -> np.dtype | None:
    """The common type of what in nested lists has a floating type of its own: NumPy's scalars, arrays and tensors."""
    if isinstance(data, (list, tuple)):
        found = [t for t in map(_own_type, data) if t is not None]
        return np.result_type(*found) if found else None
    typed = data.array if isinstance(data, Tensor) else data
    return typed.dtype if isinstance(typed, (np.ndarray, np.generic)) and typed.dtype.kind == "f" else None


def _plain(data: Any) -> Any:
    if isinstance(data, (list, tuple)):
        return [_plain(d) for d in data]
    return data.array if isinstance(data, Tensor) else data


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A tensor with a copy of ``data``: numbers, nested lists, arrays, tensors.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.tensor.html
    """
    found = _finish(np.array(_array(data, dtype), order="C"), requires_grad, device)
    if mode.tape is not None:
        mode.tape.cut(data, found, "tensor")
    return found


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """``data`` itself if it is a tensor of that type; else a tensor that shares its memory if it can."""
    check_device(device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    return Tensor.wrap(_array(data, dtype))


asarray = as_tensor


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor that shares the memory of an array."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__}): use tensor() for lists and numbers")
    dtypes.from_numpy(ndarray.dtype)
    found = Tensor.wrap(ndarray)
    if mode.tape is not None:
        mode.tape.cut(ndarray, found, "from_numpy")
    return found


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of shape ``size`` filled with one value, whose type decides unless ``dtype`` is given."""
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    wanted = _array(float(value) if isinstance(value, np.floating) else value, dtype).dtype
    return _finish(np.full(shape_of((size,)), value, wanted), requires_grad, device)


def _filled(shape: tuple[int, ...], value: int, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    wanted = dtypes.default.numpy if dtype is None else dtypes.to_numpy(dtype)
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension: {list(shape)}")
    return _finish(np.zeros(shape, wanted) if value == 0 else np.full(shape, value, wanted), requires_grad, device)


def zeros(*sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of a shape, given as ``zeros(2, 3)`` or ``zeros((2, 3))``."""
    return _filled(shape_of(sizes, size), 0, dtype, device, requires_grad)


def ones(*sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of a shape."""
    return _filled(shape_of(sizes, size), 1, dtype, device, requires_grad)


def empty(*sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor whose values do not matter yet (they are zeros here)."""
    return _filled(shape_of(sizes, size), 0, dtype, device, requires_grad)


def _like(input: Tensor, value: Any, dtype: Any, device: Any, requires_grad: bool, memory_format: Any = None) -> Tensor:
    wanted = input.array.dtype if dtype is None else dtypes.to_numpy(dtype)
    if memory_format == contiguous_format:
        return _finish(np.full(input.array.shape, value, wanted), requires_grad, device)
    return _finish(laid_like(input.array, lambda shape: np.full(shape, value, wanted)), requires_grad, device)


def zeros_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None
) -> Tensor:
    """Zeros of the shape and type of ``input``, lying in memory as ``input`` does."""
    return _like(input, 0, dtype, device, requires_grad, memory_format)


def ones_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None
) -> Tensor:
    """Ones of the shape and type of ``input``."""
    return _like(input, 1, dtype, device, requires_grad, memory_format)


def empty_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None
) -> Tensor:
    """``empty`` of the shape and type of ``input``."""
    return _like(input, 0, dtype, device, requires_grad, memory_format)


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """``full`` of the shape and type of ``input``."""
    return _like(input, fill_value, dtype, device, requires_grad, memory_format)


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones on the diagonal of an ``(n, m)`` matrix of zeros."""
    wanted = dtypes.default.numpy if dtype is None else dtypes.to_numpy(dtype)
    return _finish(np.eye(n, m, dtype=wanted), requires_grad, device)


def arange(*args: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, **names: Any) -> Tensor:
    """``start, start + step, ...`` below ``end``; of integers int64, else the default floating type."""
    start, end, step = (0, *args, 1) if len(args) == 1 else (*args, 1)[:3] if len(args) > 1 else (0, None, 1)
    start, end, step = names.get("start", start), names.get("end", end), names.get("step", step)
    start, end, step = (v.item() if isinstance(v, Tensor) else v for v in (start, end, step))
    if step == 0 or (end - start) / step < 0:
        raise RuntimeError(f"upper bound and lower bound inconsistent with step sign: arange({start}, {end}, {step})")
    floating = any(isinstance(v, float) for v in (start, end, step))
    wanted = dtypes.to_numpy(dtype) or (dtypes.default.numpy if floating else np.dtype(np.int64))
    count = int(np.ceil((end - start) / step))
    return _finish((start + np.arange(count) * step).astype(wanted), requires_grad, device)


def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """``steps`` values from ``start`` to ``end``, both included, at equal distances."""
    if steps < 0:
        raise RuntimeError(f"number of steps must be non-negative, got {steps}")
    wanted = dtypes.default.numpy if dtype is None else dtypes.to_numpy(dtype)
    assert wanted is not None
    if steps <= 1 or wanted.kind != "f":
        return _finish(np.linspace(start, end, steps).astype(wanted), requires_grad, device)
    # PyTorch counts the first half from the start and the second from the end, in the type of the result.
    step = wanted.type((wanted.type(end) - wanted.type(start)) / wanted.type(steps - 1))
    i = np.arange(steps)
    up = scale_and_shift(i.astype(wanted), float(step), float(wanted.type(start)))
    down = scale_and_shift((steps - 1 - i).astype(wanted), -float(step), float(wanted.type(end)))
    return _finish(np.where(i < steps // 2, up, down).astype(wanted), requires_grad, device)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """The coordinates of a grid, one tensor an axis; ``indexing="xy"`` exchanges the first two axes."""
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    found = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else list(tensors)
    exchanged = indexing == "xy" and len(found) > 1
    axes = [1, 0, *range(2, len(found))] if exchanged else list(range(len(found)))
    shape = tuple(found[axis].numel() for axis in axes)
    return tuple(
        broadcast_to(x.reshape(tuple(-1 if axes[k] == i else 1 for k in range(len(found)))), shape)
        for i, x in enumerate(found)
    )


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``base ** x`` for ``steps`` values x from ``start`` to ``end``."""
    exponents = linspace(start, end, steps, dtype="float64" if dtype is None else dtype, device=device)
    wanted = dtypes.default.numpy if dtype is None else dtypes.to_numpy(dtype)
    return _finish((base**exponents.array).astype(wanted), requires_grad)


def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A number as a tensor of the default floating type."""
    return full((), s, dtype=dtypes.get_default_dtype() if dtype is None else dtype, requires_grad=requires_grad)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The row and column numbers of the lower triangle of a matrix, row by row."""
    return _finish(np.array(np.tril_indices(row, offset, col), dtypes.to_numpy(dtype) or np.int64), False, device)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The row and column numbers of the upper triangle of a matrix, row by row."""
    return _finish(np.array(np.triu_indices(row, offset, col), dtypes.to_numpy(dtype) or np.int64), False, device)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """Every combination of an element of each vector, a row each."""
    if len(tensors) == 1:
        return tensors[0]
    return stack([grid.flatten() for grid in meshgrid(*tensors)], 1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Every choice of ``r`` elements of a vector, in order, a row each."""
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = np.array(list(choose(range(len(input)), r)), np.int64).reshape(-1, r)
    return input[Tensor.wrap(places)]
