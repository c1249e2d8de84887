"""Wrong rules for functions of several steps, once held out: those that were not named showed what the checker lacked."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.minigrad.autograd.catalogue import Make, Operation, one, positive, product, row, sigmoid, softmax, two

HELD_OUT: list[Operation] = []


def operation(name: str, forward: Any, make: Make, right: Any, *wrong: tuple[str, Any]) -> None:
    HELD_OUT.append(Operation(name, forward, make, right, list(wrong)))


def swish(x: Any, beta: Any) -> Any:
    return x * sigmoid(beta * x)


def rms_norm(x: Any) -> Any:
    r = np.sqrt((x * x).mean(-1, keepdims=True))
    return x / r


def gated(a: Any, b: Any) -> Any:
    return np.tanh(a) * sigmoid(b)


def attention(q: Any, k: Any) -> Any:
    s = q @ k.T / np.sqrt(q.shape[1])
    return softmax(s)


def pair(r: Any, a: int, b: int, c: int) -> tuple[Any, ...]:
    return r.standard_normal((a, b)), r.standard_normal((c, b))


def back_attention(g: Any, y: Any, q: Any) -> Any:
    return y * (g - np.sum(g * y, -1, keepdims=True)) / np.sqrt(q.shape[1])


def inverse_rms(x: Any) -> Any:
    return 1 / np.sqrt((x * x).mean(-1, keepdims=True))


operation(
    "swish",
    swish,
    lambda r, a, b, c: (r.standard_normal((a, b)), 1.7),
    {"x": lambda g, x, beta: g * (sigmoid(beta * x) + beta * x * sigmoid(beta * x) * (1 - sigmoid(beta * x)))},
    ("missing term", {"x": lambda g, x, beta: g * sigmoid(beta * x)}),
    (
        "missing factor",
        {"x": lambda g, x, beta: g * (sigmoid(beta * x) + x * sigmoid(beta * x) * (1 - sigmoid(beta * x)))},
    ),
    (
        "sign of a term",
        {"x": lambda g, x, beta: g * (sigmoid(beta * x) - beta * x * sigmoid(beta * x) * (1 - sigmoid(beta * x)))},
    ),
    (
        "constant factor",
        {"x": lambda g, x, beta: g * (sigmoid(beta * x) + beta * x * sigmoid(beta * x) * (1 - sigmoid(beta * x))) / 2},
    ),
)
operation(
    "RMS norm",
    rms_norm,
    one,
    lambda g, x, y: (g - y * np.mean(g * y, -1, keepdims=True)) * inverse_rms(x),
    ("treated as constant", lambda g, x: g * inverse_rms(x)),
    ("mean or sum", lambda g, x, y: x.shape[1] * (g - y * np.mean(g * y, -1, keepdims=True)) * inverse_rms(x)),
    ("sign of a term", lambda g, x, y: (g + y * np.mean(g * y, -1, keepdims=True)) * inverse_rms(x)),
    ("missing factor", lambda g, y: g - y * np.mean(g * y, -1, keepdims=True)),
    ("ignores g", lambda g, x: inverse_rms(x) * np.ones_like(x)),
)
operation(
    "gated unit",
    gated,
    two,
    {
        "a": lambda g, a, b: g * (1 - np.tanh(a) ** 2) * sigmoid(b),
        "b": lambda g, a, b: g * np.tanh(a) * sigmoid(b) * (1 - sigmoid(b)),
    },
    (
        "swapped",
        {
            "a": lambda g, a, b: g * np.tanh(a) * sigmoid(b) * (1 - sigmoid(b)),
            "b": lambda g, a, b: g * (1 - np.tanh(a) ** 2) * sigmoid(b),
        },
    ),
    (
        "missing factor",
        {
            "a": lambda g, a, b: g * (1 - np.tanh(a) ** 2),
            "b": lambda g, a, b: g * np.tanh(a) * sigmoid(b) * (1 - sigmoid(b)),
        },
    ),
    (
        "missing factor",
        {"a": lambda g, a, b: g * (1 - np.tanh(a) ** 2) * sigmoid(b), "b": lambda g, a, b: g * np.tanh(a) * sigmoid(b)},
    ),
    (
        "input for output",
        {
            "a": lambda g, a, b: g * (1 - a**2) * sigmoid(b),
            "b": lambda g, a, b: g * np.tanh(a) * sigmoid(b) * (1 - sigmoid(b)),
        },
    ),
)
operation(
    "attention weights",
    attention,
    pair,
    {"q": lambda g, q, k, y: back_attention(g, y, q) @ k, "k": lambda g, q, k, y: back_attention(g, y, q).T @ q},
    (
        "constant factor",
        {
            "q": lambda g, q, k, y: back_attention(g, y, q) @ k * np.sqrt(q.shape[1]),
            "k": lambda g, q, k, y: back_attention(g, y, q).T @ q,
        },
    ),
    (
        "raises",
        {"q": lambda g, q, k, y: back_attention(g, y, q) @ k.T, "k": lambda g, q, k, y: back_attention(g, y, q).T @ q},
    ),
    (
        "transposed",
        {
            "q": lambda g, q, k, y: back_attention(g, y, q) @ k,
            "k": lambda g, q, k, y: (back_attention(g, y, q).T @ q).T,
        },
    ),
    (
        "treated as constant",
        {
            "q": lambda g, q, k, y: g * y @ k / np.sqrt(q.shape[1]),
            "k": lambda g, q, k, y: back_attention(g, y, q).T @ q,
        },
    ),
    (
        "sign",
        {"q": lambda g, q, k, y: -back_attention(g, y, q) @ k, "k": lambda g, q, k, y: back_attention(g, y, q).T @ q},
    ),
)
operation(
    "geometric mean",
    lambda x: np.exp(np.log(x).mean()),
    positive,
    lambda g, x, y: g * y / x / x.size,
    ("mean or sum", lambda g, x, y: g * y / x),
    ("missing factor", lambda g, x: g / x / x.size),
    ("upside down", lambda g, x, y: g * y * x / x.size),
    ("sign", lambda g, x, y: -g * y / x / x.size),
)
operation(
    "scaled rows",
    lambda x, w: x * w,
    row,
    {"x": lambda g, w: g * w, "w": lambda g, x: (g * x).sum(0)},
    ("broadcast sum", {"x": lambda g, w: g * w, "w": lambda g, x: g * x}),
    ("mean or sum", {"x": lambda g, w: g * w, "w": lambda g, x: (g * x).mean(0)}),
    ("missing factor", {"x": lambda g: g, "w": lambda g, x: (g * x).sum(0)}),
    ("one use only", {"x": lambda g, w: g * w, "w": lambda g, x: (g * x)[0]}),
    ("shape", {"x": lambda g, w: g * w, "w": lambda g, x: (g * x).sum()}),
)
operation(
    "squared distance",
    lambda x, z: ((x[:, None] - z[None]) ** 2).sum(-1),
    pair,
    {
        "x": lambda g, x, z: 2 * (g[..., None] * (x[:, None] - z[None])).sum(1),
        "z": lambda g, x, z: -2 * (g[..., None] * (x[:, None] - z[None])).sum(0),
    },
    (
        "constant factor",
        {
            "x": lambda g, x, z: (g[..., None] * (x[:, None] - z[None])).sum(1),
            "z": lambda g, x, z: -2 * (g[..., None] * (x[:, None] - z[None])).sum(0),
        },
    ),
    (
        "sign",
        {
            "x": lambda g, x, z: 2 * (g[..., None] * (x[:, None] - z[None])).sum(1),
            "z": lambda g, x, z: 2 * (g[..., None] * (x[:, None] - z[None])).sum(0),
        },
    ),
    (
        "missing term",
        {
            "x": lambda g, x, z: 2 * (g[..., None] * x[:, None] * np.ones_like(z)).sum(1),
            "z": lambda g, x, z: -2 * (g[..., None] * (x[:, None] - z[None])).sum(0),
        },
    ),
    (
        "mean or sum",
        {
            "x": lambda g, x, z: 2 * (g[..., None] * (x[:, None] - z[None])).mean(1),
            "z": lambda g, x, z: -2 * (g[..., None] * (x[:, None] - z[None])).sum(0),
        },
    ),
)
operation(
    "two layers",
    lambda x, w: np.tanh(np.maximum(x @ w, 0)),
    product,
    {
        "x": lambda g, x, w, y: (g * (1 - y * y) * (x @ w > 0)) @ w.T,
        "w": lambda g, x, w, y: x.T @ (g * (1 - y * y) * (x @ w > 0)),
    },
    (
        "missing factor",
        {
            "x": lambda g, x, w, y: (g * (x @ w > 0)) @ w.T,
            "w": lambda g, x, w, y: x.T @ (g * (1 - y * y) * (x @ w > 0)),
        },
    ),
    (
        "missing factor",
        {
            "x": lambda g, x, w, y: (g * (1 - y * y)) @ w.T,
            "w": lambda g, x, w, y: x.T @ (g * (1 - y * y) * (x @ w > 0)),
        },
    ),
    (
        "mask on g",
        {
            "x": lambda g, w, y: np.maximum(g, 0) * (1 - y * y) @ w.T,
            "w": lambda g, x, w, y: x.T @ (g * (1 - y * y) * (x @ w > 0)),
        },
    ),
    (
        "transposed",
        {
            "x": lambda g, x, w, y: (g * (1 - y * y) * (x @ w > 0)) @ w.T,
            "w": lambda g, x, w, y: (g * (1 - y * y) * (x @ w > 0)).T @ x,
        },
    ),
)
operation(
    "moving sum",
    lambda x: x[:, :-1] + x[:, 1:],
    one,
    lambda g: np.pad(g, ((0, 0), (0, 1))) + np.pad(g, ((0, 0), (1, 0))),
    ("one use only", lambda g: np.pad(g, ((0, 0), (0, 1)))),
    ("one use only", lambda g: np.pad(g, ((0, 0), (1, 0)))),
    ("sign of a term", lambda g: np.pad(g, ((0, 0), (0, 1))) - np.pad(g, ((0, 0), (1, 0)))),
    ("shape", lambda g: g),
)
operation(
    "cosine of two vectors",
    lambda x, z: x @ z / np.sqrt((x @ x) * (z @ z)),
    lambda r, a, b, c: (r.standard_normal(a), r.standard_normal(a)),
    {
        "x": lambda g, x, z, y: g * (z / np.sqrt((x @ x) * (z @ z)) - y * x / (x @ x)),
        "z": lambda g, x, z, y: g * (x / np.sqrt((x @ x) * (z @ z)) - y * z / (z @ z)),
    },
    (
        "missing term",
        {
            "x": lambda g, x, z: g * z / np.sqrt((x @ x) * (z @ z)),
            "z": lambda g, x, z, y: g * (x / np.sqrt((x @ x) * (z @ z)) - y * z / (z @ z)),
        },
    ),
    (
        "swapped",
        {
            "x": lambda g, x, z, y: g * (x / np.sqrt((x @ x) * (z @ z)) - y * z / (z @ z)),
            "z": lambda g, x, z, y: g * (z / np.sqrt((x @ x) * (z @ z)) - y * x / (x @ x)),
        },
    ),
    (
        "sign of a term",
        {
            "x": lambda g, x, z, y: g * (z / np.sqrt((x @ x) * (z @ z)) + y * x / (x @ x)),
            "z": lambda g, x, z, y: g * (x / np.sqrt((x @ x) * (z @ z)) - y * z / (z @ z)),
        },
    ),
)
operation(
    "Huber loss",
    lambda x: np.where(np.abs(x) < 1, 0.5 * x * x, np.abs(x) - 0.5).sum(),
    lambda r, a, b, c: (1.5 * r.standard_normal((a, b)),),
    lambda g, x: g * np.where(np.abs(x) < 1, x, np.sign(x)),
    ("mask", lambda g, x: g * x),
    ("mask", lambda g, x: g * np.sign(x)),
    ("mask", lambda g, x: g * np.where(np.abs(x) < 1, x, 1)),
    ("sign", lambda g, x: -g * np.where(np.abs(x) < 1, x, np.sign(x))),
    ("nan", lambda g, x: g * np.where(np.abs(x) < 1, x, x / np.sqrt(x * x - 1) * 0 / 0)),
)
