"""Wrong rules written by hand, with what each is to be called: what the checker's hit rate is measured on.

An ``Operation`` is a function on arrays, its right rule, and the mistakes people make in it, each under the label of
``LABELS`` that says what it is. Sizes a, b and c are permutations of 3, 5 and 7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

# What a mistake is called, and the codes that say so.
LABELS: dict[str, set[str]] = {
    "zero": {"zero"},
    "constant": {"constant"},
    "returns nothing": {"none"},
    "raises": {"raised"},
    "ignores g": {"no_upstream", "constant"},
    "adds a constant": {"added_constant"},
    "g twice": {"g_squared"},
    "mask on g": {"mask_on_g"},
    "sign of g": {"g_sign"},
    "survives the call": {"buffer_reused"},
    "changes its input": {"input_changed", "upstream_changed", "stale"},
    "nan": {"nan", "not_finite", "overflow"},
    "broadcast sum": {"no_broadcast_sum"},
    "shape": {"not_expanded", "over_summed", "not_reshaped", "shape_of_output", "wrong_shape"},
    "mean or sum": {"missing_mean", "extra_mean", "n_minus_1"},
    "sign": {"sign"},
    "constant factor": {"factor", "factor_2", "wrong_constant"},
    "missing factor": {"missing_factor", "dropped_factor"},
    "extra factor": {"extra_factor", "squared"},
    "a division too many": {"extra_factor", "missing_factor", "squared", "power"},
    "missing term": {"dropped_term", "treated_constant", "overwrite"},
    "sign of a term": {"sign_of_term"},
    "one use only": {"overwrite", "assign_for_add", "one_slice", "lost_output"},
    "counted twice": {"double_count"},
    "treated as constant": {"treated_constant", "dropped_term"},
    "diagonal only": {"diagonal_only"},
    "swapped": {"swapped"},
    "transposed": {"transpose", "jacobian_transposed", "order"},
    "direction": {"flipped", "shifted", "jacobian_transposed"},
    "places": {"permuted", "jacobian_transposed"},
    "mask": {"mask", "comparison", "branches"},
    "edge": {"edge"},
    "ties": {"ties"},
    "value on a kink": {"kink_value"},
    "input for output": {"input_for_output"},
    "output for input": {"output_for_input"},
    "wrong variable": {"wrong_variable"},
    "passes g on": {"identity"},
    "another function": {"wrong_formula", "function", "dropped_function"},
    "upside down": {"inverted", "operator"},
    "wrong exponent": {"power", "wrong_constant"},
    "wrong axis": {"axis", "transpose"},
    "low precision": {"low_precision"},
}

Rule = Callable[..., Any]


class Operation(NamedTuple):
    name: str
    forward: Callable[..., Any]
    make: Callable[..., tuple[Any, ...]]  # of a generator and three sizes, the inputs
    right: Any
    wrong: list[tuple[str, Any]]


Make = Callable[[np.random.Generator, int, int, int], tuple[Any, ...]]


def one(r: Any, a: int, b: int, c: int) -> tuple[Any, ...]:
    return (r.standard_normal((a, b)),)


def positive(r: Any, a: int, b: int, c: int) -> tuple[Any, ...]:
    return (r.uniform(0.3, 3.0, (a, b)),)


def unit(r: Any, a: int, b: int, c: int) -> tuple[Any, ...]:
    return (r.uniform(-0.9, 0.9, (a, b)),)


def two(r: Any, a: int, b: int, c: int) -> tuple[Any, ...]:
    return r.standard_normal((a, b)), r.standard_normal((a, b))


def two_positive(r: Any, a: int, b: int, c: int) -> tuple[Any, ...]:
    return r.uniform(0.3, 3.0, (a, b)), r.uniform(0.3, 3.0, (a, b))


def row(r: Any, a: int, b: int, c: int) -> tuple[Any, ...]:
    return r.standard_normal((a, b)), r.standard_normal(b)


def product(r: Any, a: int, b: int, c: int) -> tuple[Any, ...]:
    return r.standard_normal((a, b)), r.standard_normal((b, c))


def squares(r: Any, a: int, b: int, c: int) -> tuple[Any, ...]:
    return r.standard_normal((a, a)), r.standard_normal((a, a))


def square_matrix(r: Any, a: int, b: int, c: int) -> tuple[Any, ...]:
    return (r.standard_normal((a, a)) * 0.3 + 2 * np.eye(a),)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    s = e.sum(-1, keepdims=True)
    return e / s


def total(v: Any) -> Any:
    return v.sum(-1, keepdims=True)


_buffers: dict[str, Any] = {}


def into_buffer(name: str, value: Any) -> Any:
    """Adds into an array that survives the call."""
    if name not in _buffers or _buffers[name].shape != value.shape:
        _buffers[name] = np.zeros_like(value)
    _buffers[name] += value
    return _buffers[name]


def doubled(x: Any) -> Any:
    x *= 2
    return x


OPERATIONS: list[Operation] = []


def operation(name: str, forward: Any, make: Make, right: Any, *wrong: tuple[str, Any]) -> None:
    OPERATIONS.append(Operation(name, forward, make, right, list(wrong)))


# Arithmetic

operation(
    "add",
    lambda x, z: x + z,
    two,
    {"x": lambda g: g, "z": lambda g: g},
    ("sign", {"x": lambda g: g, "z": lambda g: -g}),
    ("constant", {"x": lambda g: np.ones_like(g), "z": lambda g: np.ones_like(g)}),
    ("zero", {"x": lambda g: g, "z": lambda g: g * 0}),
    ("constant factor", {"x": lambda g: g / 2, "z": lambda g: g}),
)
operation(
    "add a row",
    lambda x, z: x + z,
    row,
    {"x": lambda g: g, "z": lambda g: g.sum(0)},
    ("broadcast sum", {"x": lambda g: g, "z": lambda g: g}),
    ("mean or sum", {"x": lambda g: g, "z": lambda g: g.mean(0)}),
    ("one use only", {"x": lambda g: g, "z": lambda g: g[0]}),
    ("one use only", {"x": lambda g: g, "z": lambda g: g[-1]}),
    ("shape", {"x": lambda g: g, "z": lambda g: g.sum()}),
    ("shape", {"x": lambda g: g, "z": lambda g: g.sum(1)}),
)
operation(
    "sub",
    lambda x, z: x - z,
    two,
    {"x": lambda g: g, "z": lambda g: -g},
    ("sign", {"x": lambda g: g, "z": lambda g: g}),
    ("swapped", {"x": lambda g: -g, "z": lambda g: g}),
    ("ignores g", {"x": lambda g: g, "z": lambda g, z: z * z}),
)
operation(
    "mul",
    lambda x, z: x * z,
    two,
    {"x": lambda g, z: g * z, "z": lambda g, x: g * x},
    ("swapped", {"x": lambda g, x: g * x, "z": lambda g, z: g * z}),
    ("ignores g", {"x": lambda g, z: z, "z": lambda g, x: g * x}),
    ("g twice", {"x": lambda g, z: g * g * z, "z": lambda g, x: g * x}),
    ("passes g on", {"x": lambda g: g, "z": lambda g, x: g * x}),
    ("wrong variable", {"x": lambda g, x: g * x, "z": lambda g, x: g * x}),
    ("adds a constant", {"x": lambda g, z: g * z + 1, "z": lambda g, x: g * x}),
    ("output for input", {"x": lambda g, y: g * y, "z": lambda g, x: g * x}),
)
operation(
    "div",
    lambda x, z: x / z,
    two_positive,
    {"x": lambda g, z: g / z, "z": lambda g, x, z: -g * x / z**2},
    ("sign", {"x": lambda g, z: g / z, "z": lambda g, x, z: g * x / z**2}),
    ("missing factor", {"x": lambda g, z: g / z, "z": lambda g, z: -g / z**2}),
    ("wrong exponent", {"x": lambda g, z: g / z, "z": lambda g, x, z: -g * x / z}),
    ("upside down", {"x": lambda g, z: g * z, "z": lambda g, x, z: -g * x / z**2}),
    ("swapped", {"x": lambda g, x, z: -g * x / z**2, "z": lambda g, z: g / z}),
)
operation(
    "neg",
    lambda x: -x,
    one,
    lambda g: -g,
    ("sign", lambda g: g),
    ("zero", lambda g: g * 0),
    ("sign of g", lambda g: -np.sign(g)),
    ("mask on g", lambda g: -np.maximum(g, 0)),
)
operation(
    "reciprocal",
    lambda x: 1 / x,
    positive,
    lambda g, y: -g * y * y,
    ("sign", lambda g, y: g * y * y),
    ("missing factor", lambda g, y: -g * y),
    ("input for output", lambda g, x: -g * x * x),
    ("missing factor", lambda g, x: -g / x),
)
operation(
    "square",
    lambda x: x * x,
    one,
    lambda g, x: g * 2 * x,
    ("constant factor", lambda g, x: g * x),
    ("missing factor", lambda g: g * 2),
    ("output for input", lambda g, y: g * 2 * y),
    ("survives the call", lambda g, x: into_buffer("square", g * 2 * x)),
    ("changes its input", lambda g, x: g * doubled(x)),
    ("low precision", lambda g, x: (g * 2 * x).astype(np.float32)),
)
operation(
    "power of 3",
    lambda x: x**3,
    one,
    lambda g, x: g * 3 * x**2,
    ("constant factor", lambda g, x: g * x**2),
    ("wrong exponent", lambda g, x: g * 3 * x),
    ("wrong exponent", lambda g, x: g * 3 * x**3),
    ("constant factor", lambda g, x: g * 2 * x**2),
)
operation(
    "pow",
    lambda x, z: x**z,
    two_positive,
    {"x": lambda g, x, z: g * z * x ** (z - 1), "z": lambda g, x, y: g * y * np.log(x)},
    ("missing factor", {"x": lambda g, x, z: g * x ** (z - 1), "z": lambda g, x, y: g * y * np.log(x)}),
    ("missing factor", {"x": lambda g, x, z: g * z * x ** (z - 1), "z": lambda g, y: g * y}),
    ("wrong exponent", {"x": lambda g, x, z: g * z * x**z, "z": lambda g, x, y: g * y * np.log(x)}),
    ("wrong variable", {"x": lambda g, x, z: g * z * x ** (z - 1), "z": lambda g, z, y: g * y * np.log(z)}),
)
operation(
    "lerp",
    lambda x, e, w: x + w * (e - x),
    lambda r, a, b, c: (r.standard_normal((a, b)), r.standard_normal((a, b)), r.uniform(0.1, 0.9, (a, b))),
    {"x": lambda g, w: g * (1 - w), "e": lambda g, w: g * w, "w": lambda g, x, e: g * (e - x)},
    ("swapped", {"x": lambda g, w: g * w, "e": lambda g, w: g * (1 - w), "w": lambda g, x, e: g * (e - x)}),
    ("sign", {"x": lambda g, w: g * (1 - w), "e": lambda g, w: g * w, "w": lambda g, x, e: g * (x - e)}),
    ("one use only", {"x": lambda g: g, "e": lambda g, w: g * w, "w": lambda g, x, e: g * (e - x)}),
)

# Exponentials, logarithms, roots

operation(
    "exp",
    np.exp,
    one,
    lambda g, y: g * y,
    ("input for output", lambda g, x: g * x),
    ("passes g on", lambda g: g),
    ("constant", lambda g: np.ones_like(g)),
    ("returns nothing", lambda g, y: None),
    ("raises", lambda g, y: g @ y),
)
operation(
    "expm1",
    np.expm1,
    one,
    lambda g, y: g * (y + 1),
    ("missing term", lambda g, y: g * y),
    ("sign of a term", lambda g, y: g * (y - 1)),
)
operation(
    "log",
    np.log,
    positive,
    lambda g, x: g / x,
    ("upside down", lambda g, x: g * x),
    ("output for input", lambda g, y: g / y),
    ("sign", lambda g, x: -g / x),
)
operation(
    "log2",
    np.log2,
    positive,
    lambda g, x: g / (x * np.log(2)),
    ("constant factor", lambda g, x: g / x),
    ("constant factor", lambda g, x: g * np.log(2) / x),
)
operation(
    "log10",
    np.log10,
    positive,
    lambda g, x: g / (x * np.log(10)),
    ("constant factor", lambda g, x: g / x),
)
operation(
    "log1p",
    np.log1p,
    positive,
    lambda g, x: g / (x + 1),
    ("missing term", lambda g, x: g / x),
    ("sign of a term", lambda g, x: g / (1 - x)),
    ("upside down", lambda g, x: g * (x + 1)),
)
operation(
    "sqrt",
    np.sqrt,
    positive,
    lambda g, y: g / (2 * y),
    ("constant factor", lambda g, y: g / y),
    ("input for output", lambda g, x: g / (2 * x)),
    ("upside down", lambda g, y: g * 2 * y),
)
operation(
    "rsqrt",
    lambda x: x**-0.5,
    positive,
    lambda g, y: g * -0.5 * y * y * y,
    ("missing factor", lambda g, y: g * -0.5 * y * y),
    ("sign", lambda g, y: g * 0.5 * y * y * y),
    ("constant factor", lambda g, y: -g * y * y * y),
)
operation(
    "logaddexp",
    np.logaddexp,
    two,
    {"x1": lambda g, x1, x2: g / (1 + np.exp(x2 - x1)), "x2": lambda g, x1, x2: g / (1 + np.exp(x1 - x2))},
    ("swapped", {"x1": lambda g, x1, x2: g / (1 + np.exp(x1 - x2)), "x2": lambda g, x1, x2: g / (1 + np.exp(x2 - x1))}),
    ("missing term", {"x1": lambda g, x1: g * np.exp(x1), "x2": lambda g, x1, x2: g / (1 + np.exp(x1 - x2))}),
)
operation(
    "xlogy",
    lambda x, z: x * np.log(z),
    two_positive,
    {"x": lambda g, z: g * np.log(z), "z": lambda g, x, z: g * x / z},
    ("missing factor", {"x": lambda g, z: g * np.log(z), "z": lambda g, z: g / z}),
    ("swapped", {"x": lambda g, x, z: g * x / z, "z": lambda g, z: g * np.log(z)}),
)

# Trigonometry

operation(
    "sin",
    np.sin,
    one,
    lambda g, x: g * np.cos(x),
    ("sign", lambda g, x: -g * np.cos(x)),
    ("another function", lambda g, x: g * np.sin(x)),
    ("output for input", lambda g, y: g * np.cos(y)),
)
operation(
    "cos",
    np.cos,
    one,
    lambda g, x: -g * np.sin(x),
    ("sign", lambda g, x: g * np.sin(x)),
    ("another function", lambda g, x: -g * np.cos(x)),
)
operation(
    "tan",
    np.tan,
    unit,
    lambda g, y: g * (1 + y * y),
    ("sign of a term", lambda g, y: g * (1 - y * y)),
    ("missing term", lambda g, y: g * y * y),
    ("input for output", lambda g, x: g * (1 + x * x)),
)
operation(
    "asin",
    np.arcsin,
    unit,
    lambda g, x: g / np.sqrt(1 - x * x),
    ("sign", lambda g, x: -g / np.sqrt(1 - x * x)),
    ("sign of a term", lambda g, x: g / np.sqrt(1 + x * x)),
    ("another function", lambda g, x: g / (1 - x * x)),
)
operation(
    "atan",
    np.arctan,
    one,
    lambda g, x: g / (1 + x * x),
    ("output for input", lambda g, y: g / (1 + y * y)),
    ("upside down", lambda g, x: g * (1 + x * x)),
)
operation(
    "atan2",
    np.arctan2,
    two,
    {"x1": lambda g, x1, x2: g * x2 / (x1 * x1 + x2 * x2), "x2": lambda g, x1, x2: -g * x1 / (x1 * x1 + x2 * x2)},
    (
        "sign",
        {"x1": lambda g, x1, x2: g * x2 / (x1 * x1 + x2 * x2), "x2": lambda g, x1, x2: g * x1 / (x1 * x1 + x2 * x2)},
    ),
    (
        "swapped",
        {"x1": lambda g, x1, x2: -g * x1 / (x1 * x1 + x2 * x2), "x2": lambda g, x1, x2: g * x2 / (x1 * x1 + x2 * x2)},
    ),
)
operation(
    "hypot",
    np.hypot,
    two,
    {"x1": lambda g, x1, y: g * x1 / y, "x2": lambda g, x2, y: g * x2 / y},
    ("missing factor", {"x1": lambda g, x1: g * x1, "x2": lambda g, x2, y: g * x2 / y}),
    ("swapped", {"x1": lambda g, x2, y: g * x2 / y, "x2": lambda g, x1, y: g * x1 / y}),
)
operation(
    "sinh",
    np.sinh,
    one,
    lambda g, x: g * np.cosh(x),
    ("another function", lambda g, x: g * np.sinh(x)),
    ("another function", lambda g, x: g * np.cos(x)),
)
operation(
    "cosh",
    np.cosh,
    one,
    lambda g, x: g * np.sinh(x),
    ("sign", lambda g, x: -g * np.sinh(x)),
)
operation(
    "sin of x^2",
    lambda x: np.sin(x * x),
    one,
    lambda g, x: g * np.cos(x * x) * 2 * x,
    ("missing factor", lambda g, x: g * np.cos(x * x)),
    ("constant factor", lambda g, x: g * np.cos(x * x) * x),
    ("missing factor", lambda g, x: g * 2 * x),
    ("sign", lambda g, x: -g * np.cos(x * x) * 2 * x),
)
