"""Run a program with a function compiled and as it is, and see whether anything differs."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad

Program = Callable[[Callable[[Any], Any]], Any]


def as_bytes(x: Any) -> Any:
    """All that can be told of what a program returns."""
    if isinstance(x, minigrad.Tensor):
        return str(x.dtype), tuple(x.shape), x.requires_grad, x.detach().numpy().tobytes()
    if isinstance(x, np.ndarray):
        return x.dtype.str, x.shape, x.tobytes()
    if isinstance(x, dict):
        return [(key, as_bytes(value)) for key, value in x.items()]
    if isinstance(x, (list, tuple)):
        return type(x).__name__, [as_bytes(item) for item in x]
    return type(x).__name__, repr(x)


def compare(program: Program) -> tuple[Any, Any, int, str]:
    """What a program gives as it is and compiled, how many plans were made, and the first warning.

    ``program`` is called with what compiles its step: with the identity, then with ``minigrad.compile``.
    """
    made: list[Any] = []

    def compiled(step: Any) -> Any:
        found = minigrad.compile(step)
        made.append(getattr(found, "_compiled", found))
        return found

    minigrad.manual_seed(0)
    expected = as_bytes(program(lambda step: step))
    minigrad.manual_seed(0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = as_bytes(program(compiled))
    plans = sum(len(kind.plans) for function in made for kind in function._kinds.values())
    return expected, found, plans, str(caught[0].message) if caught else ""


def check(program: Program, warning: str = "") -> None:
    """Assert that compiled is as it is: replayed, or, if a warning is expected, with that."""
    expected, found, plans, warned = compare(program)
    assert found == expected
    if warning:
        assert warning in warned
    else:
        assert not warned
        assert plans
