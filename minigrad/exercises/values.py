"""What is wrong with a value: found by what relates it to the right one, or by the edit of the solution that gives it."""

from __future__ import annotations

import ast
import linecache
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd.checking.text import tree_of
from minigrad.creation import tensor
from minigrad.exercises.draws import Draw
from minigrad.exercises.edited import edited
from minigrad.exercises.failure import quoted
from minigrad.tensor import Tensor

PATIENCE = 3.0  # seconds in which an edit of the solution with the learner's values is looked for


class Wrong(NamedTuple):
    """A value that is not right: what it is called, itself, the right one, and the arguments."""

    label: str
    mine: np.ndarray
    right: np.ndarray
    given: Draw


def named(wrong: Wrong, was_finite: bool) -> tuple[str, str] | None:
    """The code and the sentence for a value, from the two arrays alone; None if they tell nothing."""
    label, mine, right, given = wrong
    if np.isfinite(right).all() and not np.isfinite(mine).all():
        if np.isnan(mine).all() and not was_finite:
            return "nan", f"{label} is nan everywhere."
        return "overflow", f"{label} is {mine[~np.isfinite(mine)][0]:g} where the true value is finite: rearrange " \
            "the formula so that no exp() gets a large argument and no log() a 0."  # fmt: skip
    if not mine.any() and right.any():
        return "zero", f"{label} is 0{' everywhere' if mine.size > 1 else ''}: it is still to be written."
    if right.size > 1 and np.ptp(mine) == 0 and np.ptp(right) > 0:
        return "constant", f"{label} is {mine.flat[0]:g} everywhere: it is still to be written."
    for name, value in given.items():
        if isinstance(value, np.ndarray) and right.size > 1 and np.array_equal(value, mine):
            return "identity", f"{label} is {name}, unchanged: it is still to be written."
    gap, size = np.abs(mine - right).max(), np.abs(right).max()
    if 0 < gap < 1e-4 * size:
        return "epsilon", f"{label} is off by {gap / size:.0e} of its size: right but for a small number that was added, " \
            "or for low precision."  # fmt: skip
    if _equal(mine, -right):
        return "sign", f"{label} is right except for the sign."
    for n, where in _sizes(given):
        if _equal(mine, right * n):
            return "missing_mean", f"{label} is exactly {n} times too big, and {n} is {where}: divide by it."
        if _equal(mine * n, right):
            return "extra_mean", f"{label} is exactly {n} times too small, and {n} is {where}: a sum does not divide."
    return None


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.allclose(a, b, rtol=1e-9, atol=0))


def _sizes(given: Draw) -> Iterator[tuple[int, str]]:
    """The numbers of entries of the arguments, and then the sizes of their axes, where they are more than 2."""
    arrays = {k: v for k, v in given.items() if isinstance(v, np.ndarray)}
    yield from ((v.size, f"the number of entries of {k}") for k, v in arrays.items() if v.size > 2)
    yield from ((n, f"the size of axis {i} of {k}") for k, v in arrays.items() for i, n in enumerate(v.shape) if n > 2)


def slip(wrong: Wrong, solution: Callable[..., Any], run: Callable[..., Any]) -> tuple[str, str] | None:
    """The small edit of the solution that gives the learner's values; ``run(f, given)`` calls a function."""
    right = expression(solution)
    tree = tree_of(right)
    until = time.monotonic() + PATIENCE
    for edit in edited(tree, list(wrong.given)) if tree is not None else ():
        if time.monotonic() > until:
            break
        try:
            found = array(run(edit.function(right), wrong.given))
        except Exception:  # most edits of shapes do not run
            continue
        if agree(found, wrong.mine):
            return edit.kind, f"Your values are those of {quoted(edit.text)}: {edit.words}."
    return None


def expression(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that only returns an expression as a lambda, whose mutants can rename a variable throughout."""
    tree = tree_of(function)
    if not isinstance(tree, ast.FunctionDef):
        return function
    body = tree.body[1:] if ast.get_docstring(tree) else tree.body
    if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
        return function
    text = f"lambda {ast.unparse(tree.args)}: {ast.unparse(body[0].value)}"
    filename = f"<{tree.name} as an expression>"
    linecache.cache[filename] = len(text), None, [text], filename
    return eval(compile(text, filename, "eval"), function.__globals__)


def agree(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal but for rounding."""
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True))


def array(value: Any) -> np.ndarray:
    """A tensor, an array or a number as an array."""
    return np.asarray(value.detach().numpy() if isinstance(value, Tensor) else value)


def numbers(value: Any) -> np.ndarray | None:
    """Real numbers as an array; None if it holds something else."""
    try:
        found = array(value)
        return found.astype(np.float64) if found.dtype.kind in "fiub" else None
    except (TypeError, ValueError):
        return None


def tensors(value: Any) -> Any:
    """An array as a tensor; anything else as it is."""
    return tensor(value) if isinstance(value, np.ndarray) else value


def copied(given: Draw) -> Draw:
    """The arguments, with arrays of their own."""
    return {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in given.items()}
