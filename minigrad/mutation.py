"""In-place changes: what happens to history when memory is overwritten.

A tensor that is changed gets the history of its new value. A view is changed through its base: the base becomes
``assign(base, value, path)``, its old value with one part overwritten, and each view tells its history anew from there.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np

from minigrad.engine import TensorBase, Version, define, replay
from minigrad.grad_mode import mode
from minigrad.hooks import retain

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def _write(x: Any, value: Any, path: Any, index: Any) -> Any:
    replay(path, x)[index] = value
    return x


@define("CopySlices")
def overwrite(x: Any, value: Any, path: Any, index: Any) -> Any:
    """A copy of ``x`` in which the part that ``path`` and ``index`` lead to is ``value``."""
    return _write(x.copy(), value, path, index)


@define("CopySlices")
def assign(x: Any, value: Any, path: Any, index: Any) -> Any:
    """``overwrite`` in the memory of ``x`` itself."""
    return _write(x, value, path, index)


put = define("IndexPutBackward0")(assign.forward)

for _operation in (overwrite, assign, put):
    _operation.vjp(
        x=lambda g, path, index: overwrite(g, 0.0, path, index),
        value=lambda g, path, index: replay(path, g)[index],
    )


def user_line() -> str:
    """``file:line`` of the innermost call from outside the package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def touch(x: TensorBase, by: str) -> None:
    """Count an in-place change of the memory of ``x``."""
    x.version.change(f"{by} at {user_line()}")


def _check(x: TensorBase) -> None:
    x.sync()
    if mode.enabled:
        owner = x if x.base is None else x.base
        if owner.needs_grad and owner.node is None:
            raise RuntimeError(
                f"a {'' if x.base is None else 'view of a '}leaf Variable that requires grad is being used in an in-place "
                f"operation: it would lose the value its gradient belongs to. Do it under no_grad(), or use the "
                f"out-of-place form (x = x + 1)"
            )
        if x.path:
            _check_siblings(x, owner)


_OF_SEVERAL = {"SplitBackward0", "SplitWithSizesBackward0", "UnbindBackward0"}


def _check_siblings(x: TensorBase, owner: TensorBase) -> None:
    name = next((primitive.name for primitive, _ in x.path if primitive.name in _OF_SEVERAL), None)
    if name is not None and owner.needs_grad:
        raise RuntimeError(
            f"an output of {name} is a view and is being modified inplace. This view is the output of a function that returns "
            f"multiple views. Such functions do not allow the output views to be modified inplace: change a slice of the "
            f"whole, x[i] or x.narrow(...), or use the out-of-place operation"
        )


def change(x: TensorBase, result: TensorBase, by: str) -> Any:
    """Make ``x`` in place what ``result`` says: ``x.mul_(2)`` is ``change(x, x * 2, "mul_")``."""
    _check(x)
    new = result.array
    if new.shape != x.array.shape:
        raise RuntimeError(
            f"output with shape {list(x.array.shape)} doesn't match the broadcast shape {list(new.shape)}: {by} keeps the "
            f"shape of its tensor; use the out-of-place form"
        )
    if not np.can_cast(new.dtype, x.array.dtype, "same_kind"):
        raise RuntimeError(
            f"result type {new.dtype} can't be cast to the desired output type {x.array.dtype}: convert the tensor first"
        )
    _check_memory(x.array, by)
    _keep_input(x, result)
    if x.base is not None and mode.enabled and (result.needs_grad or x.base.needs_grad):
        return _assign(x, result, ..., by)
    if mode.capture is not None:
        mode.capture.enter((x,))
    x.array[...] = new
    touch(x, by)
    if mode.enabled:
        _retell(x, result)
        if x.node is not None:
            _keep_output(x)
    return x


def _retell(x: TensorBase, result: TensorBase) -> None:
    """Give ``x`` the history of what was written into it."""
    former, x.node, x.needs_grad = x.node, result.node, result.needs_grad
    if x._retains_grad:
        retain(x, former)


def _check_memory(array: np.ndarray, by: str) -> None:
    if array.flags.writeable and (0 not in array.strides or not array.size):
        return
    if any(step == 0 and n > 1 for step, n in zip(array.strides, array.shape, strict=True)):
        raise RuntimeError(
            f"unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            f"Please clone() the tensor before {by}: it was expanded, and its elements are the same ones again and again"
        )
    if not array.flags.writeable:
        raise RuntimeError(f"{by}: the memory of this tensor cannot be written to: clone() it, or copy the NumPy array")


def _keep_input(x: TensorBase, result: TensorBase) -> None:
    """The operation may have saved its input, which is about to be overwritten: let it have a copy."""
    node = result.node
    if node is not None and node.values is not None:
        for k, (i, version) in enumerate(node.versions):
            if node.plan.kept[i] == 0 and version is x.version:
                node.values[i], node.versions[k] = node.values[i].copy(), (i, Version())


def _keep_output(x: TensorBase) -> None:
    """The operation that wrote ``x`` may have saved its output: that is now the memory of ``x``, as of that operation."""
    node = x.node
    assert node is not None
    for k, (i, _) in enumerate(node.versions):
        if node.plan.kept[i] == node.plan.arity and node.values is not None:
            node.values[i], node.versions[k] = x.array, (i, x.version)
            x.version.last = node.order


def assign_index(x: TensorBase, index: Any, value: Any, by: str = "setitem") -> None:
    """``x[index] = value``."""
    _check(x)
    _assign(x, value, index, by)


def _assign(x: TensorBase, value: Any, index: Any, by: str) -> TensorBase:
    owner = x if x.base is None else x.base
    arrays = any(isinstance(part, np.ndarray) for part in (index if isinstance(index, tuple) else (index,)))
    written = (put if arrays and not x.path else assign)(owner, value, x.path, index)
    touch(x, by)
    if written.node is not None:
        _retell(owner, written)
    x.sync()
    return x
