"""The complex step: Im f(x + ih) / h with h = 1e-30 is a slope without cancellation, exact to the last digits.

It is sound only where every operation on the way is holomorphic. ``abs``, comparisons, ``maximum``, ``conj``, casts to a real
type and the like silently give another slope, often 0. So the function is first run on arrays that write down what NumPy is
asked to do, and then one direction is compared with central differences.
Source: Squire and Trapp 1998, Using Complex Variables to Estimate Derivatives of Real Functions, SIAM Review 40
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from minigrad.autograd.checking.problem import Arrays, Problem

STEP = 1e-30

# Ufuncs and functions that are holomorphic in their array arguments, and that NumPy computes for complex numbers.
HOLOMORPHIC = frozenset({
    "add", "subtract", "multiply", "divide", "true_divide", "negative", "positive", "power", "float_power", "square",
    "sqrt", "reciprocal", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh",
    "cosh", "tanh", "arcsin", "arccos", "arctan", "arcsinh", "arctanh", "matmul", "vecdot", "matvec", "vecmat", "sum",
    "mean", "cumsum", "prod", "cumprod", "dot", "inner", "outer", "tensordot", "einsum", "trace", "diagonal", "diag",
    "tril", "triu", "reshape", "ravel", "transpose", "swapaxes", "moveaxis", "squeeze", "expand_dims", "concatenate",
    "stack", "vstack", "hstack", "column_stack", "split", "array_split", "repeat", "tile", "roll", "flip",
    "broadcast_to", "broadcast_arrays", "take", "take_along_axis", "pad", "diff", "trapezoid", "inv", "det", "solve",
    "copy", "atleast_1d", "atleast_2d", "ones_like", "zeros_like", "empty_like", "full_like", "shape", "ndim", "size",
})  # fmt: skip


class Traced(np.ndarray):
    """An array that writes down which operations it goes through."""

    seen: set[str]

    def __array_finalize__(self, source: Any) -> None:
        self.seen = getattr(source, "seen", set())

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        log: set[str] = next((x.seen for x in inputs if isinstance(x, Traced)), set())
        log.add(
            ufunc.__name__ if method in ("__call__", "reduce", "accumulate", "outer") else f"{ufunc.__name__}.{method}"
        )
        given = [x.view(np.ndarray) if isinstance(x, Traced) else x for x in inputs]
        if out is not None:
            kwargs["out"] = tuple(x.view(np.ndarray) if isinstance(x, Traced) else x for x in out)
        return _traced(getattr(ufunc, method)(*given, **kwargs), log)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        self.seen.add(func.__name__)
        return super().__array_function__(func, types, args, kwargs)

    def astype(self, *args: Any, **kwargs: Any) -> Any:
        self.seen.add("astype")
        return super().astype(*args, **kwargs)


def _traced(result: Any, log: set[str]) -> Any:
    if isinstance(result, tuple):
        return tuple(_traced(r, log) for r in result)
    made = np.asarray(result).view(Traced)
    made.seen = log
    return made


def operations(problem: Problem, xs: Arrays) -> set[str] | None:
    """The operations that the function goes through; None if its outputs do not come from the inputs alone."""
    log: set[str] = set()
    try:
        found = problem.raw([_traced(x.copy(), log) for x in xs])
    except Exception:  # whatever a function may raise on arrays of another class
        return None
    return log if found and all(isinstance(y, Traced) for y in found) else None


def slope(problem: Problem, xs: Arrays, way: Arrays) -> np.ndarray | None:
    """The slopes of all outputs along a direction; None if the function does not take complex numbers."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")
            found = problem.raw([x + 1j * (STEP * v) for x, v in zip(xs, way, strict=True)])
    except Exception:  # as above, or a cast that discards the imaginary part
        return None
    if not found or any(np.asarray(y).dtype.kind != "c" for y in found):
        return None
    return np.concatenate([np.ravel(np.imag(y)) for y in found]) / STEP


def holomorphic(problem: Problem, xs: Arrays) -> bool:
    """Whether every operation on the way is on the list."""
    seen = operations(problem, xs)
    return bool(seen) and seen is not None and seen <= HOLOMORPHIC
