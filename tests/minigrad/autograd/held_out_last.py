"""Wrong rules written when the checker read the steps of a function's text: measured once, and left as they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.minigrad.autograd.catalogue import Make, Operation, one, positive, product, row, sigmoid, two

LAST: list[Operation] = []


def operation(name: str, forward: Any, make: Make, right: Any, *wrong: tuple[str, Any]) -> None:
    LAST.append(Operation(name, forward, make, right, list(wrong)))


def log_cosh(x: Any, z: Any) -> Any:
    d = x - z
    return np.log(np.cosh(d)).mean()


def film(x: Any, w: Any) -> Any:
    h = np.tanh(x * w)
    return h * x


def gelu(x: Any) -> Any:
    return x * sigmoid(1.702 * x)


def entropy(x: Any) -> Any:
    p = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    return -(p * np.log(p)).sum(-1)


def back_entropy(g: Any, x: Any, y: Any) -> Any:
    p = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    return -g[:, None] * p * (np.log(p) + y[:, None])


def residual(x: Any, w: Any) -> Any:
    h = np.maximum(x @ w, 0)
    return x.sum(1, keepdims=True) + h


def back_residual(g: Any, x: Any, w: Any) -> Any:
    return g.sum(1, keepdims=True) * np.ones_like(x) + (g * (x @ w > 0)) @ w.T


def standardized(x: Any) -> Any:
    m = x.mean(0)
    s = np.sqrt(((x - m) ** 2).mean(0) + 0.1)
    return (x - m) / s


def back_standardized(g: Any, x: Any, y: Any) -> Any:
    s = np.sqrt(x.var(0) + 0.1)
    return (g - g.mean(0) - y * (g * y).mean(0)) / s


operation(
    "log cosh loss",
    log_cosh,
    two,
    {"x": lambda g, x, z: g * np.tanh(x - z) / x.size, "z": lambda g, x, z: -g * np.tanh(x - z) / x.size},
    ("mean or sum", {"x": lambda g, x, z: g * np.tanh(x - z), "z": lambda g, x, z: -g * np.tanh(x - z) / x.size}),
    ("sign", {"x": lambda g, x, z: g * np.tanh(x - z) / x.size, "z": lambda g, x, z: g * np.tanh(x - z) / x.size}),
    (
        "missing factor",
        {"x": lambda g, x, z: g / np.cosh(x - z) / x.size, "z": lambda g, x, z: -g * np.tanh(x - z) / x.size},
    ),
)
operation(
    "modulated tanh",
    film,
    row,
    {
        "x": lambda g, x, w: g * np.tanh(x * w) + g * x * w * (1 - np.tanh(x * w) ** 2),
        "w": lambda g, x, w: (g * x * x * (1 - np.tanh(x * w) ** 2)).sum(0),
    },
    (
        "one use only",
        {
            "x": lambda g, x, w: g * x * w * (1 - np.tanh(x * w) ** 2),
            "w": lambda g, x, w: (g * x * x * (1 - np.tanh(x * w) ** 2)).sum(0),
        },
    ),
    (
        "missing factor",
        {
            "x": lambda g, x, w: g * np.tanh(x * w) + g * x * (1 - np.tanh(x * w) ** 2),
            "w": lambda g, x, w: (g * x * x * (1 - np.tanh(x * w) ** 2)).sum(0),
        },
    ),
    (
        "missing factor",
        {
            "x": lambda g, x, w: g * np.tanh(x * w) + g * x * w * (1 - np.tanh(x * w) ** 2),
            "w": lambda g, x, w: (g * x * x).sum(0),
        },
    ),
    (
        "input for output",
        {
            "x": lambda g, x, w: g * np.tanh(x * w) + g * x * w * (1 - (x * w) ** 2),
            "w": lambda g, x, w: (g * x * x * (1 - np.tanh(x * w) ** 2)).sum(0),
        },
    ),
)
operation(
    "gelu by a sigmoid",
    gelu,
    one,
    lambda g, x: g * sigmoid(1.702 * x) * (1 + 1.702 * x * (1 - sigmoid(1.702 * x))),
    ("missing factor", lambda g, x: g * sigmoid(1.702 * x) * (1 + x * (1 - sigmoid(1.702 * x)))),
    ("sign of a term", lambda g, x: g * sigmoid(1.702 * x) * (1 - 1.702 * x * (1 - sigmoid(1.702 * x)))),
    ("missing term", lambda g, x: g * sigmoid(1.702 * x)),
    ("extra factor", lambda g, x: x * g * sigmoid(1.702 * x) * (1 + 1.702 * x * (1 - sigmoid(1.702 * x)))),
)
operation(
    "entropy of a softmax",
    entropy,
    one,
    back_entropy,
    ("sign", lambda g, x, y: -back_entropy(g, x, y)),
    ("constant factor", lambda g, x, y: 2 * back_entropy(g, x, y)),
)
operation(
    "residual layer",
    residual,
    product,
    {"x": back_residual, "w": lambda g, x, w: x.T @ (g * (x @ w > 0))},
    ("one use only", {"x": lambda g, x, w: (g * (x @ w > 0)) @ w.T, "w": lambda g, x, w: x.T @ (g * (x @ w > 0))}),
    ("missing factor", {"x": back_residual, "w": lambda g, x: x.T @ g}),
    ("mask", {"x": back_residual, "w": lambda g, x, w: x.T @ (g * (x @ w < 0))}),
    ("transposed", {"x": back_residual, "w": lambda g, x, w: (g * (x @ w > 0)).T @ x}),
)
operation(
    "standardized columns",
    standardized,
    one,
    back_standardized,
    ("treated as constant", lambda g, x: (g - g.mean(0)) / np.sqrt(x.var(0) + 0.1)),
    ("treated as constant", lambda g, x, y: (g - y * (g * y).mean(0)) / np.sqrt(x.var(0) + 0.1)),
    ("sign of a term", lambda g, x, y: (g - g.mean(0) + y * (g * y).mean(0)) / np.sqrt(x.var(0) + 0.1)),
    ("mean or sum", lambda g, x, y: (g - g.mean(0) - y * (g * y).sum(0)) / np.sqrt(x.var(0) + 0.1)),
)
operation(
    "harmonic mean",
    lambda x: 1 / (1 / x).mean(),
    positive,
    lambda g, x, y: g * y * y / (x * x) / x.size,
    ("sign", lambda g, x, y: -g * y * y / (x * x) / x.size),
    ("missing factor", lambda g, x: g / (x * x) / x.size),
    ("mean or sum", lambda g, x, y: g * y * y / (x * x)),
)
operation(
    "log of a product",
    lambda x, w: np.log(1 + np.exp(x @ w)),
    product,
    {"x": lambda g, x, w: (g * sigmoid(x @ w)) @ w.T, "w": lambda g, x, w: x.T @ (g * sigmoid(x @ w))},
    ("missing factor", {"x": lambda g, w: g @ w.T, "w": lambda g, x, w: x.T @ (g * sigmoid(x @ w))}),
    (
        "another function",
        {"x": lambda g, x, w: (g * np.tanh(x @ w)) @ w.T, "w": lambda g, x, w: x.T @ (g * sigmoid(x @ w))},
    ),
    ("raises", {"x": lambda g, x, w: (g * sigmoid(x @ w)) @ w, "w": lambda g, x, w: x.T @ (g * sigmoid(x @ w))}),
)
