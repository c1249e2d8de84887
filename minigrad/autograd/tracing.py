"""Lines for the debugging tools: which line of the user's program each recorded operation came from.

A ``Listener`` stands in the one door (``Primitive.__call__``) while its context is on, and hears of every operation and of
every rule that is applied. ``trace_lines`` is the simplest: it notes the user's line of each operation, and for each result
without a gradient the reason. Without a listener nothing of this costs anything.
"""

from __future__ import annotations

import linecache
import os
import sys
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import CodeType, FrameType
from typing import Any

import numpy as np

from minigrad.autograd.causes import plain_name
from minigrad.engine import TensorBase
from minigrad.grad_mode import Tape, mode

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_MODULES = os.path.join(_PACKAGE, "nn", "modules") + os.sep


class Table:
    """What is known of objects, by identity; an entry leaves with its object."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[weakref.ref[Any], Any]] = {}

    def __setitem__(self, key: Any, value: Any) -> None:
        i, entries = id(key), self._entries
        entries[i] = weakref.ref(key, lambda _: entries.pop(i, None)), value

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Any) -> Any:
        entry = self._entries.get(id(key))
        return entry[1] if entry is not None else None


@dataclass(frozen=True)
class Origin:
    """A place in the user's program, and the layer of the library that it had called, if any."""

    file: str
    line: int
    layer: Any = field(default=None, compare=False)  # a weak reference
    place: tuple[CodeType, int] | None = field(default=None, compare=False, repr=False)  # the instruction

    @property
    def code(self) -> str:
        """The source line, without its indentation; empty if the source is not at hand."""
        return linecache.getline(self.file, self.line).strip()

    @property
    def carets(self) -> str:
        """A line to go under ``code`` that marks the expression in it; empty if that is the whole line, or not known."""
        text = linecache.getline(self.file, self.line).rstrip()
        if self.place is None or not text.isascii():  # columns are counted in bytes
            return ""
        code, instruction = self.place
        line, end_line, start, end = next(islice(code.co_positions(), instruction // 2, None))
        indent = len(text) - len(text.lstrip())
        if line != self.line or start is None or end is None or start < indent:
            return ""
        end = end if end_line == line else len(text)
        return "" if end - start >= len(text) - indent else " " * (start - indent) + "^" * (end - start)

    @property
    def module(self) -> str:
        """The layer as it prints, such as ``Linear(in_features=3, out_features=4, bias=True)``; empty if there is none."""
        found = self.layer() if self.layer is not None else None
        return "" if found is None else repr(found)

    def __str__(self) -> str:
        inside = os.path.relpath(self.file) if self.file.startswith(os.getcwd() + os.sep) else self.file
        return f"{inside}:{self.line}"


def from_library(frame: FrameType | None) -> bool:
    """Whether the code that runs in ``frame`` is the package's own."""
    return frame is not None and frame.f_code.co_filename.startswith(_PACKAGE)


def origin() -> Origin:
    """The innermost call from outside the package."""
    frame, layer = sys._getframe(1), None
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        if layer is None and frame.f_code.co_name == "forward" and frame.f_code.co_filename.startswith(_MODULES):
            layer = weakref.ref(frame.f_locals["self"])
        frame = frame.f_back
    return Origin(frame.f_code.co_filename, frame.f_lineno, layer, (frame.f_code, frame.f_lasti))


class Listener(Tape):
    """A tape that can stand upon another one, such as that of a capture: each passes on what it hears."""

    outer: Any = None  # the tape beneath

    def start(self) -> None:
        self.outer, mode.tape = mode.tape, self

    def stop(self) -> None:
        """Leave the stack of tapes, wherever in it this one stands."""
        if mode.tape is self:
            mode.tape = self.outer
            return
        above = mode.tape
        while isinstance(above, Listener) and above.outer is not self:
            above = above.outer
        if isinstance(above, Listener):
            above.outer = self.outer

    def __enter__(self) -> Any:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def enter(self, args: Any) -> None:
        if self.outer is not None:
            self.outer.enter(args)

    def leave(self, primitive: Any, args: Any, result: Any) -> None:
        if self.outer is not None:
            self.outer.leave(primitive, args, result)

    def pulled(self, node: Any, g: Any, found: Any) -> None:
        if self.outer is not None:
            self.outer.pulled(node, g, found)

    def cut(self, tensor: Any, result: Any, how: str) -> None:
        if self.outer is not None:
            self.outer.cut(tensor, result, how)


# What tracing has noted


@dataclass(frozen=True)
class Cut:
    """Why a tensor has no gradient: ``how`` is "detach", "no_grad", "dtype", ...; ``what`` was computed there."""

    how: str
    what: str
    origin: Origin


# These tables hold weak references: an entry lives as long as the node or tensor it tells about.
lines = Table()  # node -> Origin
uses = Table()  # leaf -> the first (operation, Origin) it went into
reasons = Table()  # tensor without a gradient, or array of one -> why: a tuple of Cuts
severed = Table()  # leaf -> the first Cuts that its paths met
_FEW = 8


def leaves_of(tensor: TensorBase) -> list[Any]:
    """The leaves that a gradient of ``tensor`` would reach."""
    if tensor.node is None:
        return [tensor] if tensor.needs_grad else []
    found, stack, known = [], [tensor.node], {tensor.node}
    while stack:
        node = stack.pop()
        leaf = getattr(node, "variable", None)
        if leaf is not None:
            found.append(leaf)
        for source, _ in node.next_functions:
            if source is not None and source not in known:
                known.add(source)
                stack.append(source)
    return found


def _add(table: Table, key: Any, item: Any) -> None:
    known = table.get(key)
    if known is None:
        table[key] = [item]
    elif item not in known and len(known) < _FEW:
        known.append(item)


class trace_lines(Listener):
    """Inside, the line of every operation is noted, for ``graph_report``, ``why_no_grad`` and ``unreached``."""

    def leave(self, primitive: Any, args: Any, result: Any) -> None:
        super().leave(primitive, args, result)
        self.note(primitive, args, result, origin())

    def note(self, primitive: Any, args: Sequence[Any], result: TensorBase, where: Origin) -> None:
        if result.node is not None and lines.get(result.node) is None:
            lines[result.node] = where
        given = [x for x in args if isinstance(x, TensorBase)]
        if result.needs_grad:
            for x in given:
                if x.needs_grad and x.node is None:
                    _add(uses, x, (primitive.name, where))
            return
        tracked = [x for x in given if x.needs_grad]
        reasons[result] = found = _reasons(primitive, given, tracked, result, where)
        if tracked and result.array.dtype.kind == "f" and not _library_affair():
            _sever(tracked, found[0])

    def cut(self, tensor: Any, result: Any, how: str) -> None:
        super().cut(tensor, result, how)
        if from_library(sys._getframe(2)):  # the caller of detach(), or whatever it was
            return
        found: list[Cut] = []
        for x in _inside(tensor):
            if isinstance(x, TensorBase) and x.needs_grad:
                title = f"the result of {x.node.name()}" if x.node is not None else f"a leaf of shape {x.array.shape}"
                found.append(Cut(how, title, origin()))
                _sever([x], found[-1])
            else:  # what has no gradient passes its reasons on, also by way of an array
                found += reasons.get(x) or ()
        if result is not None:
            reasons[result] = tuple(dict.fromkeys(found))[:_FEW]


def _inside(data: Any) -> list[Any]:
    """The tensors and arrays of which a tensor is made."""
    if isinstance(data, (list, tuple)):
        return [x for item in data for x in _inside(item)]
    return [data] if isinstance(data, (TensorBase, np.ndarray)) else []


def _reasons(
    primitive: Any, given: Sequence[TensorBase], tracked: Sequence[TensorBase], result: TensorBase, where: Origin
) -> tuple[Cut, ...]:
    """Why the result of an operation has no gradient."""
    if not tracked:  # for the reasons that its inputs have none
        return tuple(dict.fromkeys(c for x in given for c in reasons.get(x) or ()))[:_FEW]
    name = plain_name(primitive.__name__)
    if not mode.enabled:
        return (Cut("inference_mode" if mode.inference else "no_grad", f"the result of {name}", where),)
    if result.array.dtype.kind != "f":
        return (Cut("dtype", f"{name} gives {result.array.dtype}", where),)
    return (Cut("flat", name, where),)


def _library_affair() -> bool:
    """Whether the operation belongs to something that the library does unrecorded: a Function's forward, initialisation."""
    frame: FrameType | None = sys._getframe(1)
    while from_library(frame):
        assert frame is not None
        if frame.f_code.co_name in ("reset_parameters", "apply") or frame.f_code.co_filename.endswith("init.py"):
            return True
        frame = frame.f_back
    while frame is not None and not from_library(frame):  # the user's own code: who called it?
        frame = frame.f_back
    return frame is not None and frame.f_code.co_name == "apply"


def _sever(tensors: Sequence[TensorBase], at: Cut) -> None:
    for tensor in tensors:
        for leaf in leaves_of(tensor):
            _add(severed, leaf, at)
