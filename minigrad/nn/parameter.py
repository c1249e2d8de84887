"""Tensors that belong to a module: what is learned (Parameter) and what is only remembered (Buffer)."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import Version
from minigrad.tensor import Tensor


def _adopt(kind: type, data: Any) -> Any:
    """A tensor of class ``kind`` on the memory of ``data``."""
    if data is None:
        data = Tensor.wrap(np.empty(0, np.float32))
    if not isinstance(data, Tensor):
        raise TypeError(
            f"{kind.__name__} wraps a tensor, got {type(data).__name__}: make one with minigrad.tensor(...)"
        )
    found: Any = object.__new__(kind)
    found.array, found.version = data.array, Version()
    return found


class Parameter(Tensor):
    """A tensor that a ``Module`` lists among its parameters when it is assigned as an attribute.

    Raises RuntimeError for data that is not floating, unless ``requires_grad=False``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html
    """

    _prefix = "tensor"

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        found = _adopt(cls, data)
        return found.requires_grad_(requires_grad)

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        pass  # __new__ has taken the data over

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that a ``Module`` keeps in its state without learning it, such as a running mean.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Buffer.html
    """

    _prefix = "tensor"
    persistent: bool

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Buffer:
        found = _adopt(cls, data)
        found.persistent = persistent
        return found

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        pass
