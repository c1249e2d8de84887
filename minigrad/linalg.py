"""Linear algebra under PyTorch's module name."""

from __future__ import annotations

import math
from typing import Any

from minigrad.ops.linalg import det, inv, logabsdet, matmul, solve
from minigrad.ops.statistics import norm

__all__ = ["det", "inv", "logabsdet", "matmul", "norm", "solve", "vector_norm"]


def vector_norm(x: Any, ord: float = 2, dim: Any = None, keepdim: bool = False) -> Any:
    """``(sum |x|^ord)^(1/ord)`` over ``dim``, or of all elements; ``inf`` and ``-inf`` take the extreme."""
    return norm(x, math.inf if ord == math.inf else ord, dim, keepdim)
