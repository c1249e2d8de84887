"""The catalogue, continued: reductions, shapes, indices, products and losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.minigrad.autograd.catalogue import (
    one,
    operation,
    positive,
    softmax,
    total,
    two,
)


def wide(g: Any, axis: int, n: int) -> Any:
    return np.repeat(np.expand_dims(g, axis), n, axis)


# Reductions

operation(
    "sum",
    lambda x: x.sum(),
    one,
    lambda g, x: g * np.ones_like(x),
    ("mean or sum", lambda g, x: g * np.ones_like(x) / x.size),
    ("shape", lambda g: g),
    ("ignores g", lambda g, x: np.abs(x)),
    ("constant", lambda g, x: np.ones_like(x)),
    ("extra factor", lambda g, x: g * x),
)
operation(
    "sum over axis 0",
    lambda x: x.sum(0),
    one,
    lambda g, x: wide(g, 0, x.shape[0]),
    ("shape", lambda g: g),
    ("mean or sum", lambda g, x: wide(g, 0, x.shape[0]) / x.shape[0]),
    ("edge", lambda g, x: np.concatenate([g[None], np.zeros((x.shape[0] - 1, x.shape[1]))])),
)
operation(
    "mean",
    lambda x: x.mean(),
    one,
    lambda g, x: g * np.ones_like(x) / x.size,
    ("mean or sum", lambda g, x: g * np.ones_like(x)),
    ("mean or sum", lambda g, x: g * np.ones_like(x) / x.shape[0]),
    ("mean or sum", lambda g, x: g * np.ones_like(x) / x.shape[1]),
    ("shape", lambda g, x: g / x.size),
)
operation(
    "mean over axis 1",
    lambda x: x.mean(1),
    one,
    lambda g, x: wide(g, 1, x.shape[1]) / x.shape[1],
    ("mean or sum", lambda g, x: wide(g, 1, x.shape[1])),
    ("mean or sum", lambda g, x: wide(g, 1, x.shape[1]) / x.size),
    ("shape", lambda g, x: g / x.shape[1]),
)
operation(
    "var",
    lambda x: ((x - x.mean()) ** 2).mean(),
    one,
    lambda g, x: g * 2 * (x - x.mean()) / x.size,
    ("mean or sum", lambda g, x: g * 2 * (x - x.mean())),
    ("mean or sum", lambda g, x: g * 2 * (x - x.mean()) / (x.size - 1)),
    ("constant factor", lambda g, x: g * (x - x.mean()) / x.size),
    ("missing term", lambda g, x: g * 2 * x / x.size),
)
operation(
    "std over axis 1",
    lambda x: x.std(1),
    one,
    lambda g, x, y: (g / y)[:, None] * (x - x.mean(1, keepdims=True)) / x.shape[1],
    ("mean or sum", lambda g, x, y: (g / y)[:, None] * (x - x.mean(1, keepdims=True))),
    ("constant factor", lambda g, x, y: (g / y)[:, None] * 2 * (x - x.mean(1, keepdims=True)) / x.shape[1]),
    ("missing factor", lambda g, x: g[:, None] * (x - x.mean(1, keepdims=True)) / x.shape[1]),
)
operation(
    "prod over axis 1",
    lambda x: x.prod(1),
    positive,
    lambda g, x, y: (g * y)[:, None] / x,
    ("extra factor", lambda g, x, y: (g * y)[:, None] * np.ones_like(x)),
    ("missing factor", lambda g, x: g[:, None] / x),
)
operation(
    "cumsum over axis 1",
    lambda x: np.cumsum(x, 1),
    one,
    lambda g: np.flip(np.cumsum(np.flip(g, 1), 1), 1),
    ("direction", lambda g: np.cumsum(g, 1)),
    ("diagonal only", lambda g: g),
    ("direction", lambda g: np.cumsum(np.flip(g, 1), 1)),
)
operation(
    "max over axis 1",
    lambda x: x.max(1),
    one,
    lambda g, x, y: g[:, None] * (x == y[:, None]),
    ("shape", lambda g: g),
    ("constant factor", lambda g, x, y: g[:, None] * (x == y[:, None]) / 2),
    ("extra factor", lambda g, x, y: (g * y)[:, None] * (x == y[:, None])),
)
operation(
    "max over axis 1 with ties",
    lambda x: x.max(1),
    lambda r, a, b, c: (np.sort(np.repeat(r.standard_normal((a, 2)), b, 1), 1),),
    lambda g, x, y: g[:, None] * (x == y[:, None]) / (x == y[:, None]).sum(1, keepdims=True),
    ("ties", lambda g, x, y: g[:, None] * (x == y[:, None])),
    ("constant factor", lambda g, x, y: 2 * g[:, None] * (x == y[:, None])),
)
operation(
    "logsumexp over axis 1",
    lambda x: np.log(np.exp(x).sum(1)),
    one,
    lambda g, x, y: g[:, None] * np.exp(x - y[:, None]),
    ("missing term", lambda g, x: g[:, None] * np.exp(x)),
    ("sign", lambda g, x, y: -g[:, None] * np.exp(x - y[:, None])),
)
operation(
    "norm",
    lambda x: np.sqrt((x * x).sum()),
    one,
    lambda g, x, y: g * x / y,
    ("missing factor", lambda g, x: g * x),
    ("constant factor", lambda g, x, y: g * 2 * x / y),
    ("sign of g", lambda g, x, y: np.sign(g) * x / y),
)
operation(
    "softmax",
    softmax,
    one,
    lambda g, y: y * (g - np.sum(g * y, axis=-1, keepdims=True)),
    ("diagonal only", lambda g, y: g * y * (1 - y)),
    ("treated as constant", lambda g, y: g * y),
    ("sign of a term", lambda g, y: y * (g + total(g * y))),
    ("missing factor", lambda g, y: g - total(g * y)),
    ("missing factor", lambda g, y: y * (g - total(g))),
    ("missing term", lambda g, y: -y * total(g * y)),
)
operation(
    "log softmax",
    lambda x: x - np.log(np.exp(x).sum(-1, keepdims=True)),
    one,
    lambda g, y: g - np.exp(y) * np.sum(g, axis=-1, keepdims=True),
    ("one use only", lambda g: g),
    ("another function", lambda g, y: g - y * total(g)),
    ("missing factor", lambda g: g - total(g)),
    ("sign of a term", lambda g, y: g + np.exp(y) * total(g)),
    ("diagonal only", lambda g, y: g * (1 - np.exp(y))),
)


def layer_norm(x: Any) -> Any:
    m = x.mean(-1, keepdims=True)
    v = ((x - m) ** 2).mean(-1, keepdims=True)
    return (x - m) / np.sqrt(v + 1e-5)


def scale(x: Any) -> Any:
    return np.sqrt(x.var(-1, keepdims=True) + 1e-5)


def average(v: Any) -> Any:
    return v.mean(-1, keepdims=True)


operation(
    "layer norm",
    layer_norm,
    one,
    lambda g, x, y: (g - average(g) - y * average(g * y)) / scale(x),
    ("treated as constant", lambda g, x: g / scale(x)),
    ("treated as constant", lambda g, x: (g - average(g)) / scale(x)),
    ("treated as constant", lambda g, x, y: (g - y * average(g * y)) / scale(x)),
    ("missing factor", lambda g, x, y: g - average(g) - y * average(g * y)),
    ("sign of a term", lambda g, x, y: (g - average(g) + y * average(g * y)) / scale(x)),
)

# Shapes

operation(
    "transpose",
    lambda x: x.T,
    one,
    lambda g: g.T,
    ("transposed", lambda g: g),
    ("sign", lambda g: -g.T),
)
operation(
    "transpose of a square",
    lambda x: x.T.copy(),
    lambda r, a, b, c: (r.standard_normal((a, a)),),
    lambda g: g.T,
    ("transposed", lambda g: g),
)
operation(
    "reshape",
    lambda x: x.reshape(-1),
    one,
    lambda g, x_shape: g.reshape(x_shape),
    ("shape", lambda g: g),
    ("places", lambda g, x_shape: g.reshape(x_shape[::-1]).T),
    ("places", lambda g, x_shape: g.reshape(x_shape, order="F")),
)
operation(
    "flip",
    lambda x: np.flip(x, 1),
    one,
    lambda g: np.flip(g, 1),
    ("direction", lambda g: g),
    ("direction", lambda g: np.flip(g, (0, 1))),
)
operation(
    "roll",
    lambda x: np.roll(x, 2, 1),
    one,
    lambda g: np.roll(g, -2, 1),
    ("direction", lambda g: np.roll(g, 2, 1)),
    ("direction", lambda g: g),
    ("direction", lambda g: np.roll(g, -1, 1)),
)
operation(
    "concatenate",
    lambda x, z: np.concatenate([x, z], 1),
    two,
    {"x": lambda g, x: g[:, : x.shape[1]], "z": lambda g, x: g[:, x.shape[1] :]},
    ("swapped", {"x": lambda g, x: g[:, x.shape[1] :], "z": lambda g, x: g[:, : x.shape[1]]}),
    ("shape", {"x": lambda g, x: g[:, : x.shape[1]], "z": lambda g: g}),
)
operation(
    "broadcast",
    lambda x: np.broadcast_to(x[:, None], (len(x), 4)),
    lambda r, a, b, c: (r.standard_normal(a),),
    lambda g: g.sum(1),
    ("one use only", lambda g: g[:, 0]),
    ("mean or sum", lambda g: g.mean(1)),
)
operation(
    "tile",
    lambda x: np.tile(x, (2, 1)),
    one,
    lambda g, x: g[: len(x)] + g[len(x) :],
    ("one use only", lambda g, x: g[: len(x)]),
    ("shape", lambda g: g),
)
operation(
    "diff along axis 1",
    lambda x: np.diff(x, axis=1),
    one,
    lambda g: np.pad(g, ((0, 0), (1, 0))) - np.pad(g, ((0, 0), (0, 1))),
    ("sign", lambda g: np.pad(g, ((0, 0), (0, 1))) - np.pad(g, ((0, 0), (1, 0)))),
)

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
    "index",
    lambda x, index: x[index],
    indexed,
    {"x": scattered},
    ("one use only", {"x": assigned}),
    ("sign", {"x": lambda g, x, index: -scattered(g, x, index)}),
    ("shape", {"x": lambda g: g}),
    ("constant factor", {"x": lambda g, x, index: scattered(g, x, index) / 2}),
)
operation(
    "slice",
    lambda x: x[:, 1:],
    one,
    lambda g: np.pad(g, ((0, 0), (1, 0))),
    ("direction", lambda g: np.pad(g, ((0, 0), (0, 1)))),
    ("shape", lambda g: g),
)
operation(
    "sort along axis 1",
    lambda x: np.sort(x, 1),
    one,
    lambda g, x: np.take_along_axis(g, np.argsort(np.argsort(x, 1), 1), 1),
    ("places", lambda g, x: np.take_along_axis(g, np.argsort(x, 1), 1)),
    ("passes g on", lambda g: g),
)
operation(
    "triu",
    lambda x: np.triu(x),
    lambda r, a, b, c: (r.standard_normal((a, a)),),
    lambda g: np.triu(g),
    ("passes g on", lambda g: g),
    ("another function", lambda g: np.tril(g)),
)
operation(
    "trace",
    lambda x: np.trace(x),
    lambda r, a, b, c: (r.standard_normal((a, a)),),
    lambda g, x: g * np.eye(len(x)),
    ("constant factor", lambda g, x: g * np.eye(len(x)) * 2),
)
