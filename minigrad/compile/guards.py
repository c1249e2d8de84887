"""What a captured step takes for granted about the world outside of its arguments, and whether that still holds.

A step reads variables around it, attributes of modules and options of optimizers. Each is a value under a key of some
dictionary; a guard holds as long as the same object is there, or one that leads to the same operations.
"""

from __future__ import annotations

import operator
import os
import types
from collections.abc import Callable, Iterable, Iterator
from operator import is_
from typing import Any

from minigrad.compile.program import same
from minigrad.engine import TensorBase
from minigrad.nn.modules.tree import Tree

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep  # Python's own
_FEW = 32  # elements of a list or dict that are worth looking at one by one
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


class Guards:
    """Places, and what stood there: ``holds()`` compares."""

    def __init__(self) -> None:
        self.never = False  # whether they are known not to hold again
        self._looks: list[Callable[..., Any]] = []
        self._keys: list[Any] = []
        self._values: list[Any] = []
        self._equal: list[Callable[[Any, Any], bool]] = []

    def add(self, look: Callable[..., Any], key: Any, equal: Callable[[Any, Any], bool] = is_) -> None:
        """Guard ``look(key)``; ``equal`` says whether another object there would do."""
        self._looks.append(look)
        self._keys.append(key)
        self._values.append(look(key))
        self._equal.append(equal)

    def holds(self) -> bool:
        """Whether all is as it was."""
        if all(map(is_, map(operator.call, self._looks, self._keys), self._values)):
            return not self.never
        for k, (look, key, value, equal) in enumerate(
            zip(self._looks, self._keys, self._values, self._equal, strict=True)
        ):
            now = look(key)
            if now is not value:
                if not equal(now, value):
                    return False
                self._values[k] = now
        return True


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None


def branch(value: Any) -> Any:
    """What of an optimizer's option decides which operations its step does; the number itself is free."""
    if isinstance(value, float):
        return value != 0, value > 0.5  # a moving average is written from the nearer end
    return tuple(map(branch, value)) if isinstance(value, tuple) else value


def same_branch(a: Any, b: Any) -> bool:
    return type(a) is type(b) and same(branch(a), branch(b))


def watch(values: Iterable[Any], guards: Guards) -> None:
    """Guard what a step, and the objects it is called with, name outside of themselves: in their code and what it leads to."""
    seen: set[int] = set()
    waiting: list[tuple[Any, tuple[str, ...]]] = [(value, ()) for value in values]
    while waiting:
        value, names = waiting.pop()
        if id(value) in seen or _foreign(value):
            continue
        seen.add(id(value))
        code = getattr(value, "__func__", value)
        if isinstance(code, types.FunctionType):
            names = _names(code)
        for look, key, found in list(_named(value, names)):
            if isinstance(found, (types.ModuleType, type)):
                continue
            if not isinstance(found, types.FunctionType):
                guards.add(look, key, same if isinstance(found, (*_PLAIN, tuple)) else is_)
            if not isinstance(found, (*_PLAIN, TensorBase, type)):
                waiting.append((found, names))


def _foreign(value: Any) -> bool:
    """Whether ``value`` is a function, a module of Python or an object of a library, which do not change."""
    if isinstance(value, Tree):
        return False
    file = getattr(value, "__file__", None) if isinstance(value, types.ModuleType) else None
    code = getattr(getattr(value, "__func__", value), "__code__", None)
    if code is not None:
        file = code.co_filename
    if file is None:
        return type(value).__module__.startswith("minigrad") or isinstance(value, types.ModuleType)
    return file.startswith((_PACKAGE, _LIBRARY)) or "site-packages" in file


def _names(function: types.FunctionType) -> tuple[str, ...]:
    """All names that the code uses, also in the functions written inside it."""
    found: list[str] = []
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        found += code.co_names
        codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return tuple(dict.fromkeys(found))


def _named(value: Any, names: tuple[str, ...]) -> Iterator[tuple[Callable[..., Any], Any, Any]]:
    """Where what ``value`` refers to stands: (how to look, at what, what is there now)."""
    if isinstance(value, types.MethodType):
        yield from _attributes(value.__self__, names)
        value = value.__func__
    if isinstance(value, types.FunctionType):
        for cell in value.__closure__ or ():
            yield _contents, cell, _contents(cell)
        for name in names:
            if name in value.__globals__:
                yield value.__globals__.get, name, value.__globals__[name]
    elif isinstance(value, Tree):
        yield value.__dict__.get, "training", value.training
        yield from _of_methods(value, names)
        for members in (value._parameters, value._buffers, value._modules):
            for name, member in members.items():
                yield members.get, name, member
    elif isinstance(value, (list, tuple)) and len(value) <= _FEW:
        yield len, value, len(value)
        for k, item in enumerate(value):
            yield value.__getitem__, k, item
    elif isinstance(value, dict) and len(value) <= _FEW:
        yield len, value, len(value)
        for key, item in value.items():
            yield value.get, key, item
    else:
        yield from _of_methods(value, names)


def _of_methods(value: Any, names: tuple[str, ...]) -> Iterator[tuple[Callable[..., Any], Any, Any]]:
    """What the methods of an object name: its attributes, and the variables around its class."""
    found = list(names)
    for kind in type(value).__mro__:
        for method in vars(kind).values():
            if isinstance(method, types.FunctionType) and not (_foreign(method) and method.__name__ != "forward"):
                used = _names(method)
                found += used
                if not _foreign(method):
                    yield from _named(method, used)
    yield from _attributes(value, tuple(dict.fromkeys(found)))


def _attributes(value: Any, names: tuple[str, ...]) -> Iterator[tuple[Callable[..., Any], Any, Any]]:
    own = getattr(value, "__dict__", {})
    for name in names:
        if name in own:
            yield own.get, name, own[name]
