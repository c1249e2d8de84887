"""Hooks: functions that are called with a gradient when it is complete, on its way through a tensor."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from minigrad.engine import AccumulateGrad, Node, TensorBase, accumulate


class RemovableHandle:
    """What ``register_hook`` returns: ``remove()`` takes the hook away."""

    def __init__(self, hooks: dict[int, Any], key: int) -> None:
        self._hooks, self._key = hooks, key

    def remove(self) -> None:
        self._hooks.pop(self._key, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


_LAST = -1


def attach(node: Node, run: Callable[[Any], Any], last: bool = False) -> RemovableHandle:
    """Let ``run`` have the gradient that arrives at a node; what it returns goes on. One of them can be the last for good."""
    if node.hooks is None:
        node.hooks = {}
    key = _LAST if last else max(node.hooks, default=-1) + 1
    node.hooks[key] = run
    if _LAST in node.hooks:
        node.hooks[_LAST] = node.hooks.pop(_LAST)
    return RemovableHandle(node.hooks, key)


def checked(hook: Callable[[Any], Any], wrap: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A user's hook on tensors as one on whatever flows: arrays, or tensors if the walk is itself recorded."""

    def run(g: Any) -> Any:
        given = g if isinstance(g, TensorBase) else wrap(g)
        result = hook(given)
        if result is None:
            return g
        if not isinstance(result, TensorBase) or result.array.shape != given.array.shape:
            raise RuntimeError(
                f"a hook must return None or a gradient of shape {list(given.array.shape)}, got {result!r}"
            )
        return result if isinstance(g, TensorBase) else result.array

    return run


def retain(tensor: TensorBase, former: Node | None = None) -> None:
    """Let the node of a tensor keep the gradient in ``tensor.grad``, no longer the one it had before an in-place change."""
    if former is not None and former.hooks:
        former.hooks.pop(_LAST, None)
    if tensor.node is not None:
        attach(tensor.node, _keeping(tensor), last=True)


def _keeping(tensor: TensorBase) -> Callable[[Any], Any]:
    """A hook that stores the gradient in ``tensor.grad`` and does not keep the tensor alive."""
    found = weakref.ref(tensor)

    def store(g: Any) -> Any:
        tensor = found()
        if tensor is not None:
            accumulate(tensor, g if isinstance(g, TensorBase) else g.copy())
        return g

    return store


class Announcing(AccumulateGrad):
    """The end of a path that calls functions with the leaf once its ``.grad`` is up to date."""

    __slots__ = ("after",)

    def __init__(self, leaf: TensorBase) -> None:
        super().__init__(leaf)
        self.after: dict[int, Callable[[Any], None]] = {}

    def accumulate(self, g: Any) -> None:
        super().accumulate(g)
        for hook in tuple(self.after.values()):
            hook(self.leaf())


def announce(leaf: TensorBase, hook: Callable[[Any], None]) -> RemovableHandle:
    """Call ``hook(leaf)`` after each gradient that arrives there by an operation done from now on."""
    end = leaf.accumulator
    if not isinstance(end, Announcing):
        former, end = end, Announcing(leaf)
        if former is not None:
            end.hooks = former.hooks
        leaf.accumulator = end
    key = max(end.after, default=-1) + 1
    end.after[key] = hook
    return RemovableHandle(end.after, key)
