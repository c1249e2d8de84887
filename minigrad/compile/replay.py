"""Replay: memory, and the instructions as a flat list of calls on arrays that are made once.

Nothing is allocated in a call that can write its result into an array given to it. Where NumPy's function cannot,
another with the same result takes its place (``np.where`` is two copies), or its result is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.compile.capture import expect
from minigrad.compile.places import places
from minigrad.compile.program import Address, Buffer, GuardFailedError, Instruction, replace, whole

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class Memory:
    """The arrays that addresses stand for: given memory itself, one arena for what is forgotten, the rest on its own."""

    def __init__(self, program: Sequence[Instruction]) -> None:
        self._place, self.arena_size = places(program)
        self._arena = np.empty(self.arena_size, np.uint8)
        self._bytes: dict[Buffer, np.ndarray] = {}
        self._cells: dict[Buffer, np.ndarray] = {}  # of buffers of Python's objects
        self._arrays: dict[Address, np.ndarray] = {}

    def __getitem__(self, address: Address) -> np.ndarray:
        found = self._arrays.get(address)
        if found is None:
            found = self._arrays[address] = self._make(address)
        return found

    def bytes(self, buffer: Buffer) -> np.ndarray:
        """All memory of a buffer."""
        found = self._bytes.get(buffer)
        if found is None:
            if buffer.given and buffer.shared:
                found = whole(buffer.owner)
            elif buffer in self._place:
                start = self._place[buffer]
                found = self._arena[start : start + buffer.nbytes]
            else:
                found = np.empty(buffer.nbytes, np.uint8)
                if buffer.given:
                    np.copyto(found, whole(buffer.owner))
            self._bytes[buffer] = found
        return found

    def _make(self, a: Address) -> np.ndarray:
        if a.dtype.hasobject:
            cells = self._cells.setdefault(a.buffer, np.empty(a.buffer.nbytes // a.dtype.itemsize, a.dtype))
            return np.lib.stride_tricks.as_strided(cells[a.offset // a.dtype.itemsize :], a.shape, a.strides)
        return np.ndarray(a.shape, a.dtype, self.bytes(a.buffer), a.offset, a.strides)


def _assign(outs: Any, function: Callable[..., Any], args: Any, options: Any) -> None:
    """Call a function that cannot write into given arrays, and copy its results there."""
    results: list[Any] = []
    _flatten(function(*args, **options), results)
    for out, result in zip(outs, results, strict=True):
        if np.shape(result) != out.shape:
            raise GuardFailedError  # a shape that depends on values, such as the number of nonzero elements
        np.copyto(out, result)


def _flatten(tree: Any, found: list[Any]) -> None:
    if isinstance(tree, (tuple, list)):
        for item in tree:
            _flatten(item, found)
    elif isinstance(tree, (np.ndarray, np.generic)):
        found.append(tree)


_KEYWORD_OUT = {np.maximum, np.minimum}  # NumPy deprecates their third positional argument


def _copy(out: np.ndarray, array: Any, *_: Any, **options: Any) -> list[Call]:
    return [(np.copyto, (out, array, "unsafe"), {})]


def _astype(out: np.ndarray, array: Any, *_: Any, **options: Any) -> list[Call]:
    return [(np.copyto, (out, array, "unsafe"), {})]


def _where(out: np.ndarray, condition: Any, x: Any, y: Any) -> list[Call]:
    if not isinstance(condition, np.ndarray) or condition.dtype != bool:
        condition = np.asarray(condition)
    if condition.dtype != bool:
        raise TypeError
    return [(np.copyto, (out, y, "unsafe"), {}), (np.copyto, (out, x, "unsafe", condition), {})]


def _concatenate(out: np.ndarray, arrays: Any, axis: Any = 0, **options: Any) -> list[Call]:
    if options:
        raise TypeError
    return [(np.concatenate, (tuple(arrays), axis, out), {})]


def _zeros(out: np.ndarray, *_: Any, **options: Any) -> list[Call]:
    return [(out.fill, (0,), {})]


def _ones(out: np.ndarray, *_: Any, **options: Any) -> list[Call]:
    return [(out.fill, (1,), {})]


def _dot(out: np.ndarray, a: Any, b: Any) -> list[Call]:
    if not out.flags.c_contiguous:
        raise TypeError
    return [(np.dot, (a, b, out), {})]


# How to have a function's result written into an array; TypeError where these arguments do not allow it
_INTO: dict[Any, Callable[..., list[Call]]] = {
    np.ndarray.copy: _copy,
    np.copy: _copy,
    np.ndarray.reshape: lambda out, a, *_, **options: _copy(out.reshape(a.shape, copy=False), a),
    np.ndarray.ravel: lambda out, a: _copy(out.reshape(a.shape, copy=False), a),
    np.ndarray.flatten: lambda out, a: _copy(out.reshape(a.shape, copy=False), a),
    np.reshape: lambda out, a, shape: _copy(out.reshape(a.shape, copy=False), a),
    np.ndarray.astype: _copy,
    np.where: _where,
    np.concatenate: _concatenate,
    np.zeros: _zeros,
    np.zeros_like: _zeros,
    np.ones_like: _ones,
    np.dot: _dot,
}


def calls(i: Instruction, memory: Memory) -> list[Call]:
    """The calls that an instruction stands for."""
    function = i.function
    args = replace(i.args, Address, memory.__getitem__)
    options = replace(i.options, Address, memory.__getitem__)
    outs = tuple(memory[a] for a in i.outs)
    if function is expect and args[0] is bool:
        return [(require if args[-1] else refuse, (args[1].item,), {})]
    if not outs:
        if function is np.concatenate and options.keys() == {"out"}:
            return [(function, (tuple(args[0]), args[1] if args[1:] else 0, options["out"]), {})]
        return [(function, args, options)]
    ufunc = getattr(function, "__self__", None)
    if isinstance(function, np.ufunc):
        if not options and function not in _KEYWORD_OUT:
            return [(function, (*args, *outs), {})]
        return [(function, args, {**options, "out": outs if len(outs) > 1 else outs[0]})]
    if isinstance(ufunc, np.ufunc):
        if function.__name__ == "reduce" and len(args) == 1 and _plain_reduction(options):
            start = (options["initial"],) if "initial" in options else ()
            axis, keep = options.get("axis", 0), options.get("keepdims", False)
            return [(function, (*args, axis, None, outs[0], keep, *start), {})]
        return [(function, args, {**options, "out": outs[0]})]
    try:
        return _INTO[function](outs[0], *args, **options)
    except (KeyError, TypeError, ValueError):
        return [(_assign, (outs, function, args, options), {})]


def _plain_reduction(options: dict[str, Any]) -> bool:
    plain = {"axis", "keepdims", "dtype", "where", "initial"}
    return options.keys() <= plain and options.get("dtype") is None and options.get("where", True) is True


def require(read: Callable[[], Any]) -> None:
    """A guard: something that must be the case."""
    if not read():
        raise GuardFailedError


def refuse(read: Callable[[], Any]) -> None:
    """The usual guard: something that must not be the case."""
    if read():
        raise GuardFailedError


def as_function(flat: Sequence[Call]) -> Callable[[], None]:
    """The calls, one after the other, as a Python function: a loop over them would first have to unpack each.

    ``f3(a7, a8, a9)`` is a line of it; the names stand for the functions and arrays of the calls.
    """
    names: dict[int, str] = {}
    space: dict[str, Any] = {}

    def name(letter: str, value: Any) -> str:
        if id(value) not in names:
            names[id(value)] = f"{letter}{len(names)}"
            space[names[id(value)]] = value
        return names[id(value)]

    lines = ["def replay():", "    pass"]
    for function, args, options in flat:
        given = [name("a", x) for x in args] + [f"{key}={name('a', x)}" for key, x in options.items()]
        lines.append(f"    {name('f', function)}({', '.join(given)})")
    exec("\n".join(lines), space)
    return space["replay"]
