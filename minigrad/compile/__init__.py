"""``compile``: run a step once, write down what NumPy is asked to do, and from then on do only that.

The first call of a compiled function runs as it is. The second is captured. The third runs both, the function and the
replay of what was captured, and compares every bit they leave behind; only if they agree, calls replay from then on.
Read ``program.py``, ``recorder.py``, ``capture.py``, ``passes.py``, ``shaping.py``, ``places.py``,
``replay.py``, ``plan.py``, in this order.
"""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import os
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.compile.plan import Plan, Snapshot
from minigrad.compile.program import GuardFailedError
from minigrad.compile.session import record
from minigrad.grad_mode import mode
from minigrad.nn.modules.module import Module
from minigrad.tensor import Tensor

__all__ = ["compile"]

_MOST = 8  # plans of one function; what calls with more kinds of arguments than that is better off without
_TRIES = 4  # captures of one kind of call that turn out to be of that one call only


def compile(
    model: Callable[..., Any] | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Any:
    """A function or module that does the same in less time; also a decorator, with or without arguments.

    ``fullgraph=True`` raises RuntimeError where a step cannot be captured, instead of running it as it is with a warning.
    The other arguments are accepted for PyTorch's programs; only ``disable`` has an effect.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.compile.html
    """
    if model is None:
        return lambda function: compile(function, fullgraph=fullgraph, disable=disable)
    if disable:
        return model
    return OptimizedModule(model, fullgraph) if isinstance(model, Module) else Compiled(model, fullgraph)


class _Kind:
    """Calls of one kind: with arguments of these shapes and types, in this mode."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.tries = -1  # the first call is not captured: it makes what an optimizer keeps
        self.fresh: list[Plan] = []  # captured, not yet verified
        self.reason = (
            "what it does changes from call to call: by shapes that depend on values, or by something of Python's that "
            "could be an argument (a counter, a random number, a tensor that it keeps)"
        )


class Compiled:
    """A compiled function."""

    def __init__(self, function: Callable[..., Any], fullgraph: bool) -> None:
        self.__name__ = getattr(function, "__name__", type(function).__name__)
        self.__doc__, self.__wrapped__ = function.__doc__, function
        self._function, self._fullgraph = function, fullgraph
        self._kinds: dict[Any, _Kind] = {}
        self._written: set[int] = set()  # the ids of arrays whose memory is changed by a plan
        self._off = False
        self._lock = threading.Lock()

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._off or mode.tape is not None or not self._lock.acquire(blocking=False):
            return self._function(*args, **kwargs)
        try:
            return self._called(args, kwargs)
        finally:
            self._lock.release()

    def _called(self, args: Any, kwargs: Any) -> Any:
        parts: list[Any] = [mode.enabled, mode.inference]
        tensors: list[Tensor] = []
        for arg in args:
            _describe(arg, parts, tensors)
        for name in kwargs:
            parts.append(name)
            _describe(kwargs[name], parts, tensors)
        if self._written and tensors and not self._written.isdisjoint(map(_owner, tensors)):
            return self._function(*args, **kwargs)  # an argument lies in memory that a plan changes
        key = tuple(parts)
        kind = self._kinds.get(key)
        if kind is None:
            if len(self._kinds) == _MOST:
                reason = f"it was called with more than {_MOST} kinds of arguments, the last being {parts[2:]}"
                return self._give_up(reason, args, kwargs)
            kind = self._kinds[key] = _Kind()
        for plan in kind.plans:
            if plan.holds():
                return self._replay(plan, tensors, args, kwargs)
        fresh = sorted((plan for plan in kind.fresh if plan.holds()), key=Plan.is_likely)
        if fresh:
            return self._verify(kind, fresh[-1], tensors, args, kwargs)
        return self._capture(kind, args, kwargs)

    def _replay(self, plan: Plan, tensors: list[Tensor], args: Any, kwargs: Any) -> Any:
        try:
            result = plan(tensors)
        except GuardFailedError:
            plan.failures += 1
            if plan.failures > _MOST:
                return self._give_up("its shapes or checks depend on values that change", args, kwargs)
            return self._function(*args, **kwargs)
        if plan.failures:
            plan.failures -= 1
        return result

    def _capture(self, kind: _Kind, args: Any, kwargs: Any) -> Any:
        kind.tries += 1
        if kind.tries == 0:
            return self._function(*args, **kwargs)
        if kind.tries > _TRIES or len(kind.plans) == _MOST:
            return self._give_up(kind.reason, args, kwargs)
        result, program, why = record(self._function, args, kwargs, self._fullgraph)
        if program is None:
            self._stop(why)
        elif program.unsteady:
            kind.reason = program.unsteady
        else:
            kind.fresh.append(Plan(program))
            self._written |= program.written
        return result

    def _verify(self, kind: _Kind, plan: Plan, tensors: list[Tensor], args: Any, kwargs: Any) -> Any:
        """Replay, put everything back, run the function, and compare what both have done."""
        kind.fresh.remove(plan)
        agree, result = plan.agrees(tensors, lambda: self._function(*args, **kwargs))
        if agree:
            kind.plans.append(plan)
            kind.tries = 0
            _give_back()
        return result

    def _give_up(self, reason: str, args: Any, kwargs: Any) -> Any:
        self._stop(reason)
        return self._function(*args, **kwargs)

    def _stop(self, reason: str | None) -> None:
        self._off = True
        text = f"compile: {self.__name__} runs as it is, since {reason}"
        if self._fullgraph:
            raise RuntimeError(text)
        warnings.warn(text, stacklevel=5)

    def plan(self) -> Any:
        """The plan made last; print it to read it."""
        plans = [plan for kind in self._kinds.values() for plan in kind.plans]
        return plans[-1] if plans else None


class OptimizedModule(Module):
    """A compiled module: called, it replays; in all else it is the module ``_orig_mod`` that it wraps.

    Its ``state_dict`` names begin with ``_orig_mod.``, as PyTorch's do.
    """

    def __init__(self, module: Module, fullgraph: bool = False) -> None:
        super().__init__()
        self._orig_mod = module
        object.__setattr__(self, "_compiled", Compiled(module, fullgraph))

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._compiled(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        modules = self.__dict__.get("_modules", {})
        if name in modules:
            return modules[name]
        return getattr(modules["_orig_mod"], name)

    def plan(self) -> Any:
        """The plan made last; print it to read it."""
        return self._compiled.plan()


def _give_back() -> None:
    """Let the C library return to the system what the capture and the check needed; glibc keeps it otherwise."""
    trim = None if os.name == "nt" else getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(ctypes.c_size_t(0))


def _owner(tensor: Tensor) -> int:
    """Tells the array that owns the memory of a tensor."""
    array = tensor.array
    while isinstance(array.base, np.ndarray):
        array = array.base
    return id(array)


def _describe(x: Any, parts: list[Any], tensors: list[Tensor]) -> None:
    """Append what of an argument a plan depends on to ``parts``, and its tensors, in the order of ``leaves``."""
    kind = type(x)
    if isinstance(x, Tensor):
        array = x.array
        first = next((k for k, other in enumerate(tensors) if other.array is array), len(tensors))
        parts += (array.shape, array.strides, array.dtype, x.requires_grad and (x.node is None, x.grad is None), first)
        tensors.append(x)
    elif x is None or kind in (bool, int, str, bytes):
        parts += (kind, x)
    elif kind is float:
        parts.append(repr(x))  # tells 0.0 from -0.0, and nan is nan
    elif isinstance(x, (tuple, list)):
        parts += (kind, len(x))
        for item in x:
            _describe(item, parts, tensors)
    elif isinstance(x, dict):
        parts += (kind, tuple(x))
        for item in x.values():
            _describe(item, parts, tensors)
    elif dataclasses.is_dataclass(x) and not isinstance(x, type):
        parts.append(kind)
        for item in dataclasses.fields(x):
            if item.init:
                _describe(getattr(x, item.name), parts, tensors)
    else:
        parts.append(_Same(x))


class _Same:
    """An argument that is known by its identity, and kept so that no other can take its place."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value
