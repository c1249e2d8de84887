"""How weights start: each function overwrites a tensor in place, unrecorded, and returns it.

The numbers are drawn from the default stream (or ``generator``) in PyTorch's order: the same seed gives the same weights.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from minigrad.generator import default_generator
from minigrad.grad_mode import no_grad
from minigrad.tensor import Tensor

_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}


def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """The factor that keeps the size of signals through a nonlinearity, as PyTorch recommends it.

    Raises ValueError for an unknown nonlinearity, or a slope of leaky_relu that is no number.
    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.calculate_gain
    """
    if nonlinearity == "leaky_relu":
        if param is None:
            slope = 0.01
        elif isinstance(param, (int, float)) and not isinstance(param, bool):
            slope = param
        else:
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}: it is leaky_relu or one of {', '.join(_GAINS)}")
    return _GAINS[nonlinearity]


@no_grad()
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform on [a, b)."""
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Normal."""
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Tensor:
    """Normal, conditioned on [a, b], by rejection."""
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect.",
            stacklevel=2,
        )

    def below(x: float) -> float:
        return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0

    source, shape, dtype = generator or default_generator, tensor.array.shape, tensor.array.dtype
    if below((b - mean) / std) - below((a - mean) / std) > 0.3:  # most normal numbers fall inside: redraw the others
        low, high = dtype.type(a), dtype.type(b)
        values = source.normal(shape, dtype, mean, std)
        while (outside := (values < low) | (values > high)).any():
            values = np.where(outside, source.normal(shape, dtype, mean, std), values)
        return tensor.copy_(Tensor.wrap(values))
    # uniform numbers, each accepted with a probability in proportion to the density
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    pending = np.ones(shape, bool)
    values = np.zeros(shape, dtype)
    with np.errstate(divide="ignore"):  # log 0 is -inf: accepted
        while pending.any():
            fresh = source.uniform(shape, dtype, a, b)
            values = np.where(pending, fresh, values)
            pending &= np.log(source.uniform(shape, dtype)) > -0.5 * ((fresh - mean) / std) ** 2 - peak
    return tensor.copy_(Tensor.wrap(values))


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Everywhere ``val``."""
    return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Everywhere 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Everywhere 0."""
    return constant_(tensor, 0.0)


@no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix. Raises ValueError unless the tensor is a matrix."""
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return tensor.copy_(Tensor.wrap(np.eye(*tensor.array.shape, dtype=tensor.array.dtype)))


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many inputs reach an output, and how many outputs an input reaches; many programs import PyTorch's name."""
    if tensor.ndim < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    field = math.prod(tensor.array.shape[2:])
    return tensor.array.shape[1] * field, tensor.array.shape[0] * field


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform on [-a, a), ``a = gain sqrt(6 / (fan_in + fan_out))`` (Glorot and Bengio 2010, eq. 16)."""
    a = gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(tensor))) * math.sqrt(3.0)
    return uniform_(tensor, -a, a, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with ``std = gain sqrt(2 / (fan_in + fan_out))``."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(tensor))), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan = _calculate_fan_in_and_fan_out(tensor)[mode.lower() == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _empty(tensor: Tensor) -> bool:
    if 0 not in tensor.array.shape:
        return False
    warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
    return True


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Uniform on [-b, b), ``b = gain sqrt(3 / fan)`` (He et al. 2015); ``a`` is the slope of leaky_relu."""
    if _empty(tensor):
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Normal with ``std = gain / sqrt(fan)`` (He et al. 2015, eq. 10 and 14)."""
    if _empty(tensor):
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


@no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """``gain`` times a matrix with orthonormal rows or columns, later dimensions flattened (Saxe et al. 2013)."""
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if not tensor.array.size:
        return tensor
    rows = tensor.array.shape[0]
    drawn = (
        Tensor.wrap(np.empty((rows, tensor.array.size // rows), tensor.array.dtype)).normal_(generator=generator).array
    )
    wide = drawn.shape[1] > rows
    q, r = np.linalg.qr(drawn.T if wide else drawn)
    q = q * np.sign(np.diagonal(r))  # makes the factorisation unique, hence q uniform
    return tensor.copy_(Tensor.wrap((q.T if wide else q).reshape(tensor.array.shape) * tensor.array.dtype.type(gain)))


@no_grad()
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normal, with a fraction ``sparsity`` of each column zero (Martens 2010)."""
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.array.shape
    tensor.normal_(0, std, generator=generator)
    source = generator if generator is not None else default_generator
    mask = np.ones_like(tensor.array)
    for column in range(columns):
        mask[source.permutation(rows)[: math.ceil(sparsity * rows)], column] = 0
    return tensor.mul_(Tensor.wrap(mask))
