"""The catalogue, continued: activations, and operations with kinks."""

from __future__ import annotations

import numpy as np

from tests.minigrad.autograd.catalogue import one, operation, sigmoid, two

# Activations and kinks

operation(
    "tanh",
    np.tanh,
    one,
    lambda g, y: g * (1 - y * y),
    ("input for output", lambda g, x: g * (1 - x * x)),
    ("sign of a term", lambda g, y: g * (1 + y * y)),
    ("another function", lambda g, y: g * y * (1 - y)),
    ("ignores g", lambda g, y: 1 - y * y),
    ("missing factor", lambda g, y: g * (1 - y)),
)
operation(
    "sigmoid",
    sigmoid,
    one,
    lambda g, y: g * y * (1 - y),
    ("input for output", lambda g, x: g * x * (1 - x)),
    ("missing factor", lambda g, y: g * y),
    ("missing factor", lambda g, y: g * (1 - y)),
    ("sign of a term", lambda g, y: g * y * (1 + y)),
    ("g twice", lambda g, y: g * g * y * (1 - y)),
    ("sign", lambda g, y: g * y * (y - 1)),
)
operation(
    "relu",
    lambda x: np.maximum(x, 0),
    one,
    lambda g, x: g * (x > 0),
    ("mask", lambda g, x: g * (x < 0)),
    ("mask", lambda g: g),
    ("mask on g", lambda g: g * (g > 0)),
    ("extra factor", lambda g, y: g * y),
    ("ignores g", lambda g, x: (x > 0) * 1.0),
)
operation(
    "leaky relu",
    lambda x, slope: np.where(x > 0, x, x * slope),
    lambda r, a, b, c: (r.standard_normal((a, b)), 0.1),
    {"x": lambda g, x, slope: np.where(x > 0, g, g * slope)},
    ("mask", {"x": lambda g, x: g * (x > 0)}),
    ("mask", {"x": lambda g, x, slope: np.where(x > 0, g * slope, g)}),
    ("mask", {"x": lambda g, x, slope: np.where(x > 0, g, -g * slope)}),
    ("mask", {"x": lambda g: g}),
)
operation(
    "elu",
    lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
    lambda r, a, b, c: (r.standard_normal((a, b)), 0.7),
    {"x": lambda g, x, alpha: np.where(x > 0, g, g * alpha * np.exp(np.minimum(x, 0)))},
    ("mask", {"x": lambda g, x, alpha: np.where(x > 0, g, g * alpha)}),
    ("mask", {"x": lambda g, x, y: np.where(x > 0, g, g * y)}),
    ("mask", {"x": lambda g, x: np.where(x > 0, g, g * np.exp(np.minimum(x, 0)))}),
)
operation(
    "silu",
    lambda x: x * sigmoid(x),
    one,
    lambda g, x: g * (sigmoid(x) + x * sigmoid(x) * (1 - sigmoid(x))),
    ("missing term", lambda g, x: g * sigmoid(x)),
    ("missing term", lambda g, x: g * x * sigmoid(x) * (1 - sigmoid(x))),
)
operation(
    "softplus",
    lambda x: np.log1p(np.exp(x)),
    one,
    lambda g, x: g * sigmoid(x),
    ("sign of a term", lambda g, x: g * sigmoid(-x)),
    ("another function", lambda g, x: g * np.tanh(x)),
    ("another function", lambda g, x: g * np.exp(x)),
)
operation(
    "abs",
    np.abs,
    one,
    lambda g, x: g * np.sign(x),
    ("mask", lambda g: g),
    ("sign", lambda g, x: -g * np.sign(x)),
    ("extra factor", lambda g, x: g * x),
    ("mask", lambda g, x: g * (x > 0)),
)
operation(
    "maximum",
    np.maximum,
    two,
    {"x1": lambda g, x1, x2: g * (x1 > x2), "x2": lambda g, x1, x2: g * (x2 > x1)},
    ("swapped", {"x1": lambda g, x1, x2: g * (x1 < x2), "x2": lambda g, x1, x2: g * (x2 < x1)}),
    ("mask", {"x1": lambda g: g, "x2": lambda g, x1, x2: g * (x2 > x1)}),
    ("constant factor", {"x1": lambda g, x1, x2: g * (x1 > x2) / 2, "x2": lambda g, x1, x2: g * (x2 > x1)}),
)
operation(
    "clamp",
    lambda x, low, high: np.clip(x, low, high),
    lambda r, a, b, c: (2 * r.standard_normal((a, b)), -0.7, 0.9),
    {"x": lambda g, x, low, high: g * ((x > low) & (x < high))},
    ("mask", {"x": lambda g, x, low: g * (x > low)}),
    ("mask", {"x": lambda g: g}),
    ("mask", {"x": lambda g, x, high: g * (x < high)}),
    ("extra factor", {"x": lambda g, x, low, high: g * x * ((x > low) & (x < high))}),
)
operation(
    "where",
    lambda m, x, z: np.where(m, x, z),
    lambda r, a, b, c: (r.random((a, b)) < 0.5, r.standard_normal((a, b)), r.standard_normal((a, b))),
    {"x": lambda g, m: np.where(m, g, 0), "z": lambda g, m: np.where(m, 0, g)},
    ("swapped", {"x": lambda g, m: np.where(m, 0, g), "z": lambda g, m: np.where(m, g, 0)}),
    ("mask", {"x": lambda g: g, "z": lambda g, m: np.where(m, 0, g)}),
)
operation(
    "x^2 + x",
    lambda x: x * x + x,
    one,
    lambda g, x: g * 2 * x + g,
    ("one use only", lambda g, x: g * 2 * x),
    ("one use only", lambda g: g),
    ("one use only", lambda g, x: g * x + g),
    ("counted twice", lambda g, x: g * 2 * x + 2 * g),
)
