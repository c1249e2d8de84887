"""Runs one program on minigrad and on PyTorch and compares values, gradients, second gradients and errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

import minigrad

Program = Callable[..., Any]


def to_numpy(x: Any) -> np.ndarray:
    return x.detach().numpy(force=True)


def close(ours: Any, theirs: Any, what: str = "value") -> None:
    """Fails unless shape, type and elements agree; nan and inf included."""
    a, b = to_numpy(ours), to_numpy(theirs)
    assert a.shape == b.shape, f"{what}: shape {a.shape}, PyTorch has {b.shape}"
    assert a.dtype == b.dtype, f"{what}: type {a.dtype}, PyTorch has {b.dtype}"
    rtol = 1e-8 if a.dtype == np.float64 else 2e-5
    np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol / 2, err_msg=what)  # float32's second gradients cancel


def run(
    library: Any, program: Program, arrays: Sequence[np.ndarray], constants: Sequence[Any], second: bool
) -> dict[str, Any]:
    """The program's value, and its first and second gradients along fixed random directions."""
    leaves = [library.tensor(a, requires_grad=True) for a in arrays]
    fixed = [library.tensor(c) if isinstance(c, np.ndarray) else c for c in constants]
    y = program(library, *leaves, *fixed)
    found = {"value": y}
    rng = np.random.default_rng(0)
    direction = library.tensor(rng.standard_normal(tuple(y.shape)).astype(to_numpy(y).dtype))
    firsts = library.autograd.grad(y, leaves, direction, create_graph=True, allow_unused=True)
    parts = []
    for i, g in enumerate(firsts):
        if g is not None:
            found[f"gradient {i}"] = g
            parts.append((g * library.tensor(rng.standard_normal(tuple(g.shape)).astype(to_numpy(g).dtype))).sum())
    total = sum(parts[1:], parts[0])
    if second and total.requires_grad:
        for i, h in enumerate(library.autograd.grad(total, leaves, allow_unused=True)):
            found[f"second gradient {i}"] = library.zeros_like(leaves[i]) if h is None else h
    return found


def agree(program: Program, arrays: Sequence[np.ndarray], *constants: Any, second: bool = True) -> None:
    """Fails unless both libraries give the same value and gradients."""
    ours, theirs = (run(library, program, arrays, constants, second) for library in (minigrad, torch))
    for what in [*ours, *theirs]:
        if what.startswith("second") and (what not in ours or what not in theirs):
            present = ours.get(what, theirs.get(what))
            assert not to_numpy(present).any(), f"{what} is not zero, and one library has none"
            continue
        close(ours[what], theirs[what], what)


def same_error(program: Program, match: str) -> None:
    """Fails unless both libraries raise the same type and minigrad's message has ``match``."""
    with pytest.raises(Exception) as theirs:  # noqa: PT011  (its type is what minigrad is held to)
        program(torch)
    with pytest.raises(theirs.type, match=match) as ours:
        program(minigrad)
    assert ours.type is theirs.type
