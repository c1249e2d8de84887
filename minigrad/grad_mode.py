"""Whether operations are recorded: one flag per thread, and the contexts that set it.

Each context also works as a decorator, with or without parentheses, as PyTorch's do.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

__all__ = [
    "enable_grad",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_grad_enabled",
]


class Tape:
    """What wants to see every operation of a thread while it stands in ``mode.tape``; by itself it looks at nothing."""

    def enter(self, args: Any) -> None:
        """An operation on tensors is about to be computed."""

    def leave(self, primitive: Any, args: Any, result: Any) -> None:
        """It was computed, and recorded if it is to be."""

    def pulled(self, node: Any, g: Any, found: Any) -> None:
        """Backward applied the rules of ``node`` to ``g``: ``found`` are pairs of a source node and its gradient."""

    def cut(self, tensor: Any, result: Any, how: str) -> None:
        """``result`` was made of ``tensor`` without its history, by the method named ``how``."""


class _Mode(threading.local):
    """The state of this thread: a new thread starts with recording on."""

    enabled = True
    inference = False
    tape: Tape | None = None
    capture: Any = None  # while a step is being captured, what writes down the calls of NumPy

    def __init__(self) -> None:
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        self.quietly = context.run  # quietly(f, x): as with np.errstate(all="ignore"), at a fifth of its price


mode = _Mode()


def is_grad_enabled() -> bool:
    """True if operations on tensors that require a gradient are being recorded in this thread."""
    return mode.enabled


def is_inference_mode_enabled() -> bool:
    """True inside ``inference_mode()``."""
    return mode.inference


class _GradContext:
    """Set the flag on entering, put the former value back on leaving."""

    enabled: bool

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        context = super().__new__(cls)
        return context if function is None else context(function)

    def __enter__(self) -> None:
        self._former = mode.enabled
        mode.enabled = self.enabled

    def __exit__(self, *_: object) -> None:
        mode.enabled = self._former

    def _again(self) -> Any:
        return type(self)()

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):
            return self._stepwise(function)

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]  # functools.wraps keeps the signature, mypy cannot see it

    def _stepwise(self, function: F) -> F:
        """A generator whose own steps run in the mode, but not the code that asks for them."""

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            generator, sent = function(*args, **kwargs), None
            try:
                while True:
                    with self._again():
                        try:
                            value = generator.send(sent)
                        except StopIteration as end:
                            return end.value
                    sent = yield value
            finally:
                generator.close()

        return wrapped  # type: ignore[return-value]  # functools.wraps keeps the signature, mypy cannot see it


class no_grad(_GradContext):
    """Inside, nothing is recorded: results have ``requires_grad=False``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.no_grad.html
    """

    enabled = False


class enable_grad(_GradContext):
    """Inside, operations are recorded again, also within ``no_grad()``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.enable_grad.html
    """

    enabled = True


class set_grad_enabled(_GradContext):
    """Turn recording on or off at once; as a context, the former state returns at the end.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad_mode.set_grad_enabled.html
    """

    def __new__(cls, mode: bool) -> set_grad_enabled:
        return object.__new__(cls)

    def __init__(self, mode: bool) -> None:
        self.enabled = bool(mode)
        self._former = _set(self.enabled)

    def __enter__(self) -> None:
        mode.enabled = self.enabled

    def _again(self) -> set_grad_enabled:
        return set_grad_enabled(self.enabled)

    def __call__(self, function: F) -> F:
        mode.enabled = self._former  # as a decorator only the function is meant, not the code around it
        return super().__call__(function)


def _set(enabled: bool) -> bool:
    former, mode.enabled = mode.enabled, enabled
    return former


class inference_mode(_GradContext):
    """Like ``no_grad()``; its results are marked ``is_inference()`` and can never join a graph later.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad_mode.inference_mode.html
    """

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        context = object.__new__(cls)
        if callable(mode):
            context.__init__(True)  # type: ignore[misc]  # used as a bare decorator: Python skips __init__ then
            return context(mode)
        return context

    def __init__(self, mode: bool = True) -> None:
        self.inference = bool(mode)

    def _again(self) -> inference_mode:
        return inference_mode(self.inference)

    def __enter__(self) -> None:
        self._former_modes = mode.enabled, mode.inference
        if self.inference:
            mode.enabled, mode.inference = False, True
        else:
            mode.inference = False

    def __exit__(self, *_: object) -> None:
        mode.enabled, mode.inference = self._former_modes
