"""What a step did, seen from outside: its arguments, what it returned, and the gradients and versions it changed.

``record`` runs a step under a ``Tape`` and gives its result and a ``Program``: the instructions, and the effects that
are not instructions.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.compile.capture import Tape, Unsupported
from minigrad.compile.program import Address, Buffer, Instruction, addresses
from minigrad.compile.recorder import Number, Recorder
from minigrad.tensor import Tensor


class Returned:
    """A place in what a step returns: a tensor or an array at an address, or a number calculated from such."""

    def __init__(self, kind: str, value: Any, needs_grad: bool = False) -> None:
        self.kind = kind  # "tensor", "array" or "number"
        self.value = value  # the address, or what a ``Number`` computes
        self.needs_grad = needs_grad


@dataclass
class Program:
    """A captured step."""

    instructions: list[Instruction]
    inputs: list[Any]  # the address of each tensor among the arguments
    result: Any  # the tree returned, with ``Returned`` for what is computed
    gradients: list[tuple[Tensor, Address]]  # whose ``.grad`` is at which address afterwards
    changes: list[tuple[Tensor, int]]  # which tensors' versions the step counted up, and by how much
    tensors: list[tuple[Tensor, np.ndarray]]  # all it met that existed before, with their arrays
    options: list[tuple[dict[str, Any], Any]]  # optimizers' groups, and what decides which operations they do


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


def record(step: Callable[..., Any], args: Any, kwargs: Any, fullgraph: bool = False) -> tuple[Any, Any, Tape]:
    """Run the step for real; its result, its program (None if it cannot be written down) and the tape."""
    tape = Tape(fullgraph)
    arguments = [t for t in leaves((args, kwargs)) if isinstance(t, Tensor)]
    inputs: list[Any] = []
    try:
        for tensor in arguments:
            if tensor.array.size and tape.find(tensor.array) is None:
                tape.add(tensor.array, given=True)
            inputs.append(tape.locate(tensor.array))
    except Unsupported as error:
        tape.reason = str(error)
        return step(*args, **kwargs), None, tape
    with tape:
        tape.enter(arguments)
        result = step(*args, **kwargs)
    program = None
    if tape.reason is None:
        try:
            program = _finish(tape, result, arguments, inputs)
        except Unsupported as error:
            tape.reason = str(error)
    return mapped(result, _settled), program, tape


def _settled(leaf: Any) -> Any:
    """What the caller gets for a leaf of the result."""
    if type(leaf) is Number:
        return leaf.value
    if type(leaf) is Recorder:
        return leaf.view(np.ndarray)
    if isinstance(leaf, Tensor) and type(leaf.array) is Recorder:
        leaf.array = leaf.array.view(np.ndarray)
    return leaf


def _finish(tape: Tape, result: Any, arguments: list[Tensor], inputs: list[Any]) -> Program:
    passed = {id(tensor) for tensor in arguments}
    theirs = {address.buffer for address in addresses(inputs)}
    if any(buffer.before is not None for buffer in theirs):
        raise Unsupported("an argument is changed in place")
    entered = tape.entered()
    tape.tensors.clear()
    existing = {id(tensor) for tensor, _, _ in entered}

    def place(leaf: Any) -> Any:
        if type(leaf) is Number:
            return Returned("number", leaf.compute)
        if type(leaf) is Recorder:
            return Returned("array", tape.locate(leaf))
        if isinstance(leaf, Tensor) and id(leaf) not in existing:
            return Returned("tensor", tape.locate(leaf.array), leaf.requires_grad)
        return leaf

    returned = mapped(result, place)
    gradients, changes = [], []
    for tensor, array, count in entered:
        if array.size:
            buffer = tape.locate(array).buffer
            buffer.shared = buffer not in theirs
            if buffer in theirs and id(tensor) not in passed:
                raise Unsupported("an argument shares its memory with another tensor that the step uses")
        if tensor.grad is not None:
            if type(tensor.grad.array) is Recorder:
                tensor.grad.array = tensor.grad.array.view(np.ndarray)
            found = tape.find(tensor.grad.array)
            if found is not None and not found.given:
                found.pinned = True
                gradients.append((tensor, tape.locate(tensor.grad.array)))
        if tensor.version.count != count:
            changes.append((tensor, tensor.version.count - count))
    for leaf in leaves(returned):
        for address in addresses(leaf.value if isinstance(leaf, Returned) else ()):
            address.buffer.pinned = True
    tensors = [(tensor, array) for tensor, array, _ in entered if id(tensor) not in passed]
    program = _with_resets(tape, theirs)
    for buffer in tape.buffers:
        if not buffer.given:
            buffer.owner = None  # what the captured run itself calculated
    return Program(program, inputs, returned, gradients, changes, tensors, tape.options)


def _with_resets(tape: Tape, inputs: set[Buffer]) -> list[Instruction]:
    """The instructions, where memory that the step itself made and then changed first gets its contents anew."""
    fresh: set[Buffer] = set()
    for buffer in tape.buffers:
        if buffer.given and buffer not in inputs:
            # one reference is the buffer's own, one the question's
            buffer.shared = buffer.shared or sys.getrefcount(buffer.owner) > 2
            if buffer.before is not None and not buffer.shared:
                buffer.given = False
                fresh.add(buffer)
    program = []
    for i in tape.instructions:
        for a in (*i.reads, *i.written):
            if a.buffer in fresh:
                fresh.discard(a.buffer)
                contents = np.ndarray(a.buffer.nbytes, np.uint8, a.buffer.before.ravel("K"))
                whole = Address(a.buffer, 0, (a.buffer.nbytes,), (1,), contents.dtype)
                program.append(Instruction(np.ndarray.copy, (contents,), outs=(whole,)))
        program.append(i)
    return program
