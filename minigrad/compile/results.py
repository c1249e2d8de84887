"""What a step returns: where each part of it comes from, so that a replay can give the same.

Most parts are new tensors, arrays and numbers. Others share memory: with an argument, with a parameter, or with each
other. They do so again when they come from a replay, so that a change of one in place is seen in the other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from minigrad.compile.capture import Tape, UnsupportedError
from minigrad.compile.program import Address, part, start_of
from minigrad.compile.recorder import Number, Recorder
from minigrad.engine import replay
from minigrad.tensor import Tensor


class Returned:
    """A part of what a step returns that may be another one each time.

    ``kind`` is "tensor" or "array", then ``value`` is its address; "number", then it is what a ``Number`` computes; or
    "alias", then it is a function that finds it from the arguments of the call and from the parts of the other kinds.
    """

    def __init__(self, kind: str, value: Any, flows: bool = False) -> None:
        self.kind, self.value = kind, value
        self.flows = flows  # whether it has a gradient
        self.place = 0  # its position among the parts that are no aliases


def mapped(tree: Any, change: Callable[[Any], Any]) -> Any:
    """The tree of tuples, lists, dicts and dataclasses with every leaf changed."""
    if isinstance(tree, tuple):
        items = [mapped(item, change) for item in tree]
        return type(tree)._make(items) if hasattr(tree, "_make") else type(tree)(items)
    if type(tree) is list:
        return [mapped(item, change) for item in tree]
    if isinstance(tree, dict):
        return type(tree)((key, mapped(item, change)) for key, item in tree.items())
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        changes = {f.name: mapped(getattr(tree, f.name), change) for f in dataclasses.fields(tree) if f.init}
        return dataclasses.replace(tree, **changes)
    return change(tree)


def leaves(tree: Any) -> list[Any]:
    """The leaves of a tree, in order."""
    found: list[Any] = []
    mapped(tree, found.append)
    return found


Find = Callable[[Sequence[Any], Sequence[Any]], Any]  # from the arguments of a call and the parts made anew


class Results:
    """The parts of what one step returned: ``part`` says for each leaf what stands for it."""

    def __init__(self, tape: Tape, arguments: Sequence[Tensor], outputs: Sequence[int]) -> None:
        self.places: list[Returned] = []  # the parts that are made anew
        self._tape, self._outputs = tape, outputs
        self._sources: dict[int, tuple[Any, Find]] = {}  # what a leaf may be, or share memory with
        for tensor, *_ in tape.entered():
            self._sources[id(tensor)] = tensor, partial(_always, tensor)
        for k, tensor in enumerate(arguments):
            self._sources[id(tensor)] = tensor, partial(_argument, k)

    def part(self, leaf: Any) -> Any:
        if type(leaf) is Number:
            return self._new(leaf, "number", leaf.compute)
        if not isinstance(leaf, (Tensor, np.ndarray)):
            return leaf
        if id(leaf) in self._sources:
            return Returned("alias", self._sources[id(leaf)][1])
        address = self._tape.locate(_array(leaf))
        if isinstance(leaf, Recorder) and leaf.scalar:
            return self._new(leaf, "number", (leaf.dtype.type, address))
        if isinstance(address, Address) and id(leaf) not in self._outputs:
            base = getattr(leaf, "base", None)
            sharing = [source for source in self._sources.values() if self._shared(source[0], leaf, address)]
            for source, find in sorted(sharing, key=lambda pair: pair[0] is not base)[:1]:
                return Returned("alias", _view(leaf, source, find))
            if isinstance(leaf, Tensor) and address.buffer.given:
                leaf.array = leaf.array.copy("K")  # the constant is the plan's, so that nobody changes it
        return self._new(leaf, "tensor" if isinstance(leaf, Tensor) else "array", address, id(leaf) in self._outputs)

    def _new(self, leaf: Any, kind: str, value: Any, flows: bool = False) -> Returned:
        found = Returned(kind, value, flows)
        found.place = len(self.places)
        self.places.append(found)
        self._sources[id(leaf)] = leaf, partial(_made, found.place)
        return found

    def _shared(self, source: Any, leaf: Any, address: Address) -> bool:
        if not isinstance(source, (Tensor, np.ndarray)) or not _array(source).size:
            return False
        return self._tape.find(_array(source)) is address.buffer and np.shares_memory(_array(source), _array(leaf))


def _array(x: Any) -> np.ndarray:
    return x if isinstance(x, np.ndarray) else x.array


def _always(tensor: Tensor, arguments: Sequence[Any], made: Sequence[Any]) -> Any:
    return tensor


def _argument(k: int, arguments: Sequence[Any], made: Sequence[Any]) -> Any:
    return arguments[k]


def _made(k: int, arguments: Sequence[Any], made: Sequence[Any]) -> Any:
    return made[k]


def _view(leaf: Any, source: Any, find: Find) -> Find:
    """How to make a leaf from what it is another view of."""
    if isinstance(leaf, Tensor) and leaf.base is source and leaf.path:
        path = leaf.path
        return lambda arguments, made: replay(path, find(arguments, made))
    if isinstance(leaf, Tensor) and leaf.requires_grad:
        raise UnsupportedError("it returns a view of what it also returns or was given: return a clone()")
    array = _array(leaf)
    start, tensor = start_of(array) - start_of(_array(source)), isinstance(leaf, Tensor)
    layout = array.shape, array.strides, array.dtype

    def view(arguments: Sequence[Any], made: Sequence[Any]) -> Any:
        found = find(arguments, made)
        again = part(_array(found), start, *layout)
        if not tensor:
            return again
        result = Tensor.wrap(again)
        result.version = getattr(found, "version", result.version)
        return result

    return view
