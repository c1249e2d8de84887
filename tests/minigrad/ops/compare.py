"""Runs one row of the table on PyTorch and on minigrad and compares what they give."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import minigrad
from tests.minigrad.ops.cases import Case
from tests.minigrad.ops.row import Row

RTOL = {"float64": 1e-9, "float32": 1e-4, "float16": 2e-2}
ATOL = {"float64": 1e-9, "float32": 2e-5, "float16": 2e-2}


def tensors_in(m: Any, option: Any) -> Any:
    """An argument, its arrays made tensors of the library ``m``."""
    if isinstance(option, np.ndarray):
        return m.from_numpy(option.copy())
    return tuple(tensors_in(m, o) for o in option) if type(option) is tuple else option


def run(m: Any, row: Row, case: Case, inputs: Any) -> list[Any]:
    """The outputs of the operation, as a list of tensors."""
    call = row.torch if m is torch and row.torch is not None else row.call
    y = call(m, *inputs, **{name: tensors_in(m, o) for name, o in case.options.items()})
    return list(y) if isinstance(y, (tuple, list)) else [y]


def attempt(m: Any, row: Row, case: Case, inputs: Any) -> list[Any] | Exception:
    try:
        return run(m, row, case, inputs)
    except (RuntimeError, IndexError, ValueError, TypeError) as error:
        return error


def array(x: Any) -> np.ndarray:
    return x.detach().numpy(force=True)


def same(ours: Any, theirs: Any, what: str, exact: float = 1.0) -> None:
    """Fails unless shape, type and elements agree, nan and inf included."""
    a, b = array(ours), array(theirs)
    assert str(ours.dtype) == str(theirs.dtype), f"{what}: dtype {ours.dtype}, PyTorch has {theirs.dtype}"
    assert a.shape == b.shape, f"{what}: shape {a.shape}, PyTorch has {b.shape}"
    if a.dtype.kind != "f":
        np.testing.assert_array_equal(a, b, what)
    else:
        name = a.dtype.name
        scale = max(1.0, float(np.abs(b[np.isfinite(b)]).max(initial=0.0)))
        np.testing.assert_allclose(a, b, RTOL[name] * exact, ATOL[name] * exact * scale, err_msg=what, verbose=True)


def same_error(ours: Any, theirs: Any) -> None:
    """Fails unless both raised, and ours can be caught as PyTorch's."""
    if isinstance(theirs, NotImplementedError):
        return
    assert isinstance(ours, Exception), f"PyTorch raises {type(theirs).__name__}: {theirs}; minigrad gives {ours}"
    known = next(base for base in type(theirs).__mro__ if base.__module__ == "builtins")
    assert isinstance(ours, known), f"{type(ours).__name__}: {ours}; PyTorch raises {known.__name__}"


def leaves(m: Any, arrays: list[np.ndarray], wanted: list[bool]) -> list[Any]:
    made = [m.from_numpy(a if m is minigrad or _holds(a) else a.copy()) for a in arrays]
    return [x.requires_grad_() if w else x for x, w in zip(made, wanted, strict=True)]


def _holds(a: np.ndarray) -> bool:
    """Whether PyTorch can have a tensor of this memory: it has no negative strides."""
    return all(s >= 0 for s in a.strides)


def gradients(m: Any, outputs: list[Any], inputs: list[Any], upstream: list[np.ndarray], create_graph: bool) -> Any:
    """The gradients for ``upstream``, zeros where there is none, and the upstream tensors."""
    gs = [m.from_numpy(g.copy()) for g in upstream]
    if create_graph:
        gs = [g.requires_grad_() for g in gs]
    found = m.autograd.grad(outputs, inputs, gs, create_graph=create_graph, allow_unused=True)
    return [m.zeros_like(x) if g is None else g for g, x in zip(found, inputs, strict=True)], gs


def compare(row: Row, case: Case, arrays: list[np.ndarray], wanted: list[bool], order: int, seed: int) -> None:
    """Compare values, and gradients up to ``order``, on the same numbers."""
    rng = np.random.default_rng(seed)
    before = [a.copy() for a in arrays]
    xs, ts = leaves(minigrad, arrays, wanted), leaves(torch, arrays, wanted)
    theirs, ours = attempt(torch, row, case, ts), attempt(minigrad, row, case, xs)
    if isinstance(theirs, Exception):
        same_error(ours, theirs)
        return
    if isinstance(ours, Exception):
        raise ours
    assert len(ours) == len(theirs)
    for y, t in zip(ours, theirs, strict=True):
        same(y, t, "value", row.exact)
        if order and row.order:
            assert y.requires_grad == t.requires_grad, f"requires_grad is {y.requires_grad}"
    for a, b in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, b, "an input was changed")
    live = [(y, t) for y, t in zip(ours, theirs, strict=True) if t.requires_grad]
    if order < 1 or not live or row.order < 1:
        return
    yo, to = [y for y, _ in live], [t for _, t in live]
    xi, ti = [x for x in xs if x.requires_grad], [t for t in ts if t.requires_grad]
    upstream = [np.asarray(rng.standard_normal(tuple(t.shape))).astype(array(t).dtype) for t in to]
    second = order > 1 and row.order > 1
    (gx, ux), (gt, ut) = gradients(minigrad, yo, xi, upstream, second), gradients(torch, to, ti, upstream, second)
    for i, (a, b) in enumerate(zip(gx, gt, strict=True)):
        same(a, b, f"gradient {i}", row.exact)
    if not second:
        return
    again = [np.asarray(rng.standard_normal(tuple(t.shape))).astype(array(t).dtype) for t in gt]
    pairs = [(a, b, h) for a, b, h in zip(gx, gt, again, strict=True) if b.requires_grad]
    if not pairs:
        return
    for a, _, _ in pairs:
        assert a.requires_grad, "the gradient has no history"
    hs = [h for _, _, h in pairs]
    g2x, _ = gradients(minigrad, [a for a, _, _ in pairs], xi + ux, hs, False)
    g2t, _ = gradients(torch, [b for _, b, _ in pairs], ti + ut, hs, False)
    for i, (a, b) in enumerate(zip(g2x, g2t, strict=True)):
        same(a, b, f"second gradient {i}", row.exact)
