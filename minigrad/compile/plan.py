"""A plan: a captured program made fast, its memory, and what to do before and after its calls.

``Plan(program)`` runs the passes and binds the calls; ``plan(arguments)`` replays the step; ``print(plan)`` shows it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter, gt, is_
from typing import Any

import numpy as np

from minigrad.compile import passes
from minigrad.compile.capture import branches
from minigrad.compile.program import Address, GuardFailed, Instruction, same
from minigrad.compile.replay import Memory, calls
from minigrad.compile.session import Program, Returned, leaves, mapped
from minigrad.generator import Generator
from minigrad.grad_mode import mode
from minigrad.tensor import Tensor

_array = attrgetter("array")


class Snapshot:
    """Memory and generators as they are, to be put back."""

    def __init__(self, code: Sequence[Instruction], memory: Memory) -> None:
        """Of what these instructions change outside."""
        self._places, self._generators = outside(code, memory)

    def save(self) -> None:
        self._copies = [a.copy() for a in self._places]
        self._states = [(g, g._engine.state, g._spare) for g in self._generators]

    def restore(self) -> None:
        for place, copy in zip(self._places, self._copies, strict=True):
            np.copyto(place, copy)
        for generator, state, spare in self._states:
            generator._engine.state, generator._spare = state, spare

    def now(self) -> list[np.ndarray]:
        return [a.copy() for a in self._places]


def outside(code: Sequence[Instruction], memory: Memory) -> tuple[list[np.ndarray], list[Generator]]:
    """The memory outside of the plan that instructions write to, and the generators that they draw from."""
    arrays: dict[int, np.ndarray] = {}
    generators: dict[int, Generator] = {}
    for i in code:
        for a in i.written:
            if a.buffer.shared:
                arrays[id(a.buffer)] = memory.bytes(a.buffer)
        if not i.pure:
            for arg in (*i.args, *getattr(i.function, "args", ())):
                if isinstance(arg, Generator):
                    generators[id(arg)] = arg
                for held in getattr(arg, "__dict__", {}).values():
                    if isinstance(held, np.ndarray):
                        arrays[id(held)] = held
    return list(arrays.values()), list(generators.values())


class Plan:
    """A program ready to be replayed."""

    def __init__(self, program: Program) -> None:
        self.program = program
        numbers = {a.buffer for leaf in returned(program) if leaf.kind == "number" for a in found(leaf.value)}
        code = passes.without_allocations(program.instructions)
        code = passes.without_repeated(code)
        code, self._instead = passes.without_copies(code, numbers)
        code = passes.without_dead(code)
        self.code = passes.with_prepared_numbers(code)
        self._tensors = [tensor for tensor, _ in program.tensors]
        self._arrays = [array for _, array in program.tensors]
        self.leaves = [tensor for tensor in self._tensors if tensor.needs_grad and tensor.node is None]
        self.changes = [(tensor.version, count) for tensor, count in program.changes]
        self._bind()

    def _bind(self) -> None:
        """Make memory and the calls on it."""
        self.memory = memory = Memory(self.code)
        guards = [position for position, i in enumerate(self.code) if i.guard]
        self.undo = Snapshot(self.code[: guards[-1]] if guards else [], memory)
        self._calls = [call for i in self.code for call in calls(i, memory)]
        self._inputs = [memory[a] if isinstance(a, Address) else None for a in self.program.inputs]
        self._gradients = [(tensor, Tensor.wrap(memory[a])) for tensor, a in self.program.gradients]
        self._results = [self._result(leaf) for leaf in returned(self.program)]
        self._held = [x for _, g in self._gradients for x in (g, g.array, g.array.base)]
        self._holders = list(map(sys.getrefcount, self._held))

    def _address(self, a: Address) -> np.ndarray:
        there = self._instead.get(a.buffer)
        if there is not None:
            a = Address(there.buffer, there.offset + a.offset, a.shape, a.strides, a.dtype)
        return self.memory[a]

    def _result(self, leaf: Returned) -> Callable[[], Any]:
        if leaf.kind == "number":
            return self._number(leaf.value)
        if isinstance(leaf.value, np.ndarray):  # without elements
            return partial(_wrapped if leaf.kind == "tensor" else np.ndarray.copy, leaf.value)
        return Output(self._address(leaf.value), leaf.kind == "tensor")

    def _number(self, compute: Any) -> Callable[[], Any]:
        if isinstance(compute, Address):
            return self._address(compute).item
        if isinstance(compute, tuple):
            function, operands = compute[0], [self._number(o) for o in compute[1:]]
            return lambda: function(*(operand() for operand in operands))
        return lambda: compute

    def holds(self) -> bool:
        """Whether what was there before the step is as it was when the step was captured."""
        return all(map(is_, map(_array, self._tensors), self._arrays)) and all(
            branches(group) == options for group, options in self.program.options
        )

    def __call__(self, arguments: Sequence[Tensor]) -> Any:
        """Replay. Raises GuardFailed, with nothing changed, if the capture does not hold for these values."""
        self._take_gradients()
        if any(map(gt, map(sys.getrefcount, self._held), self._holders)):
            self._bind()  # someone keeps a gradient of the former step: it stays as it is
        for place, argument in zip(self._inputs, arguments, strict=True):
            if place is not None:
                np.copyto(place, argument.array)
        self.undo.save()
        try:
            mode.quietly(_run, self._calls)
        except Exception as error:
            self.undo.restore()
            raise GuardFailed from error
        for tensor, gradient in self._gradients:
            tensor.grad = gradient
        for version, count in self.changes:
            for _ in range(count):
                version.change("a compiled step")
        results = iter([result() for result in self._results])
        return mapped(self.program.result, lambda leaf: next(results) if type(leaf) is Returned else leaf)

    def _take_gradients(self) -> None:
        for tensor, gradient in self._gradients:
            if tensor.grad is gradient:
                tensor.grad = None

    def agrees(self, arguments: Sequence[Tensor], step: Callable[[], Any]) -> tuple[bool, Any]:
        """Replay, put everything back, take the step itself, and compare every bit; also returns the step's result."""
        before = Snapshot(self.code, self.memory)
        before.save()
        gradients = [(tensor, tensor.grad) for tensor in self.leaves]
        counts = [version.count for version, _ in self.changes]
        try:
            replayed = self(arguments)
        except GuardFailed:
            return False, step()
        counted = [version.count - count for (version, _), count in zip(self.changes, counts, strict=True)]
        traces = self._traces(before, replayed)
        for (version, _), count in zip(self.changes, counts, strict=True):
            version.count = count
        for tensor, gradient in gradients:
            tensor.grad = gradient
        before.restore()
        result = step()
        # What Python's calls in the replay count up, the plan need not.
        self.changes = [
            (version, wanted - (done - wanted)) for (version, wanted), done in zip(self.changes, counted, strict=True)
        ]
        return same(traces, self._traces(before, result)), result

    def _traces(self, memory: Snapshot, result: Any) -> list[Any]:
        """All that a step leaves behind, as bytes."""
        gradients = [None if tensor.grad is None else tensor.grad.array for tensor in self.leaves]
        return [_bytes(x) for x in (*memory.now(), *gradients, *leaves(result))]


def _bytes(x: Any) -> Any:
    x = x.array if isinstance(x, Tensor) else x
    return (x.dtype, x.shape, x.tobytes()) if isinstance(x, (np.ndarray, float)) and hasattr(x, "tobytes") else repr(x)


def _run(flat: Sequence[tuple[Callable[..., Any], tuple[Any, ...]]]) -> None:
    for function, args in flat:
        function(*args)


def _wrapped(array: np.ndarray) -> Tensor:
    return Tensor.wrap(array.copy())


class Output:
    """A tensor or array that is returned: the same one again, unless someone still holds that."""

    def __init__(self, source: np.ndarray, tensor: bool) -> None:
        self._source, self._tensor = source, tensor
        self._make()

    def _make(self) -> None:
        self._array = self._source.copy("K")
        self._value = Tensor.wrap(self._array) if self._tensor else self._array
        self._holders = 0
        self._holders = self._count()

    def _count(self) -> int:
        return sys.getrefcount(self._array) + sys.getrefcount(self._value)

    def __call__(self) -> Any:
        if self._count() > self._holders or (self._tensor and self._value.array is not self._array):
            self._make()
        else:
            np.copyto(self._array, self._source)
        return self._value


def returned(program: Program) -> list[Returned]:
    """The places in what a program returns, in order."""
    places: list[Returned] = []
    mapped(program.result, lambda leaf: places.append(leaf) if type(leaf) is Returned else None)
    return places


def found(compute: Any) -> list[Address]:
    """The addresses that a number is calculated from."""
    if isinstance(compute, tuple):
        return [a for part in compute for a in found(part)]
    return [compute] if isinstance(compute, Address) else []
