"""Functions that can be recognised by their values, each with its rule: the reference where no other is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = Any


class Known(NamedTuple):
    """A function, and for each of its inputs the rule, in the names of those inputs, ``g`` and ``y``."""

    name: str
    function: Callable[..., Any]
    rules: dict[str, Callable[..., Any]]


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _log_softmax(x: Array) -> Array:
    return x - x.max(-1, keepdims=True) - np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True))


def _normalize(x: Array) -> Array:
    return x / np.sqrt((x * x).sum(-1, keepdims=True))


def _layer_norm(x: Array) -> Array:
    d = x - x.mean(-1, keepdims=True)
    return d / np.sqrt((d * d).mean(-1, keepdims=True) + 1e-5)


ONE = [
    Known("exp", np.exp, {"x": lambda g, y: g * y}),
    Known("log", np.log, {"x": lambda g, x: g / x}),
    Known("sin", np.sin, {"x": lambda g, x: g * np.cos(x)}),
    Known("cos", np.cos, {"x": lambda g, x: -g * np.sin(x)}),
    Known("tan", np.tan, {"x": lambda g, y: g * (1 + y * y)}),
    Known("tanh", np.tanh, {"x": lambda g, y: g * (1 - y * y)}),
    Known("sigmoid", _sigmoid, {"x": lambda g, y: g * y * (1 - y)}),
    Known("sqrt", np.sqrt, {"x": lambda g, y: g / (2 * y)}),
    Known("square", np.square, {"x": lambda g, x: g * 2 * x}),
    Known("reciprocal", np.reciprocal, {"x": lambda g, y: -g * y * y}),
    Known("rsqrt", lambda x: x**-0.5, {"x": lambda g, y: -0.5 * g * y * y * y}),
    Known("cube", lambda x: x**3, {"x": lambda g, x: g * 3 * x**2}),
    Known("softplus", lambda x: np.log1p(np.exp(x)), {"x": lambda g, x: g * (1 / (1 + np.exp(-x)))}),
    Known("logsigmoid", lambda x: -np.log1p(np.exp(-x)), {"x": lambda g, x: g * (1 / (1 + np.exp(x)))}),
    Known("silu", lambda x: x * _sigmoid(x), {"x": lambda g, x: g * (_sigmoid(x) * (1 + x * (1 - _sigmoid(x))))}),
    Known("atan", np.arctan, {"x": lambda g, x: g / (1 + x * x)}),
    Known("asin", np.arcsin, {"x": lambda g, x: g / np.sqrt(1 - x * x)}),
    Known("acos", np.arccos, {"x": lambda g, x: -g / np.sqrt(1 - x * x)}),
    Known("sinh", np.sinh, {"x": lambda g, x: g * np.cosh(x)}),
    Known("cosh", np.cosh, {"x": lambda g, x: g * np.sinh(x)}),
    Known("asinh", np.arcsinh, {"x": lambda g, x: g / np.sqrt(x * x + 1)}),
    Known("atanh", np.arctanh, {"x": lambda g, x: g / (1 - x * x)}),
    Known("log1p", np.log1p, {"x": lambda g, x: g / (1 + x)}),
    Known("expm1", np.expm1, {"x": lambda g, y: g * (y + 1)}),
    Known("relu", lambda x: np.maximum(x, 0), {"x": lambda g, x: g * (x > 0)}),
    Known("abs", np.abs, {"x": lambda g, x: g * np.sign(x)}),
    Known("softmax", _softmax, {"x": lambda g, y: y * (g - np.sum(g * y, axis=-1, keepdims=True))}),
    Known("log_softmax", _log_softmax, {"x": lambda g, y: g - np.exp(y) * np.sum(g, axis=-1, keepdims=True)}),
    Known(
        "normalize",
        _normalize,
        {
            "x": lambda g, x, y: (g - y * np.sum(g * y, axis=-1, keepdims=True))
            / np.sqrt(np.sum(x * x, axis=-1, keepdims=True))
        },
    ),
    Known(
        "layer_norm",
        _layer_norm,
        {
            "x": lambda g, x, y: (g - np.mean(g, axis=-1, keepdims=True) - y * np.mean(g * y, axis=-1, keepdims=True))
            / np.sqrt(np.var(x, axis=-1, keepdims=True) + 1e-5)
        },
    ),
]  # fmt: skip

TWO = [
    Known("mul", lambda x, z: x * z, {"x": lambda g, z: g * z, "z": lambda g, x: g * x}),
    Known("sub", lambda x, z: x - z, {"x": lambda g: g, "z": lambda g: -g}),
    Known("add", lambda x, z: x + z, {"x": lambda g: g, "z": lambda g: g}),
    Known("div", lambda x, z: x / z, {"x": lambda g, z: g / z, "z": lambda g, x, z: -g * x / z**2}),
    Known("pow", lambda x, z: x**z, {"x": lambda g, x, z: g * z * x ** (z - 1), "z": lambda g, x, y: g * y * np.log(x)}),
    Known("matmul", lambda x, z: x @ z, {"x": lambda g, z: g @ z.T, "z": lambda g, x: x.T @ g}),
    Known("atan2", np.arctan2, {"x": lambda g, x, z: g * z / (x * x + z * z), "z": lambda g, x, z: -g * x / (x * x + z * z)}),
    Known("hypot", np.hypot, {"x": lambda g, x, y: g * x / y, "z": lambda g, z, y: g * z / y}),
    Known("logaddexp", np.logaddexp, {"x": lambda g, x, y: g * np.exp(x - y), "z": lambda g, z, y: g * np.exp(z - y)}),
]  # fmt: skip


def recognised(xs: list[np.ndarray], ys: list[np.ndarray]) -> Known | None:
    """The known function that has these values at these inputs."""
    if len(ys) != 1 or len(xs) not in (1, 2):
        return None
    y = ys[0]
    if not y.size or not np.isfinite(y).all():
        return None
    for known in ONE if len(xs) == 1 else TWO:
        try:
            with np.errstate(all="ignore"):
                found = np.asarray(known.function(*xs))
        except (ValueError, TypeError, IndexError):
            continue
        if found.shape == y.shape and np.allclose(found, y, rtol=1e-10, atol=1e-12 * float(np.abs(y).max())):
            return known
    return None
