"""The catalogue, continued: reductions, shapes, indices, products and losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.minigrad.autograd.catalogue import (
    one,
    operation,
    positive,
    product,
    row,
    sigmoid,
    softmax,
    square_matrix,
    squares,
    total,
    two,
)


def wide(g: Any, axis: int, n: int) -> Any:
    return np.repeat(np.expand_dims(g, axis), n, axis)


# Reductions

operation(
    "sum", lambda x: x.sum(), one, lambda g, x: g * np.ones_like(x),
    ("mean or sum", lambda g, x: g * np.ones_like(x) / x.size),
    ("shape", lambda g: g),
    ("ignores g", lambda g, x: np.abs(x)),
    ("constant", lambda g, x: np.ones_like(x)),
    ("extra factor", lambda g, x: g * x),
)  # fmt: skip
operation(
    "sum over axis 0", lambda x: x.sum(0), one, lambda g, x: wide(g, 0, x.shape[0]),
    ("shape", lambda g: g),
    ("mean or sum", lambda g, x: wide(g, 0, x.shape[0]) / x.shape[0]),
    ("edge", lambda g, x: np.concatenate([g[None], np.zeros((x.shape[0] - 1, x.shape[1]))])),
)  # fmt: skip
operation(
    "mean", lambda x: x.mean(), one, lambda g, x: g * np.ones_like(x) / x.size,
    ("mean or sum", lambda g, x: g * np.ones_like(x)),
    ("mean or sum", lambda g, x: g * np.ones_like(x) / x.shape[0]),
    ("mean or sum", lambda g, x: g * np.ones_like(x) / x.shape[1]),
    ("shape", lambda g, x: g / x.size),
)  # fmt: skip
operation(
    "mean over axis 1", lambda x: x.mean(1), one, lambda g, x: wide(g, 1, x.shape[1]) / x.shape[1],
    ("mean or sum", lambda g, x: wide(g, 1, x.shape[1])),
    ("mean or sum", lambda g, x: wide(g, 1, x.shape[1]) / x.size),
    ("shape", lambda g, x: g / x.shape[1]),
)  # fmt: skip
operation(
    "var", lambda x: ((x - x.mean()) ** 2).mean(), one, lambda g, x: g * 2 * (x - x.mean()) / x.size,
    ("mean or sum", lambda g, x: g * 2 * (x - x.mean())),
    ("mean or sum", lambda g, x: g * 2 * (x - x.mean()) / (x.size - 1)),
    ("constant factor", lambda g, x: g * (x - x.mean()) / x.size),
    ("missing term", lambda g, x: g * 2 * x / x.size),
)  # fmt: skip
operation(
    "std over axis 1", lambda x: x.std(1), one, lambda g, x, y: (g / y)[:, None] * (x - x.mean(1, keepdims=True)) / x.shape[1],
    ("mean or sum", lambda g, x, y: (g / y)[:, None] * (x - x.mean(1, keepdims=True))),
    ("constant factor", lambda g, x, y: (g / y)[:, None] * 2 * (x - x.mean(1, keepdims=True)) / x.shape[1]),
    ("missing factor", lambda g, x: g[:, None] * (x - x.mean(1, keepdims=True)) / x.shape[1]),
)  # fmt: skip
operation(
    "prod over axis 1", lambda x: x.prod(1), positive, lambda g, x, y: (g * y)[:, None] / x,
    ("extra factor", lambda g, x, y: (g * y)[:, None] * np.ones_like(x)),
    ("missing factor", lambda g, x: g[:, None] / x),
)  # fmt: skip
operation(
    "cumsum over axis 1", lambda x: np.cumsum(x, 1), one, lambda g: np.flip(np.cumsum(np.flip(g, 1), 1), 1),
    ("direction", lambda g: np.cumsum(g, 1)),
    ("diagonal only", lambda g: g),
    ("direction", lambda g: np.cumsum(np.flip(g, 1), 1)),
)  # fmt: skip
operation(
    "max over axis 1", lambda x: x.max(1), one, lambda g, x, y: g[:, None] * (x == y[:, None]),
    ("shape", lambda g: g),
    ("constant factor", lambda g, x, y: g[:, None] * (x == y[:, None]) / 2),
    ("extra factor", lambda g, x, y: (g * y)[:, None] * (x == y[:, None])),
)  # fmt: skip
operation(
    "max over axis 1 with ties", lambda x: x.max(1), lambda r, a, b, c: (np.sort(np.repeat(r.standard_normal((a, 2)), b, 1), 1),),
    lambda g, x, y: g[:, None] * (x == y[:, None]) / (x == y[:, None]).sum(1, keepdims=True),
    ("ties", lambda g, x, y: g[:, None] * (x == y[:, None])),
    ("constant factor", lambda g, x, y: 2 * g[:, None] * (x == y[:, None])),
)  # fmt: skip
operation(
    "logsumexp over axis 1", lambda x: np.log(np.exp(x).sum(1)), one, lambda g, x, y: g[:, None] * np.exp(x - y[:, None]),
    ("missing term", lambda g, x: g[:, None] * np.exp(x)),
    ("sign", lambda g, x, y: -g[:, None] * np.exp(x - y[:, None])),
)  # fmt: skip
operation(
    "norm", lambda x: np.sqrt((x * x).sum()), one, lambda g, x, y: g * x / y,
    ("missing factor", lambda g, x: g * x),
    ("constant factor", lambda g, x, y: g * 2 * x / y),
    ("sign of g", lambda g, x, y: np.sign(g) * x / y),
)  # fmt: skip
operation(
    "softmax", softmax, one, lambda g, y: y * (g - np.sum(g * y, axis=-1, keepdims=True)),
    ("diagonal only", lambda g, y: g * y * (1 - y)),
    ("treated as constant", lambda g, y: g * y),
    ("sign of a term", lambda g, y: y * (g + total(g * y))),
    ("missing factor", lambda g, y: g - total(g * y)),
    ("missing factor", lambda g, y: y * (g - total(g))),
    ("missing term", lambda g, y: -y * total(g * y)),
)  # fmt: skip
operation(
    "log softmax", lambda x: x - np.log(np.exp(x).sum(-1, keepdims=True)), one, lambda g, y: g - np.exp(y) * np.sum(g, axis=-1, keepdims=True),
    ("one use only", lambda g: g),
    ("another function", lambda g, y: g - y * total(g)),
    ("missing factor", lambda g: g - total(g)),
    ("sign of a term", lambda g, y: g + np.exp(y) * total(g)),
    ("diagonal only", lambda g, y: g * (1 - np.exp(y))),
)  # fmt: skip


def layer_norm(x: Any) -> Any:
    m = x.mean(-1, keepdims=True)
    v = ((x - m) ** 2).mean(-1, keepdims=True)
    return (x - m) / np.sqrt(v + 1e-5)


def scale(x: Any) -> Any:
    return np.sqrt(x.var(-1, keepdims=True) + 1e-5)


def average(v: Any) -> Any:
    return v.mean(-1, keepdims=True)


operation(
    "layer norm", layer_norm, one, lambda g, x, y: (g - average(g) - y * average(g * y)) / scale(x),
    ("treated as constant", lambda g, x: g / scale(x)),
    ("treated as constant", lambda g, x: (g - average(g)) / scale(x)),
    ("treated as constant", lambda g, x, y: (g - y * average(g * y)) / scale(x)),
    ("missing factor", lambda g, x, y: g - average(g) - y * average(g * y)),
    ("sign of a term", lambda g, x, y: (g - average(g) + y * average(g * y)) / scale(x)),
)  # fmt: skip

# Shapes

operation(
    "transpose", lambda x: x.T, one, lambda g: g.T,
    ("transposed", lambda g: g),
    ("sign", lambda g: -g.T),
)  # fmt: skip
operation(
    "transpose of a square", lambda x: x.T.copy(), lambda r, a, b, c: (r.standard_normal((a, a)),), lambda g: g.T,
    ("transposed", lambda g: g),
)  # fmt: skip
operation(
    "reshape", lambda x: x.reshape(-1), one, lambda g, x_shape: g.reshape(x_shape),
    ("shape", lambda g: g),
    ("places", lambda g, x_shape: g.reshape(x_shape[::-1]).T),
    ("places", lambda g, x_shape: g.reshape(x_shape, order="F")),
)  # fmt: skip
operation(
    "flip", lambda x: np.flip(x, 1), one, lambda g: np.flip(g, 1),
    ("direction", lambda g: g),
    ("direction", lambda g: np.flip(g, (0, 1))),
)  # fmt: skip
operation(
    "roll", lambda x: np.roll(x, 2, 1), one, lambda g: np.roll(g, -2, 1),
    ("direction", lambda g: np.roll(g, 2, 1)),
    ("direction", lambda g: g),
    ("direction", lambda g: np.roll(g, -1, 1)),
)  # fmt: skip
operation(
    "concatenate", lambda x, z: np.concatenate([x, z], 1), two, {"x": lambda g, x: g[:, : x.shape[1]], "z": lambda g, x: g[:, x.shape[1] :]},
    ("swapped", {"x": lambda g, x: g[:, x.shape[1] :], "z": lambda g, x: g[:, : x.shape[1]]}),
    ("shape", {"x": lambda g, x: g[:, : x.shape[1]], "z": lambda g: g}),
)  # fmt: skip
operation(
    "broadcast", lambda x: np.broadcast_to(x[:, None], (len(x), 4)), lambda r, a, b, c: (r.standard_normal(a),), lambda g: g.sum(1),
    ("one use only", lambda g: g[:, 0]),
    ("mean or sum", lambda g: g.mean(1)),
)  # fmt: skip
operation(
    "tile", lambda x: np.tile(x, (2, 1)), one, lambda g, x: g[: len(x)] + g[len(x) :],
    ("one use only", lambda g, x: g[: len(x)]),
    ("shape", lambda g: g),
)  # fmt: skip
operation(
    "diff along axis 1", lambda x: np.diff(x, axis=1), one, lambda g: np.pad(g, ((0, 0), (1, 0))) - np.pad(g, ((0, 0), (0, 1))),
    ("sign", lambda g: np.pad(g, ((0, 0), (0, 1))) - np.pad(g, ((0, 0), (1, 0)))),
)  # fmt: skip

# Indices


def indexed(r: Any, a: int, b: int, c: int) -> tuple[Any, ...]:
    index = r.integers(0, a, 2 * a)
    index[1] = index[0]
    return r.standard_normal((a, b)), index


def scattered(g: Any, x: Any, index: Any) -> Any:
    x_bar = np.zeros_like(x)
    np.add.at(x_bar, index, g)
    return x_bar


def assigned(g: Any, x: Any, index: Any) -> Any:
    x_bar = np.zeros_like(x)
    x_bar[index] = g
    return x_bar


operation(
    "index", lambda x, index: x[index], indexed, {"x": scattered},
    ("one use only", {"x": assigned}),
    ("sign", {"x": lambda g, x, index: -scattered(g, x, index)}),
    ("shape", {"x": lambda g: g}),
    ("constant factor", {"x": lambda g, x, index: scattered(g, x, index) / 2}),
)  # fmt: skip
operation(
    "slice", lambda x: x[:, 1:], one, lambda g: np.pad(g, ((0, 0), (1, 0))),
    ("direction", lambda g: np.pad(g, ((0, 0), (0, 1)))),
    ("shape", lambda g: g),
)  # fmt: skip
operation(
    "sort along axis 1", lambda x: np.sort(x, 1), one, lambda g, x: np.take_along_axis(g, np.argsort(np.argsort(x, 1), 1), 1),
    ("places", lambda g, x: np.take_along_axis(g, np.argsort(x, 1), 1)),
    ("passes g on", lambda g: g),
)  # fmt: skip
operation(
    "triu", lambda x: np.triu(x), lambda r, a, b, c: (r.standard_normal((a, a)),), lambda g: np.triu(g),
    ("passes g on", lambda g: g),
    ("another function", lambda g: np.tril(g)),
)  # fmt: skip
operation(
    "trace", lambda x: np.trace(x), lambda r, a, b, c: (r.standard_normal((a, a)),), lambda g, x: g * np.eye(len(x)),
    ("constant factor", lambda g, x: g * np.eye(len(x)) * 2),
)  # fmt: skip

# Products

operation(
    "matmul", lambda x, z: x @ z, product, {"x": lambda g, z: g @ z.T, "z": lambda g, x: x.T @ g},
    ("transposed", {"x": lambda g, z: (g @ z.T).T, "z": lambda g, x: x.T @ g}),
    ("raises", {"x": lambda g, z: g @ z, "z": lambda g, x: x.T @ g}),
    ("sign", {"x": lambda g, z: -g @ z.T, "z": lambda g, x: x.T @ g}),
    ("mean or sum", {"x": lambda g, z: g @ z.T, "z": lambda g, x: x.T @ g / len(x)}),
    ("transposed", {"x": lambda g, z: g @ z.T, "z": lambda g, x: g.T @ x}),
)  # fmt: skip
operation(
    "matmul of squares", lambda x, z: x @ z, squares, {"x": lambda g, z: g @ z.T, "z": lambda g, x: x.T @ g},
    ("transposed", {"x": lambda g, z: g @ z, "z": lambda g, x: x.T @ g}),
    ("transposed", {"x": lambda g, z: z.T @ g, "z": lambda g, x: x.T @ g}),
    ("transposed", {"x": lambda g, z: g @ z.T, "z": lambda g, x: g @ x.T}),
    ("swapped", {"x": lambda g, x: x.T @ g, "z": lambda g, z: g @ z.T}),
    ("transposed", {"x": lambda g, z: g.T @ z.T, "z": lambda g, x: x.T @ g}),
)  # fmt: skip
operation(
    "matrix times vector", lambda x, v: x @ v, lambda r, a, b, c: (r.standard_normal((a, b)), r.standard_normal(b)),
    {"x": lambda g, v: np.outer(g, v), "v": lambda g, x: x.T @ g},
    ("transposed", {"x": lambda g, v: np.outer(v, g), "v": lambda g, x: x.T @ g}),
    ("raises", {"x": lambda g, v: np.outer(g, v), "v": lambda g, x: x @ g}),
    ("shape", {"x": lambda g, v: g, "v": lambda g, x: x.T @ g}),
)  # fmt: skip
operation(
    "dot", lambda x, z: x @ z, lambda r, a, b, c: (r.standard_normal(a), r.standard_normal(a)), {"x": lambda g, z: g * z, "z": lambda g, x: g * x},
    ("swapped", {"x": lambda g, x: g * x, "z": lambda g, z: g * z}),
    ("shape", {"x": lambda g, z: g, "z": lambda g, x: g * x}),
)  # fmt: skip
operation(
    "linear", lambda x, w, b: x @ w.T + b, lambda r, a, b, c: (r.standard_normal((a, b)), r.standard_normal((c, b)), r.standard_normal(c)),
    {"x": lambda g, w: g @ w, "w": lambda g, x: g.T @ x, "b": lambda g: g.sum(0)},
    ("transposed", {"x": lambda g, w: g @ w, "w": lambda g, x: x.T @ g, "b": lambda g: g.sum(0)}),
    ("broadcast sum", {"x": lambda g, w: g @ w, "w": lambda g, x: g.T @ x, "b": lambda g: g}),
    ("mean or sum", {"x": lambda g, w: g @ w, "w": lambda g, x: g.T @ x, "b": lambda g: g.mean(0)}),
    ("raises", {"x": lambda g, w: g @ w.T, "w": lambda g, x: g.T @ x, "b": lambda g: g.sum(0)}),
    ("mean or sum", {"x": lambda g, w: g @ w, "w": lambda g, x: g.T @ x / len(x), "b": lambda g: g.sum(0)}),
)  # fmt: skip
operation(
    "inverse", lambda x: np.linalg.inv(x), square_matrix, lambda g, y: -y.T @ g @ y.T,
    ("sign", lambda g, y: y.T @ g @ y.T),
    ("transposed", lambda g, y: -y @ g @ y),
    ("missing factor", lambda g, y: -y.T @ g),
)  # fmt: skip
operation(
    "det", lambda x: np.linalg.det(x), square_matrix, lambda g, x, y: g * y * np.linalg.inv(x).T,
    ("transposed", lambda g, x, y: g * y * np.linalg.inv(x)),
    ("missing factor", lambda g, x: g * np.linalg.inv(x).T),
)  # fmt: skip

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
    "mse", lambda x, t: ((x - t) ** 2).mean(), two, {"x": lambda g, x, t: g * 2 * (x - t) / x.size},
    ("constant factor", {"x": lambda g, x, t: g * (x - t) / x.size}),
    ("mean or sum", {"x": lambda g, x, t: g * 2 * (x - t)}),
    ("sign", {"x": lambda g, x, t: g * 2 * (t - x) / x.size}),
    ("mean or sum", {"x": lambda g, x, t: g * 2 * (x - t) / len(x)}),
    ("ignores g", {"x": lambda g, x, t: 2 * (x - t) / x.size}),
)  # fmt: skip
operation(
    "bce", lambda p, t: -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(), targets, {"p": lambda g, p, t: g * (p - t) / (p * (1 - p)) / p.size},
    ("mean or sum", {"p": lambda g, p, t: g * (p - t) / (p * (1 - p))}),
    ("sign", {"p": lambda g, p, t: g * (t - p) / (p * (1 - p)) / p.size}),
    ("missing factor", {"p": lambda g, p, t: g * (p - t) / p.size}),
    ("missing term", {"p": lambda g, p, t: -g * t / p / p.size}),
)  # fmt: skip
operation(
    "bce with logits", lambda x, t: (np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))).mean(), logits,
    {"x": lambda g, x, t: g * (sigmoid(x) - t) / x.size},
    ("mean or sum", {"x": lambda g, x, t: g * (sigmoid(x) - t)}),
    ("extra factor", {"x": lambda g, x, t: g * (sigmoid(x) - t) / (sigmoid(x) * (1 - sigmoid(x))) / x.size}),
    ("another function", {"x": lambda g, x, t: g * (x - t) / x.size}),
    ("sign of a term", {"x": lambda g, x, t: g * (sigmoid(x) + t) / x.size}),
    ("missing term", {"x": lambda g, x: g * sigmoid(x) / x.size}),
)  # fmt: skip
operation(
    "cross entropy", lambda x, t: (np.log(np.exp(x).sum(1)) - x[np.arange(len(x)), t]).mean(), classes,
    {"x": lambda g, x, t: g * (softmax(x) - hot(x, t)) / len(x)},
    ("mean or sum", {"x": lambda g, x, t: g * (softmax(x) - hot(x, t))}),
    ("mean or sum", {"x": lambda g, x, t: g * (softmax(x) - hot(x, t)) / x.size}),
    ("missing term", {"x": lambda g, x: g * softmax(x) / len(x)}),
    ("sign", {"x": lambda g, x, t: g * (hot(x, t) - softmax(x)) / len(x)}),
    ("missing term", {"x": lambda g, x, t: -g * hot(x, t) / len(x)}),
)  # fmt: skip
operation(
    "Gaussian KL", lambda mu, logvar: 0.5 * (mu * mu + np.exp(logvar) - 1 - logvar).sum(), two,
    {"mu": lambda g, mu: g * mu, "logvar": lambda g, logvar: g * 0.5 * (np.exp(logvar) - 1)},
    ("constant factor", {"mu": lambda g, mu: g * 2 * mu, "logvar": lambda g, logvar: g * 0.5 * (np.exp(logvar) - 1)}),
    ("constant factor", {"mu": lambda g, mu: g * mu, "logvar": lambda g, logvar: g * (np.exp(logvar) - 1)}),
    ("missing term", {"mu": lambda g, mu: g * mu, "logvar": lambda g, logvar: g * 0.5 * np.exp(logvar)}),
    ("sign", {"mu": lambda g, mu: -g * mu, "logvar": lambda g, logvar: g * 0.5 * (np.exp(logvar) - 1)}),
)  # fmt: skip
operation(
    "reparameterization", lambda mu, logvar, eps: mu + np.exp(0.5 * logvar) * eps,
    lambda r, a, b, c: (r.standard_normal((a, b)), r.standard_normal((a, b)), r.standard_normal((a, b))),
    {"mu": lambda g: g, "logvar": lambda g, logvar, eps: g * 0.5 * np.exp(0.5 * logvar) * eps},
    ("constant factor", {"mu": lambda g: g, "logvar": lambda g, logvar, eps: g * np.exp(0.5 * logvar) * eps}),
    ("missing factor", {"mu": lambda g: g, "logvar": lambda g, logvar: g * 0.5 * np.exp(0.5 * logvar)}),
    ("wrong exponent", {"mu": lambda g: g, "logvar": lambda g, logvar, eps: g * 0.5 * np.exp(logvar) * eps}),
    ("zero", {"mu": lambda g: g * 0, "logvar": lambda g, logvar, eps: g * 0.5 * np.exp(0.5 * logvar) * eps}),
)  # fmt: skip
operation(
    "bias of a row", lambda x, b: sigmoid(x + b), row, {"x": lambda g, y: g * y * (1 - y), "b": lambda g, y: (g * y * (1 - y)).sum(0)},
    ("broadcast sum", {"x": lambda g, y: g * y * (1 - y), "b": lambda g, y: g * y * (1 - y)}),
    ("passes g on", {"x": lambda g, y: g, "b": lambda g, y: (g * y * (1 - y)).sum(0)}),
    ("missing factor", {"x": lambda g, y: g * y * (1 - y), "b": lambda g: g.sum(0)}),
)  # fmt: skip
