"""A second part, once held out, written after the first had led to a repair."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.minigrad.autograd.catalogue import Make, Operation, one, positive, sigmoid, two

LATER: list[Operation] = []


def operation(name: str, forward: Any, make: Make, right: Any, *wrong: tuple[str, Any]) -> None:
    LATER.append(Operation(name, forward, make, right, list(wrong)))


def smooth_max(x: Any) -> Any:
    w = np.exp(x)
    s = w.sum(-1)
    return (x * w).sum(-1) / s


def back_smooth_max(g: Any, x: Any, y: Any) -> Any:
    p = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    return g[:, None] * p * (1 + x - y[:, None])


def mish(x: Any) -> Any:
    return x * np.tanh(np.log1p(np.exp(x)))


def soft(x: Any) -> Any:
    return np.tanh(np.log1p(np.exp(x)))


def batch_center(x: Any) -> Any:
    m = x.mean(0)
    return (x - m) ** 3


operation(
    "smooth maximum",
    smooth_max,
    one,
    back_smooth_max,
    ("treated as constant", lambda g, x: g[:, None] * np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
    ("missing term", lambda g, x, y: g[:, None] * np.exp(x) / np.exp(x).sum(-1, keepdims=True) * (x - y[:, None])),
    ("sign", lambda g, x, y: -back_smooth_max(g, x, y)),
    ("mean or sum", lambda g, x, y: back_smooth_max(g, x, y) / x.shape[1]),
)
operation(
    "mish",
    mish,
    one,
    lambda g, x: g * (soft(x) + x * (1 - soft(x) ** 2) * sigmoid(x)),
    ("missing term", lambda g, x: g * soft(x)),
    ("missing factor", lambda g, x: g * (soft(x) + x * (1 - soft(x) ** 2))),
    ("sign of a term", lambda g, x: g * (soft(x) - x * (1 - soft(x) ** 2) * sigmoid(x))),
    ("mask on g", lambda g, x: np.abs(g) * (soft(x) + x * (1 - soft(x) ** 2) * sigmoid(x))),
)
operation(
    "centered cubes",
    batch_center,
    one,
    lambda g, x: 3 * g * (x - x.mean(0)) ** 2 - np.mean(3 * g * (x - x.mean(0)) ** 2, axis=0),
    ("treated as constant", lambda g, x: 3 * g * (x - x.mean(0)) ** 2),
    ("constant factor", lambda g, x: 2 * g * (x - x.mean(0)) ** 2 - np.mean(2 * g * (x - x.mean(0)) ** 2, axis=0)),
    ("mean or sum", lambda g, x: 3 * g * (x - x.mean(0)) ** 2 - np.sum(3 * g * (x - x.mean(0)) ** 2, axis=0)),
)
operation(
    "log of a ratio",
    lambda p, q: np.log(p / q).sum(0),
    lambda r, a, b, c: (r.uniform(0.5, 2, (a, b)), r.uniform(0.5, 2, (a, b))),
    {"p": lambda g, p: g / p, "q": lambda g, q: -g / q},
    ("sign", {"p": lambda g, p: g / p, "q": lambda g, q: g / q}),
    ("swapped", {"p": lambda g, q: -g / q, "q": lambda g, p: g / p}),
    ("upside down", {"p": lambda g, p: g * p, "q": lambda g, q: -g / q}),
    ("shape", {"p": lambda g, p: g, "q": lambda g, q: -g / q}),
)
operation(
    "bilinear form",
    lambda x, w, z: np.einsum("ni,ij,nj->n", x, w, z),
    lambda r, a, b, c: (r.standard_normal((a, b)), r.standard_normal((b, c)), r.standard_normal((a, c))),
    {
        "x": lambda g, w, z: g[:, None] * (z @ w.T),
        "w": lambda g, x, z: (g[:, None] * x).T @ z,
        "z": lambda g, x, w: g[:, None] * (x @ w),
    },
    (
        "missing factor",
        {
            "x": lambda g, w, z: g[:, None] * (z @ w.T),
            "w": lambda g, x, z: x.T @ z,
            "z": lambda g, x, w: g[:, None] * (x @ w),
        },
    ),
    (
        "transposed",
        {
            "x": lambda g, w, z: g[:, None] * (z @ w.T),
            "w": lambda g, x, z: z.T @ (g[:, None] * x),
            "z": lambda g, x, w: g[:, None] * (x @ w),
        },
    ),
    (
        "mean or sum",
        {
            "x": lambda g, w, z: g[:, None] * (z @ w.T),
            "w": lambda g, x, z: (g[:, None] * x).T @ z / len(x),
            "z": lambda g, x, w: g[:, None] * (x @ w),
        },
    ),
)
operation(
    "soft threshold",
    lambda x, t: np.sign(x) * np.maximum(np.abs(x) - t, 0),
    lambda r, a, b, c: (2 * r.standard_normal((a, b)), 0.8),
    {"x": lambda g, x, t: g * (np.abs(x) > t)},
    ("mask", {"x": lambda g: g}),
    ("mask", {"x": lambda g, x, t: g * (x > t)}),
    ("mask", {"x": lambda g, x, t: g * np.sign(x) * (np.abs(x) > t)}),
)
operation(
    "harmonic mean",
    lambda x: x.size / (1 / x).sum(),
    positive,
    lambda g, x, y: g * y * y / (x * x) / x.size,
    ("mean or sum", lambda g, x, y: g * y * y / (x * x)),
    ("missing factor", lambda g, x, y: g * y / (x * x) / x.size),
    ("sign", lambda g, x, y: -g * y * y / (x * x) / x.size),
    ("g twice", lambda g, x, y: g * g * y * y / (x * x) / x.size),
)
operation(
    "product of sums",
    lambda x, z: (x + z) * (x - z),
    two,
    {"x": lambda g, x: g * 2 * x, "z": lambda g, z: -g * 2 * z},
    ("one use only", {"x": lambda g, x, z: g * (x - z), "z": lambda g, z: -g * 2 * z}),
    ("one use only", {"x": lambda g, x: g * 2 * x, "z": lambda g, x, z: -g * (x + z)}),
    ("sign", {"x": lambda g, x: g * 2 * x, "z": lambda g, z: g * 2 * z}),
)
