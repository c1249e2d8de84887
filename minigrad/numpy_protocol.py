"""Plain NumPy on tensors: ``np.exp(t)``, ``np.sum(t, axis=0)`` and ``a @ t`` dispatch to the same primitives.

NumPy asks the tensor (``__array_ufunc__``, ``__array_function__``) before it computes. Semantics are NumPy's here: ``ddof``
is 0, ``axis`` may be a tuple. A function that is not in the tables raises TypeError; nothing is detached in silence.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.ops import elementwise as e
from minigrad.ops import linalg as la

UFUNCS: dict[Any, Any] = {
    np.add: e.add, np.subtract: e.sub, np.multiply: e.mul, np.divide: e._div, np.negative: e.neg, np.power: e.pow,
    np.exp: e.exp, np.log: e.log, np.sqrt: e.sqrt, np.tanh: e.tanh, np.sin: e.sin, np.cos: e.cos, np.matmul: la.matmul,
    np.equal: e.eq, np.not_equal: e.ne, np.less: e.lt, np.less_equal: e.le, np.greater: e.gt, np.greater_equal: e.ge,
}  # fmt: skip
FUNCTIONS: dict[Any, Any] = {}


def array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """``Tensor.__array_ufunc__``."""
    found = UFUNCS.get(ufunc)
    if found is None or method != "__call__" or kwargs:
        detail = f".{method}" if method != "__call__" else f" with {', '.join(kwargs)}" if kwargs else ""
        raise TypeError(
            f"np.{ufunc.__name__}{detail} of a tensor is not differentiable here: use tensor.detach().numpy() for plain NumPy"
        )
    return found(*inputs)


def array_function(self: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """``Tensor.__array_function__``."""
    found = FUNCTIONS.get(function)
    if found is None:
        raise TypeError(
            f"np.{function.__name__} of a tensor is not differentiable here: use tensor.detach().numpy() for plain NumPy"
        )
    return found(*args, **kwargs)
