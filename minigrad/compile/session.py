"""What a step did, seen from outside: its arguments, what it returned, and the gradients and versions it changed.

``record`` runs a step under a ``Tape`` and gives its result and a ``Program``: the instructions, and the effects that
are not instructions. If what it returns can be differentiated, the way back is recorded, too.
"""

from __future__ import annotations

import gc
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad.backward import grad
from minigrad.compile.capture import Tape, UnsupportedError
from minigrad.compile.guards import Guards, watch, watch_tensor, watch_update
from minigrad.compile.program import Address, Buffer, Instruction, addresses
from minigrad.compile.recorder import Number, Recorder
from minigrad.compile.results import Results, Returned, leaves, mapped
from minigrad.optim.optimizer import Optimizer
from minigrad.tensor import Tensor


@dataclass
class Program:
    """A captured step."""

    guards: Guards = field(default_factory=Guards)  # what it takes for granted
    unsteady: str = ""  # what it does in Python that a replay would not
    flags: list[tuple[Any, bool]] = field(default_factory=list)  # modules whose training flag it sets
    instructions: list[Instruction] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)  # the address of each tensor among the arguments
    result: Any = None  # the tree returned, with ``Returned`` in it
    places: list[Returned] = field(default_factory=list)  # those of its parts that are made anew
    tensors: list[tuple[Tensor, np.ndarray]] = field(default_factory=list)  # met on the way, with their arrays
    bare: set[int] = field(default_factory=set)  # the ids of those that had no gradient when met
    changes: list[tuple[Tensor, int]] = field(default_factory=list)  # by how much versions were counted up
    calls: list[tuple[Any, tuple[Any, ...]]] = field(default_factory=list)  # see ``Tape.again``
    written: set[int] = field(default_factory=set)  # the ids of arrays whose memory is changed
    # Gradients: (tensor or number of the argument, address) made new, changed in place; those that are None afterwards
    made: list[tuple[Any, Address]] = field(default_factory=list)
    carried: list[tuple[Tensor, Address, bool]] = field(default_factory=list)
    cleared: list[Tensor] = field(default_factory=list)
    # The way back: from gradients of the outputs (seeds) to those of the leaves (None where there is none)
    outputs: list[int] = field(default_factory=list)  # the ids of what was returned and has a gradient
    seeds: list[Address] = field(default_factory=list)
    leaves: list[Any] = field(default_factory=list)  # tensors, or numbers of arguments
    slopes: list[Any] = field(default_factory=list)
    needed: list[Any] = field(default_factory=list)  # the tensors, or numbers of arguments, whose memory it reads


def pause() -> None:
    """Stands between the calls of a step and those of the way back from it."""


def record(step: Callable[..., Any], args: Any, kwargs: Any, fullgraph: bool = False) -> tuple[Any, Any, str | None]:
    """Run the step for real; its result and its program, or None and why it cannot be written down."""
    tape = Tape(fullgraph)
    program = Program()
    given = leaves((args, kwargs))
    arguments = [t for t in given if isinstance(t, Tensor)]
    watch((step, *(x for x in given if not isinstance(x, Tensor))), program.guards)
    try:
        for tensor in arguments:
            if tensor.array.size and tape.find(tensor.array) is None:
                tape.add(tensor.array, given=True)
            program.inputs.append(tape.locate(tensor.array))
    except UnsupportedError as error:
        return step(*args, **kwargs), None, str(error)
    with tape:
        tape.enter(arguments)
        tape.look_at(program.guards.tensors, [a.buffer for a in addresses(program.inputs)])
        tape.keep([tensor.array for tensor in program.guards.state])
        result = step(*args, **kwargs)
        if tape.reason is None:
            try:
                _way_back(tape, program, result, arguments)
            except UnsupportedError as error:
                tape.give_up(str(error))
    if tape.reason is None:
        try:
            _finish(tape, program, result, arguments)
        except UnsupportedError as error:
            tape.reason = str(error)
    result = mapped(result, _settled)
    for number in [ref() for ref in tape.numbers]:
        if number is not None:
            tape.reason = tape.reason or "a number read from a tensor is kept outside of the step: return it instead"
            _put_in_place(number)
    return result, None if tape.reason else program, tape.reason


def _settled(leaf: Any) -> Any:
    """What the caller gets for a leaf of the result."""
    if type(leaf) is Number:
        return leaf.value
    if type(leaf) is Recorder:
        return leaf.view(np.ndarray)[()] if leaf.scalar else leaf.view(np.ndarray)
    if isinstance(leaf, Tensor) and type(leaf.array) is Recorder:
        leaf.array = leaf.array.view(np.ndarray)
    return leaf


def _put_in_place(number: Number) -> None:
    """Put the value where the number is kept: in lists, dicts and variables."""
    for keeper in gc.get_referrers(number):
        if isinstance(keeper, list):
            keeper[:] = [number.value if item is number else item for item in keeper]
        elif isinstance(keeper, dict):
            keeper.update({key: number.value for key, item in keeper.items() if item is number})
        elif isinstance(keeper, types.CellType):
            keeper.cell_contents = number.value


def _way_back(tape: Tape, program: Program, result: Any, arguments: list[Tensor]) -> None:
    """Record the gradients of the returned tensors with respect to all that the step depends on."""
    found = {id(t): t for t in leaves(result) if isinstance(t, Tensor) and t.requires_grad and t.node is not None}
    outputs = [t for t in found.values() if not _is_view(tape, t, found)]
    if not outputs:
        return
    entered = [tensor for tensor, *_ in tape.entered() if tensor.needs_grad]
    numbers = {id(t): k for k, t in enumerate(arguments)}
    ends = [t for t in entered if id(t) in numbers or t.node is None]
    seeds = [np.ones(t.array.shape, t.array.dtype) for t in outputs]
    for seed in seeds:
        if seed.size:
            tape.add(seed, given=True)
    tape.again(pause)
    try:
        slopes = grad(
            outputs, ends, [Tensor.wrap(tape.recorder(s)) for s in seeds], retain_graph=True, allow_unused=True
        )
    except RuntimeError:  # the step has gone back itself, and forgotten its history
        return
    reached = [(end, slope) for end, slope in zip(ends, slopes, strict=True) if slope is not None]
    program.outputs, program.seeds = [id(t) for t in outputs], [tape.locate(s) for s in seeds]
    program.slopes = [tape.locate(_own(tape, slope.array)) for _, slope in reached]
    program.leaves = [numbers.get(id(end), end) for end, _ in reached]


def _is_view(tape: Tape, tensor: Tensor, others: dict[int, Any]) -> bool:
    """Whether a returned tensor has its history from another, as a view of it."""
    buffer = tape.find(tensor.array) if tensor.array.size else None
    return tensor.base is not None and ((buffer is not None and buffer.given) or id(tensor.base) in others)


def _own(tape: Tape, array: np.ndarray) -> np.ndarray:
    """A copy of an array, made anew at each replay, unless it is a result of the step in memory of its own."""
    found = tape.find(array)
    return array if found is not None and not found.given else tape.recorder(array).copy()


def _finish(tape: Tape, program: Program, result: Any, arguments: list[Tensor]) -> None:
    inputs = {address.buffer for address in addresses((program.inputs, program.seeds))}
    _note_effects(tape, program, result, arguments, inputs)
    if any(buffer.written for buffer in inputs):
        raise UnsupportedError("an argument is changed in place")
    places = [part.value for part in program.places]
    changed = [address for _, address, written in program.carried if written]
    for address in addresses((places, program.made, program.slopes, changed)):
        address.buffer.pinned = True
    program.calls = tape.calls
    _note_guards(program)
    _note_needs(tape, program)
    tape.tensors.clear()  # so that only others are left to hold the memory of tensors
    carried = {address.buffer for _, address, _ in program.carried}
    program.instructions = _with_resets(tape, inputs | carried)
    for buffer in tape.buffers:
        if not buffer.given:
            buffer.owner = None  # what the captured run itself calculated
        elif buffer.written:
            program.written.add(id(buffer.owner))


def _note_effects(tape: Tape, program: Program, result: Any, arguments: list[Tensor], inputs: set[Buffer]) -> None:
    """What was returned, and what the step did to gradients and versions."""
    entered = tape.entered()
    numbers = {id(tensor): k for k, tensor in enumerate(arguments)}
    results = Results(tape, arguments, program.outputs)
    program.result, program.places = mapped(result, results.part), results.places
    touched = {a.buffer for i in tape.instructions for a in (*i.reads, *i.written)}
    with tape:  # gradients that are constants are copied at each replay: these calls, too, are written down
        for tensor, _, _, former in entered:
            if tensor.needs_grad and (tensor.node is None or tensor.grad is not None):
                _gradient(tape, program, numbers.get(id(tensor), tensor), tensor, former, touched)
    gradients = {id(grad) for tensor, _, _, former in entered for grad in (former, tensor.grad)}
    for tensor, array, count, former in entered:
        if former is None:
            program.bare.add(id(tensor))
        if id(tensor) in gradients:
            continue  # a plan has its own memory for them
        if array.size:
            buffer = tape.locate(array).buffer
            buffer.shared = buffer not in inputs
            if buffer in inputs and buffer in touched and id(tensor) not in numbers:
                raise UnsupportedError("an argument shares its memory with another tensor that the step uses")
        if id(tensor) not in numbers:
            program.tensors.append((tensor, array))
        if tensor.version.count != count:
            program.changes.append((tensor, tensor.version.count - count))


def _note_needs(tape: Tape, program: Program) -> None:
    """What the way back reads of what was there before: it must not change until then."""
    starts = [k for k, i in enumerate(tape.instructions) if getattr(i.function, "func", None) is pause]
    reads = {a.buffer for i in tape.instructions[starts[0] :] for a in i.reads} if program.outputs else set()
    for k, address in enumerate(program.inputs):
        if isinstance(address, Address) and address.buffer in reads:
            program.needed.append(k)
    for tensor, array in program.tensors:
        if array.size and tape.find(array) in reads:
            program.needed.append(tensor)


def _note_guards(program: Program) -> None:
    """What of Python's the step changed, and what else a replay takes for granted."""
    for look, x, now in program.guards.changed():
        if look == "{}.training":
            program.flags.append((x, now))
        else:
            kind = type(x[0] if isinstance(x, tuple) else x).__name__
            what = "a variable around it" if look == "{}.cell_contents" else look.replace("{}", kind)
            program.unsteady = f"it changes what it depends on ({what}), which can only be seen when Python runs"
    for tensor, array in program.tensors:
        if tensor.array is not array:
            program.guards.never = True  # it got another array in the step itself
        watch_tensor(tensor, program.guards)
    for function, args in program.calls:
        optimizer = getattr(function, "__self__", None)
        if isinstance(optimizer, Optimizer):
            watch_update(optimizer, args[0].params, args[1], program.guards)


def _gradient(tape: Tape, program: Program, name: Any, tensor: Tensor, former: Any, touched: set[Buffer]) -> None:
    """Note what the step did to the gradient of a tensor that it met."""
    if tensor.grad is None:
        if isinstance(name, Tensor) and former is not None:
            program.cleared.append(tensor)
        return
    array = tensor.grad.array
    if tensor.grad.needs_grad:
        raise UnsupportedError("a gradient is itself recorded (create_graph=True)")
    buffer = tape.find(array) if array.size else None
    if tensor.grad is former and (buffer is None or buffer.given):
        if buffer in touched:  # it was used, or added to in place
            if not isinstance(name, Tensor):
                raise UnsupportedError("an argument has a gradient before the step")
            program.carried.append((tensor, tape.locate(array), buffer.written))
        return
    own = _own(tape, array)
    program.made.append((name, tape.locate(own)))
    if own is not array and (former is None or tensor.grad is not former) and not _met(tape, tensor.grad):
        tensor.grad.array = array.copy()  # the constant is the plan's, so that nobody adds to it


def _met(tape: Tape, tensor: Tensor) -> bool:
    return any(other is tensor for other, *_ in tape.entered())


def _with_resets(tape: Tape, private: set[Buffer]) -> list[Instruction]:
    """The instructions, where memory that the step itself made and then changed first gets its contents anew."""
    fresh: set[Buffer] = set()
    for buffer in tape.buffers:
        if buffer.given and buffer not in private:
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
                assert a.buffer.before is not None
                everything = Address(a.buffer, 0, (a.buffer.nbytes,), (1,), np.dtype(np.uint8))
                program.append(Instruction(np.ndarray.copy, (a.buffer.before,), outs=(everything,)))
        program.append(i)
    return program
