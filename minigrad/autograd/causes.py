"""Why an operation gives nan or inf, in words: what each operation cannot take, and how programs usually avoid it.

``values`` are the inputs of the operation at the offending element, by the names of its arguments; an operation that is not
applied element by element is known by its summary alone. Used by ``anomaly.py``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

# Operations that take the elements of their inputs one by one
ELEMENTWISE = {
    "minigrad.engine",
    "minigrad.ops.elementwise",
    "minigrad.ops.exponential",
    "minigrad.ops.trigonometry",
    "minigrad.ops.activation",
    "minigrad.ops.choosing",
    "minigrad.ops.comparison",
    "minigrad.ops.kinks",
}
_LOGS = {"log": "log", "log2": "log2", "log10": "log10"}
_PLAIN = {"sum_all": "sum", "mean_all": "mean", "pow_scalar": "pow", "square": "pow", "addmm": "linear"}
_PLAIN |= dict.fromkeys(("mm", "bmm", "mv"), "matmul")


def plain_name(name: str) -> str:
    """An operation as its user knows it."""
    return _PLAIN.get(name, name)


def number(value: Any) -> str:
    """A number in six digits."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value)


def largest(dtype: np.dtype) -> str:
    return f"{np.finfo(dtype).max:.2g}, the largest {dtype}"


def forward_cause(name: str, values: Mapping[str, Any], y: float, dtype: np.dtype) -> str:
    """Why ``name`` of these finite (or infinite) values is ``y``; empty if that has no name here."""
    x, other = values.get("x"), values.get("other", values.get("exponent"))
    if x is None:
        return ""
    if name in _LOGS:
        return "the logarithm of 0 is -inf" if x == 0 else _negative("the logarithm", x)
    if name == "log1p":
        return "log1p(x) is log(1 + x), here of 0" if x == -1 else _negative("log1p(x) = log(1 + x)", x, -1)
    if name in ("sqrt", "rsqrt"):
        return "1 / sqrt(0) divides by 0" if x == 0 else _negative("the square root", x)
    if name == "reciprocal" and x == 0:
        return "1 / 0 divides by 0"
    if name in ("asin", "acos") and abs(x) > 1:
        return f"{name} is defined from -1 to 1 only"
    if name == "atanh" and abs(x) >= 1:
        return "atanh is finite between -1 and 1 only"
    if name == "acosh" and x < 1:
        return "acosh is defined from 1 on only"
    if name in ("exp", "expm1", "cosh", "sinh", "exp2") and math.isinf(y):
        limit = math.log(np.finfo(dtype).max) + (math.log(2) if name in ("cosh", "sinh") else 0)
        return f"{name}(x) passes {largest(dtype)}, from |x| = {limit:.4g} on"
    return _of_two(name, x, other, y, dtype) if other is not None else _beyond(y, (x,), dtype)


def _negative(what: str, x: float, low: float = 0) -> str:
    return f"{what} is no real number for x < {low}" if x < low else ""


def _of_two(name: str, x: Any, other: Any, y: float, dtype: np.dtype) -> str:
    if name == "div" and other == 0:
        return "0 / 0 has no value" if x == 0 else "it divides by 0"
    if name in ("div", "sub", "add", "mul") and math.isnan(y):
        if name == "mul" and 0 in (x, other):
            return "0 * inf has no value"
        return {
            "add": "inf + (-inf) has no value",
            "sub": "inf - inf has no value",
            "div": "inf / inf has no value",
        }.get(name, "")
    if "pow" in name and x < 0 and other != int(other):
        return f"a negative number has no real power {number(other)}"
    if "pow" in name and x == 0 and other < 0:
        return f"0 to the power {number(other)} divides by 0"
    return _beyond(y, (x, other), dtype)


def _beyond(y: float, xs: tuple[Any, ...], dtype: np.dtype) -> str:
    if math.isinf(y) and all(math.isfinite(x) for x in xs):
        return f"the result passes {largest(dtype)}"
    return ""


def summary_cause(name: str, y: float, sizes: Mapping[str, tuple[int, ...]], dtype: np.dtype) -> str:
    """The same for an operation that takes its inputs as a whole."""
    if name in ("mean", "mean_all") and math.isnan(y) and any(0 in s for s in sizes.values()):
        return "the mean of no elements is 0 / 0"
    if name in ("var", "std") and math.isnan(y):
        return "it divides by n - 1 = 0, for n = 1 element (correction=0 divides by n)"
    if name in ("softmax", "log_softmax") and math.isnan(y):
        return "a row in which every entry is -inf has no softmax: 0 / 0"
    if name in ("inv", "solve"):
        return "the matrix is singular or nearly so"
    if name == "logabsdet":
        return "the matrix is singular: log(0)"
    if math.isinf(y):
        return f"sums or products on the way pass {largest(dtype)}"
    return ""


_FIXES = {
    "log": "keep the argument above 0, as in log(x.clamp(min=1e-8)), or take a loss on logits, which does without your "
    "logarithm; a where() after it is too late, since what is not chosen is still differentiated",
    "sqrt": "keep the argument above 0, where the slope 1 / (2 sqrt(x)) is infinite, as in sqrt(x + 1e-12) or "
    "sqrt(where(x > 0, x, 1)); a where() after it is too late, since what is not chosen is still differentiated",
    "rsqrt": "keep the argument above 0: rsqrt(x + 1e-12)",
    "div": "keep the divisor away from 0: x / (y + 1e-8), or divide by where(y != 0, y, 1)",
    "reciprocal": "keep the argument away from 0",
    "pow": "keep the base above 0: x.clamp(min=1e-8) ** p",
    "exp": "bound the argument, exp(x.clamp(max=30)), or use a form that does not overflow: logsumexp, softmax, expm1, a loss on "
    "logits",
    "var": "give it more than one element, or correction=0",
    "linear": "look for weights or inputs that have grown: a smaller learning rate, normalised inputs, clip_grad_norm_",
    "acos": "keep the argument inside: x.clamp(-1 + 1e-6, 1 - 1e-6)",
    "asin": "keep the argument inside: x.clamp(-1 + 1e-6, 1 - 1e-6)",
    "softmax": "leave at least one entry of each row unmasked",
}
_SAME = {"log2": "log", "log10": "log", "log1p": "log", "pow_scalar": "pow", "square": "linear", "expm1": "exp"}
_SAME |= dict.fromkeys(("mse_loss", "l1_loss", "sum", "sum_all", "mean", "mean_all"), "linear")
_SAME |= {"log_softmax": "softmax", "mm": "linear", "bmm": "linear", "mv": "linear", "addmm": "linear", "mul": "linear"}


def fix(name: str) -> str:
    """How programs usually avoid it; empty if there is no usual way."""
    return _FIXES.get(_SAME.get(name, name), "")


# Operations that send a gradient of exactly 0 to some elements, and what that means there
ZEROS = {
    "where": "chose its other branch there",
    "keep": "masked this element",
    "masked_fill": "filled this element with a constant",
    "getitem": "did not take this element",
    "masked_select": "did not take this element",
    "index_select": "did not take this element",
    "gather": "did not take this element",
    "narrow": "did not take this element",
    "select": "did not take this element",
    "clamp": "cut this element off",
    "maximum": "chose the other one there",
    "minimum": "chose the other one there",
    "relu": "cut this element off",
    "mul": "multiplied by 0 there",
}
