"""Random tensors, drawn from the stream of PyTorch's CPU generator: the same seed gives the same numbers.

How the stream is made is in ``minigrad/generator.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.attributes import check_device, contiguous_format
from minigrad.generator import Generator as _Stream
from minigrad.generator import default_generator as _default
from minigrad.ops.dims import laid_like, memory_order
from minigrad.ops.shape import broadcast_shapes, shape_of
from minigrad.tensor import Tensor


class Generator(_Stream):
    """A stream of random numbers of its own.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Generator.html
    """

    def get_state(self) -> Any:
        return Tensor.wrap(super().get_state())

    def set_state(self, new_state: Any) -> Any:
        return super().set_state(new_state.array if isinstance(new_state, Tensor) else new_state)


def _face_of(stream: _Stream) -> Generator:
    """The same stream under its public face: all that it remembers is shared."""
    face = object.__new__(Generator)
    face.__dict__ = stream.__dict__
    return face


default_generator = _face_of(_default)


def stream(generator: _Stream | None = None) -> _Stream:
    """The given generator, or the default one."""
    return default_generator if generator is None else generator


def manual_seed(seed: int) -> _Stream:
    """Start the default stream anew, from ``seed``."""
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Start the default stream anew, from a seed of the operating system, which is returned."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default stream started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default stream, as bytes that ``set_rng_state`` (PyTorch's, too) accepts."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Continue the default stream from a state of ``get_rng_state``."""
    default_generator.set_state(new_state if isinstance(new_state, Tensor) else np.asanyarray(new_state))


def _finish(array: np.ndarray, requires_grad: bool, device: Any) -> Tensor:
    check_device(device)
    return Tensor.wrap(array).requires_grad_(requires_grad) if requires_grad else Tensor.wrap(array)


def _floating(dtype: Any) -> np.dtype:
    wanted = dtypes.default.numpy if dtype is None else dtypes.to_numpy(dtype)
    assert wanted is not None
    if wanted.kind != "f":
        raise RuntimeError(f"random floats need a floating type, got {wanted}: use randint for integers")
    return wanted


def rand(
    *sizes: Any,
    size: Any = None,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform on [0, 1)."""
    return _finish(stream(generator).uniform(shape_of(sizes, size), _floating(dtype)), requires_grad, device)


def randn(
    *sizes: Any,
    size: Any = None,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal with mean 0 and variance 1."""
    return _finish(stream(generator).normal(shape_of(sizes, size), _floating(dtype)), requires_grad, device)


def randint(
    *args: Any, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False, **names: Any
) -> Tensor:
    """``randint(low=0, high, size)``: integers in [low, high)."""
    size = names.get("size", args[-1] if args and not isinstance(args[-1], int) else None)
    bounds = [a for a in args if isinstance(a, int)]
    low = names.get("low", bounds[0] if len(bounds) > 1 else 0)
    high = names.get("high", bounds[-1] if bounds else None)
    if size is None or high is None:
        raise TypeError("randint(low=0, high, size): give high and a size, as in randint(10, (2, 3))")
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    wanted = np.dtype(np.int64) if dtype is None else dtypes.to_numpy(dtype)
    return _finish(stream(generator).integers(shape_of((size,)), low, high, wanted), requires_grad, device)


def randperm(n: int, *, generator: Any = None, dtype: Any = None, device: Any = None) -> Tensor:
    """The numbers 0 to n - 1 in random order."""
    return _finish(
        stream(generator).permutation(n, np.int64 if dtype is None else dtypes.to_numpy(dtype)), False, device
    )


def bernoulli(input: Tensor, p: float | None = None, *, generator: Any = None) -> Tensor:
    """1 with probability ``input``, or ``p``, else 0, element by element."""
    return input.bernoulli(p, generator=generator)


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal with the given mean and standard deviation, which may be tensors."""
    if size is not None:
        return _finish(stream(generator).normal(shape_of((size,)), _floating(dtype), mean, std), requires_grad, None)
    m, s = (v.array if isinstance(v, Tensor) else np.asanyarray(v, dtypes.default.numpy) for v in (mean, std))
    if s.size and s.min() < 0:
        raise RuntimeError(f"normal expects all elements of std >= 0.0, got {s.min()}")
    shape = broadcast_shapes(m.shape, s.shape)
    if not isinstance(std, Tensor):  # as PyTorch does: scaled while drawing, then shifted
        return Tensor.wrap(stream(generator).normal(shape, m.dtype, 0.0, float(std)) + m)
    return Tensor.wrap(stream(generator).normal(shape, np.result_type(m, s)) * s + m)


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Tensor:
    """Indices drawn with probabilities proportional to the weights ``input``."""
    return input.multinomial(num_samples, replacement, generator=generator)


def _drawn_like(
    input: Tensor, draw: Callable[..., np.ndarray], device: Any, requires_grad: bool, memory_format: Any
) -> Tensor:
    found = draw(input.array.shape) if memory_format == contiguous_format else laid_like(input.array, draw)
    return _finish(found, requires_grad, device)


def rand_like(
    input: Tensor,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """``rand`` of the shape and type of ``input``, lying in memory as ``input`` does."""
    kind = _floating(input.dtype if dtype is None else dtype)
    return _drawn_like(
        input, lambda shape: stream(generator).uniform(shape, kind), device, requires_grad, memory_format
    )


def randn_like(
    input: Tensor,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """``randn`` of the shape and type of ``input``, lying in memory as ``input`` does."""
    kind, order = _floating(input.dtype if dtype is None else dtype), memory_order(input.array)
    pairs = memory_format != contiguous_format and order != sorted(order)  # PyTorch's blocks are for dense memory only
    return _drawn_like(
        input,
        lambda shape: stream(generator).normal(shape, kind, 0.0, 1.0, pairs=pairs),
        device,
        requires_grad,
        memory_format,
    )


def randint_like(
    input: Tensor,
    *bounds: int,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    **names: int,
) -> Tensor:
    """``randint`` of the shape and type of ``input``: ``randint_like(input, low=0, high)``."""
    low = names.get("low", bounds[0] if len(bounds) > 1 else 0)
    high = names.get("high", bounds[-1] if bounds else None)
    if high is None:
        raise TypeError("randint_like(input, low=0, high): give high, as in randint_like(x, 10)")
    kind = input.array.dtype if dtype is None else dtypes.to_numpy(dtype)
    return _drawn_like(
        input, lambda shape: stream(generator).integers(shape, low, high, kind), device, requires_grad, memory_format
    )
