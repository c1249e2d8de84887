"""The catalogue, continued: products and losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.minigrad.autograd.catalogue import (
    operation,
    product,
    row,
    sigmoid,
    softmax,
    square_matrix,
    squares,
    two,
)

# Products

operation(
    "matmul",
    lambda x, z: x @ z,
    product,
    {"x": lambda g, z: g @ z.T, "z": lambda g, x: x.T @ g},
    ("transposed", {"x": lambda g, z: (g @ z.T).T, "z": lambda g, x: x.T @ g}),
    ("raises", {"x": lambda g, z: g @ z, "z": lambda g, x: x.T @ g}),
    ("sign", {"x": lambda g, z: -g @ z.T, "z": lambda g, x: x.T @ g}),
    ("mean or sum", {"x": lambda g, z: g @ z.T, "z": lambda g, x: x.T @ g / len(x)}),
    ("transposed", {"x": lambda g, z: g @ z.T, "z": lambda g, x: g.T @ x}),
)
operation(
    "matmul of squares",
    lambda x, z: x @ z,
    squares,
    {"x": lambda g, z: g @ z.T, "z": lambda g, x: x.T @ g},
    ("transposed", {"x": lambda g, z: g @ z, "z": lambda g, x: x.T @ g}),
    ("transposed", {"x": lambda g, z: z.T @ g, "z": lambda g, x: x.T @ g}),
    ("transposed", {"x": lambda g, z: g @ z.T, "z": lambda g, x: g @ x.T}),
    ("swapped", {"x": lambda g, x: x.T @ g, "z": lambda g, z: g @ z.T}),
    ("transposed", {"x": lambda g, z: g.T @ z.T, "z": lambda g, x: x.T @ g}),
)
operation(
    "matrix times vector",
    lambda x, v: x @ v,
    lambda r, a, b, c: (r.standard_normal((a, b)), r.standard_normal(b)),
    {"x": lambda g, v: np.outer(g, v), "v": lambda g, x: x.T @ g},
    ("transposed", {"x": lambda g, v: np.outer(v, g), "v": lambda g, x: x.T @ g}),
    ("raises", {"x": lambda g, v: np.outer(g, v), "v": lambda g, x: x @ g}),
    ("shape", {"x": lambda g, v: g, "v": lambda g, x: x.T @ g}),
)
operation(
    "dot",
    lambda x, z: x @ z,
    lambda r, a, b, c: (r.standard_normal(a), r.standard_normal(a)),
    {"x": lambda g, z: g * z, "z": lambda g, x: g * x},
    ("swapped", {"x": lambda g, x: g * x, "z": lambda g, z: g * z}),
    ("shape", {"x": lambda g, z: g, "z": lambda g, x: g * x}),
)
operation(
    "linear",
    lambda x, w, b: x @ w.T + b,
    lambda r, a, b, c: (r.standard_normal((a, b)), r.standard_normal((c, b)), r.standard_normal(c)),
    {"x": lambda g, w: g @ w, "w": lambda g, x: g.T @ x, "b": lambda g: g.sum(0)},
    ("transposed", {"x": lambda g, w: g @ w, "w": lambda g, x: x.T @ g, "b": lambda g: g.sum(0)}),
    ("broadcast sum", {"x": lambda g, w: g @ w, "w": lambda g, x: g.T @ x, "b": lambda g: g}),
    ("mean or sum", {"x": lambda g, w: g @ w, "w": lambda g, x: g.T @ x, "b": lambda g: g.mean(0)}),
    ("raises", {"x": lambda g, w: g @ w.T, "w": lambda g, x: g.T @ x, "b": lambda g: g.sum(0)}),
    ("mean or sum", {"x": lambda g, w: g @ w, "w": lambda g, x: g.T @ x / len(x), "b": lambda g: g.sum(0)}),
)
operation(
    "inverse",
    lambda x: np.linalg.inv(x),
    square_matrix,
    lambda g, y: -y.T @ g @ y.T,
    ("sign", lambda g, y: y.T @ g @ y.T),
    ("transposed", lambda g, y: -y @ g @ y),
    ("missing factor", lambda g, y: -y.T @ g),
)
operation(
    "det",
    lambda x: np.linalg.det(x),
    square_matrix,
    lambda g, x, y: g * y * np.linalg.inv(x).T,
    ("transposed", lambda g, x, y: g * y * np.linalg.inv(x)),
    ("missing factor", lambda g, x: g * np.linalg.inv(x).T),
)

# Losses


def targets(r: Any, a: int, b: int, c: int) -> tuple[Any, ...]:
    return r.uniform(0.05, 0.95, (a, b)), r.uniform(0, 1, (a, b))


def logits(r: Any, a: int, b: int, c: int) -> tuple[Any, ...]:
    return r.standard_normal((a, b)), r.uniform(0, 1, (a, b))


def classes(r: Any, a: int, b: int, c: int) -> tuple[Any, ...]:
    return r.standard_normal((a, b)), r.integers(0, b, a)


def hot(x: Any, t: Any) -> Any:
    return np.eye(x.shape[1])[t]


operation(
    "mse",
    lambda x, t: ((x - t) ** 2).mean(),
    two,
    {"x": lambda g, x, t: g * 2 * (x - t) / x.size},
    ("constant factor", {"x": lambda g, x, t: g * (x - t) / x.size}),
    ("mean or sum", {"x": lambda g, x, t: g * 2 * (x - t)}),
    ("sign", {"x": lambda g, x, t: g * 2 * (t - x) / x.size}),
    ("mean or sum", {"x": lambda g, x, t: g * 2 * (x - t) / len(x)}),
    ("ignores g", {"x": lambda g, x, t: 2 * (x - t) / x.size}),
)
operation(
    "bce",
    lambda p, t: -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(),
    targets,
    {"p": lambda g, p, t: g * (p - t) / (p * (1 - p)) / p.size},
    ("mean or sum", {"p": lambda g, p, t: g * (p - t) / (p * (1 - p))}),
    ("sign", {"p": lambda g, p, t: g * (t - p) / (p * (1 - p)) / p.size}),
    ("missing factor", {"p": lambda g, p, t: g * (p - t) / p.size}),
    ("missing term", {"p": lambda g, p, t: -g * t / p / p.size}),
)
operation(
    "bce with logits",
    lambda x, t: (np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))).mean(),
    logits,
    {"x": lambda g, x, t: g * (sigmoid(x) - t) / x.size},
    ("mean or sum", {"x": lambda g, x, t: g * (sigmoid(x) - t)}),
    ("extra factor", {"x": lambda g, x, t: g * (sigmoid(x) - t) / (sigmoid(x) * (1 - sigmoid(x))) / x.size}),
    ("another function", {"x": lambda g, x, t: g * (x - t) / x.size}),
    ("sign of a term", {"x": lambda g, x, t: g * (sigmoid(x) + t) / x.size}),
    ("missing term", {"x": lambda g, x: g * sigmoid(x) / x.size}),
)
operation(
    "cross entropy",
    lambda x, t: (np.log(np.exp(x).sum(1)) - x[np.arange(len(x)), t]).mean(),
    classes,
    {"x": lambda g, x, t: g * (softmax(x) - hot(x, t)) / len(x)},
    ("mean or sum", {"x": lambda g, x, t: g * (softmax(x) - hot(x, t))}),
    ("mean or sum", {"x": lambda g, x, t: g * (softmax(x) - hot(x, t)) / x.size}),
    ("missing term", {"x": lambda g, x: g * softmax(x) / len(x)}),
    ("sign", {"x": lambda g, x, t: g * (hot(x, t) - softmax(x)) / len(x)}),
    ("missing term", {"x": lambda g, x, t: -g * hot(x, t) / len(x)}),
)
operation(
    "Gaussian KL",
    lambda mu, logvar: 0.5 * (mu * mu + np.exp(logvar) - 1 - logvar).sum(),
    two,
    {"mu": lambda g, mu: g * mu, "logvar": lambda g, logvar: g * 0.5 * (np.exp(logvar) - 1)},
    ("constant factor", {"mu": lambda g, mu: g * 2 * mu, "logvar": lambda g, logvar: g * 0.5 * (np.exp(logvar) - 1)}),
    ("constant factor", {"mu": lambda g, mu: g * mu, "logvar": lambda g, logvar: g * (np.exp(logvar) - 1)}),
    ("missing term", {"mu": lambda g, mu: g * mu, "logvar": lambda g, logvar: g * 0.5 * np.exp(logvar)}),
    ("sign", {"mu": lambda g, mu: -g * mu, "logvar": lambda g, logvar: g * 0.5 * (np.exp(logvar) - 1)}),
)
operation(
    "reparameterization",
    lambda mu, logvar, eps: mu + np.exp(0.5 * logvar) * eps,
    lambda r, a, b, c: (r.standard_normal((a, b)), r.standard_normal((a, b)), r.standard_normal((a, b))),
    {"mu": lambda g: g, "logvar": lambda g, logvar, eps: g * 0.5 * np.exp(0.5 * logvar) * eps},
    ("constant factor", {"mu": lambda g: g, "logvar": lambda g, logvar, eps: g * np.exp(0.5 * logvar) * eps}),
    ("missing factor", {"mu": lambda g: g, "logvar": lambda g, logvar: g * 0.5 * np.exp(0.5 * logvar)}),
    ("wrong exponent", {"mu": lambda g: g, "logvar": lambda g, logvar, eps: g * 0.5 * np.exp(logvar) * eps}),
    ("zero", {"mu": lambda g: g * 0, "logvar": lambda g, logvar, eps: g * 0.5 * np.exp(0.5 * logvar) * eps}),
)
operation(
    "bias of a row",
    lambda x, b: sigmoid(x + b),
    row,
    {"x": lambda g, y: g * y * (1 - y), "b": lambda g, y: (g * y * (1 - y)).sum(0)},
    ("broadcast sum", {"x": lambda g, y: g * y * (1 - y), "b": lambda g, y: g * y * (1 - y)}),
    ("passes g on", {"x": lambda g, y: g, "b": lambda g, y: (g * y * (1 - y)).sum(0)}),
    ("missing factor", {"x": lambda g, y: g * y * (1 - y), "b": lambda g: g.sum(0)}),
)
