"""The type of a result: every pair of types, as tensors of one or more dimensions, 0-d tensors and Python numbers."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

import minigrad

TYPES = ["float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool"]
OPERATIONS = {
    "+": lambda m, x, y: x + y,
    "*": lambda m, x, y: x * y,
    "/": lambda m, x, y: x / y,
    "//": lambda m, x, y: x // y,
    "%": lambda m, x, y: x % y,
    "**": lambda m, x, y: x**y,
    "==": lambda m, x, y: x == y,
    "<": lambda m, x, y: x < y,
    "where": lambda m, x, y: m.where(m.tensor(True), x, y),
    "maximum": lambda m, x, y: m.maximum(m.as_tensor(x), m.as_tensor(y)),
    "atan2": lambda m, x, y: m.atan2(m.as_tensor(x), m.as_tensor(y)),
}


def result(m: Any, f: Any, *operands: Any) -> str:
    """The result's type and shape, or what was raised."""
    try:
        y = f(m, *operands)
    except (RuntimeError, NotImplementedError, TypeError) as error:
        return next(base.__name__ for base in type(error).__mro__ if base.__module__ == "builtins")
    return f"{y.dtype} {tuple(y.shape)}"


def agrees(f: Any, make: Any) -> str | None:
    theirs = result(torch, f, *make(torch))
    if theirs == "NotImplementedError":
        return None
    ours = result(minigrad, f, *make(minigrad))
    return None if ours == theirs else f"{ours}, PyTorch has {theirs}"


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(("left", "right"), [((2,), (2,)), ((2,), ()), ((), (2,)), ((), ()), ((2, 1), (1, 2))])
def test_pairs_of_tensors_meet_in_the_type_of_pytorch(name: str, left: Any, right: Any) -> None:
    wrong = {}
    for a, b in itertools.product(TYPES, TYPES):

        def make(m: Any, a: str = a, b: str = b) -> tuple[Any, Any]:
            return m.ones(left, dtype=getattr(m, a)), m.ones(right, dtype=getattr(m, b))

        found = agrees(OPERATIONS[name], make)
        if found:
            wrong[a, b] = found
    assert not wrong


@pytest.mark.parametrize("name", ["+", "*", "/", "//", "%", "**", "==", "<", "where"])
@pytest.mark.parametrize("shape", [(2,), ()])
@pytest.mark.parametrize("number", [True, 2, 2.5])
@pytest.mark.parametrize("first", [True, False], ids=["tensor first", "number first"])
def test_python_numbers_keep_the_type_of_a_tensor_of_their_kind(
    name: str, shape: Any, number: Any, first: bool
) -> None:
    wrong = {}
    for a in TYPES:

        def make(m: Any, a: str = a) -> tuple[Any, Any]:
            x = m.ones(shape, dtype=getattr(m, a))
            return (x, number) if first else (number, x)

        found = agrees(OPERATIONS[name], make)
        if found:
            wrong[a] = found
    assert not wrong


UNARY = ["exp", "sqrt", "sigmoid", "abs", "neg", "sign", "floor", "relu", "sum", "prod", "mean", "cumsum", "isnan"]


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("shape", [(2,), ()])
def test_one_operand_has_the_type_of_pytorch(name: str, shape: Any) -> None:
    wrong = {}
    for a in TYPES:

        def f(m: Any, x: Any) -> Any:
            return x.cumsum(0) if name == "cumsum" else getattr(m, name)(x)

        found = agrees(f, lambda m, a=a: (m.ones(shape, dtype=getattr(m, a)),))
        if found:
            wrong[a] = found
    assert not wrong


@pytest.mark.parametrize("a", TYPES)
def test_promote_types_and_cat_meet_in_the_type_of_pytorch(a: str) -> None:
    for b in TYPES:
        pair = [str(m.promote_types(getattr(m, a), getattr(m, b))) for m in (minigrad, torch)]
        assert pair[0] == pair[1], b
        joined = [
            str(m.cat([m.ones(1, dtype=getattr(m, a)), m.ones(1, dtype=getattr(m, b))]).dtype)
            for m in (minigrad, torch)
        ]
        assert joined[0] == joined[1], b
