"""Tier A, continued: what a gradient of the wrong shape was meant to be."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.autograd.checking.compare import Evidence
from minigrad.autograd.checking.problem import Arrays
from minigrad.autograd.checking.report import CERTAIN, HIGH, Diagnosis
from minigrad.autograd.checking.tensors import TensorProblem


def plural(axes: tuple[int, ...]) -> str:
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {tuple(axes)}"


def say(code: str, sentence: str, confidence: str = CERTAIN, **more: Any) -> Diagnosis:
    return Diagnosis(code, sentence, confidence, tier="A", **more)


def shape_diagnosis(evidence: Evidence, k: int, array: np.ndarray, g: Arrays) -> Diagnosis:
    """Why a gradient has another shape than its input."""
    name, x = evidence.problem.names[k], evidence.xs[k]
    axes = summed_axes(array.shape, x.shape)
    if axes is not None:
        total = array.sum(axis=axes, keepdims=True).reshape(x.shape)
        right = x.size <= 300 and np.allclose(
            total, numeric_gradient(evidence, k, g), rtol=1e-5, atol=1e-7 * (1 + abs(total).max(initial=0.0))
        )
        return _no_sum(name, x.shape, array.shape, axes, CERTAIN if right else HIGH)
    return _other_shape(name, x.shape, array.shape, [y.shape for y in evidence.ys])


def _no_sum(
    name: str, shape: tuple[int, ...], given: tuple[int, ...], axes: tuple[int, ...], confidence: str
) -> Diagnosis:
    keep = len(given) == len(shape)
    what = f"g.sum({axes[0] if len(axes) == 1 else axes}{', keepdims=True' if keep else ''})"
    return say(
        "no_broadcast_sum",
        f"{name} {shape} was stretched to {given}: its gradient is the sum over the copies. Add up {plural(axes)}, as "
        f"in {what}.",
        confidence,
        axis=axes if len(axes) > 1 else axes[0],
        expression=what,
        input=name,
    )


def _other_shape(
    name: str, shape: tuple[int, ...], given: tuple[int, ...], outputs: list[tuple[int, ...]]
) -> Diagnosis:
    start = f"The gradient of {name} has the shape {given}, and {name} has {shape}"
    if len(given) > 1 and given == shape[::-1]:
        return say(
            "transpose",
            f"{start}: a transpose is missing, or one too many; so are the operands of a product in the wrong order.",
            input=name,
        )
    if given == () and shape:
        return say(
            "over_summed",
            f"{start}: it is a single number, where each entry has a gradient of its own. Is everything added up, or g "
            "forgotten?",
            input=name,
        )
    if math.prod(given) == math.prod(shape):
        return say(
            "not_reshaped",
            f"{start}, with as many entries: bring it into shape with .reshape({shape}).",
            input=name,
            expression=f".reshape({shape})",
        )
    axes = lost_axes(given, shape)
    if axes is not None:
        return say(
            "not_expanded",
            f"{start}: an axis that was summed up has to come back. Every entry along {plural(axes)} gets the same g: "
            f"np.broadcast_to(np.expand_dims(g, {axes[0] if len(axes) == 1 else axes}), {shape}).",
            axis=axes if len(axes) > 1 else axes[0],
            input=name,
        )
    if given in outputs:
        return say(
            "shape_of_output", f"{start}: it has the output's shape; bring it back to that of {name}.", input=name
        )
    return say("wrong_shape", f"{start}: a gradient has the shape of its input.", input=name)


def summed_axes(given: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The axes to add up to come from a stretched shape to ``shape``; None if it is no stretched one."""
    lead = len(given) - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, given[lead:], strict=True)):
        return None
    axes = (*range(lead), *(lead + i for i, n in enumerate(shape) if n == 1 != given[lead + i]))
    return axes or None


def lost_axes(given: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The axes of ``shape`` that are missing in ``given``, or of size 1 there; None if something else differs."""
    if len(given) == len(shape):
        axes = tuple(i for i, (n, m) in enumerate(zip(given, shape, strict=True)) if n != m)
        return axes if axes and all(given[i] == 1 for i in axes) else None
    if len(given) > len(shape):
        return None
    missing, at = [], 0
    for i, n in enumerate(shape):
        if at < len(given) and given[at] == n:
            at += 1
        else:
            missing.append(i)
    return tuple(missing) if at == len(given) else None


def shapes_of_functions(evidence: Evidence) -> Diagnosis | None:
    """What Functions returned before the engine summed it: a broadcast sum left to the engine is a mistake elsewhere."""
    problem = evidence.problem
    if not isinstance(problem, TensorProblem):
        return None
    for r in problem.returned(evidence.copies(), evidence.upstream()):
        if r.shape != r.needed:
            name = f"argument {r.argument} of {r.function}"
            axes = summed_axes(r.shape, r.needed)
            if axes is None:
                return _other_shape(name, r.needed, r.shape, [y.shape for y in evidence.ys])
            d = _no_sum(name, r.needed, r.shape, axes, CERTAIN)
            text = (
                d.sentence[0].upper()
                + d.sentence[1:]
                + " The engine did it here on your behalf; an engine that does not would fail."
            )
            return say(d.code, text, axis=d.axis, expression=d.expression, input=name)
    return None


def numeric_gradient(evidence: Evidence, k: int, g: Arrays) -> np.ndarray:
    """The gradient of ``sum(g * y)`` for input ``k`` by differences alone."""
    x = evidence.xs[k]
    row = np.concatenate([part.ravel() for part in g])[None]
    full, evidence.full = evidence.full, False
    try:
        block = evidence.block(evidence.xs, k, np.arange(x.size), row, np.zeros((1, x.size)), evidence.y)
    finally:
        evidence.full = full
    return block.numeric[0].reshape(x.shape)
