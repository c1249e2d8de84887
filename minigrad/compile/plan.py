"""A plan: a captured program made fast, its memory, and what to do before and after its calls.

``Plan(program)`` runs the passes and binds the calls; ``plan(arguments)`` replays the step.
"""

from __future__ import annotations

import ctypes
import hashlib
import sys
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from minigrad.autograd.function import Function
from minigrad.backward import grad
from minigrad.compile import passes, shaping
from minigrad.compile.program import Address, GuardFailedError, Instruction, same
from minigrad.compile.replay import Call, Memory, as_function, calls
from minigrad.compile.results import Returned, leaves, mapped
from minigrad.compile.session import Program, pause
from minigrad.compile.show import show
from minigrad.generator import Generator
from minigrad.grad_mode import mode
from minigrad.tensor import Tensor


class Snapshot:
    """What instructions change outside of a plan, to be put back: memory, and generators of random numbers."""

    def __init__(self, code: Sequence[Instruction], memory: Memory) -> None:
        arrays: dict[int, np.ndarray] = {}
        generators: dict[int, Generator] = {}
        for i in code:
            for a in i.written:
                if a.buffer.shared:
                    arrays[id(a.buffer)] = memory.bytes(a.buffer)
            for arg in () if i.pure else (*i.args, *getattr(i.function, "args", ())):
                if isinstance(arg, Generator):
                    generators[id(arg)] = arg
                for held in getattr(arg, "__dict__", {}).values():  # what a call of Python's may count in
                    if isinstance(held, np.ndarray):
                        arrays[id(held)] = held
        for generator in generators.values():
            state = _state(generator)
            arrays[id(state)] = state
        self.arrays, self._generators = list(arrays.values()), list(generators.values())

    def save(self) -> None:
        self._copies = [a.copy() for a in self.arrays]
        self._spares = [generator._spare for generator in self._generators]

    def forget(self) -> None:
        self._copies = []

    def restore(self) -> None:
        for array, copy in zip(self.arrays, self._copies, strict=True):
            np.copyto(array, copy)
        for generator, spare in zip(self._generators, self._spares, strict=True):
            generator._spare = spare


def _state(generator: Generator) -> np.ndarray:
    """The memory in which a Mersenne Twister keeps its 624 words and its position among them."""
    address = generator._engine.ctypes.state_address
    return np.ctypeslib.as_array((ctypes.c_uint32 * 625).from_address(address))


class Plan:
    """A program ready to be replayed."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.places = program.places
        numbers = {a.buffer for leaf in self.places if leaf.kind == "number" for a in _addresses(leaf.value)}
        code = passes.without_allocations(program.instructions)
        sizes = [len(program.instructions), len(code)]
        code = passes.without_repeated(shaping.with_prepared_numbers(code))
        sizes.append(len(code))
        code, self._instead = passes.without_copies(code, numbers)
        sizes.append(len(code))
        code = passes.without_dead(code)
        sizes.append(len(code))
        code, self._gathered = passes.without_gathering(code)
        sizes.append(len(code))
        steps = ("allocations", "repetitions", "copies", "without use", "gatherings")
        self.left_out = {name: a - b for name, a, b in zip(steps, sizes, sizes[1:], strict=False)}
        self.code = shaping.with_rows_of_bounds(shaping.with_blocks(shaping.with_flat_operands(code)))
        self.leaves = [tensor for tensor, _ in program.tensors if tensor.needs_grad and tensor.node is None]
        self._absent: list[bool] | None = None  # which leaves have no gradient before the step
        self.changes = [(tensor.version, count) for tensor, count in program.changes]
        self._waiting: Any = None  # the call whose way back is still to come
        self.failures = 0  # how often its checks did not hold, less how often they did
        self._single = self.places[0] if self.places else self  # the result, if it is nothing but that
        self._bind()

    def __str__(self) -> str:
        return show(self)

    def _bind(self) -> None:
        """Make memory and the calls on it."""
        self.memory = memory = Memory(self.code)
        uncertain = [position for position, i in enumerate(self.code) if i.may_fail]
        self._undo = Snapshot(self.code[: uncertain[-1]] if uncertain else [], memory)
        there: list[Call] = []
        back: list[Call] = []
        part = there
        for i in self.code:
            if getattr(i.function, "func", None) is pause:
                part = back
            else:
                part += calls(i, memory)
        self._replay, self._replay_back, self.calls = as_function(there), as_function(back), [*there, *back]
        program = self.program
        self._inputs = [(k, memory[a]) for k, a in enumerate(program.inputs) if isinstance(a, Address)]
        self._seeds = [memory[a] if isinstance(a, Address) else a for a in program.seeds]
        self._slopes = [memory[a] if isinstance(a, Address) else a for a in program.slopes]
        self._made = [(name, Tensor.wrap(self._at(a))) for name, a in program.made]
        self._carried = [(tensor, self._at(a), written) for tensor, a, written in program.carried]
        self._results = [self._result(leaf) for leaf in self.places]
        self._own = [(name, g) for name, g in self._made if isinstance(name, Tensor)]
        self._held = [x for _, g in self._made for x in (g, g.array, g.array.base)]
        self._holders = list(map(sys.getrefcount, self._held))

    def _at(self, a: Any) -> np.ndarray:
        """The array at an address, which may be that of a copy that is not made."""
        if isinstance(a, np.ndarray):
            return a.copy()  # without elements
        for instead in (self._instead, self._gathered):
            there = instead.get(a.buffer)
            if there is not None:
                a = Address(there.buffer, there.offset + a.offset, a.shape, a.strides, a.dtype)
        return self.memory[a]

    def _result(self, leaf: Returned) -> Callable[[], Any]:
        if leaf.kind == "number":
            return self._number(leaf.value)
        if leaf.flows:
            return partial(_copied, self._at(leaf.value))
        return Output(self._at(leaf.value), leaf.kind == "tensor")

    def _number(self, compute: Any) -> Callable[[], Any]:
        if isinstance(compute, Address):
            return self._at(compute).item
        if isinstance(compute, tuple):
            function, operands = compute[0], [self._number(o) for o in compute[1:]]
            return lambda: function(*(operand() for operand in operands))
        return lambda: compute

    def holds(self) -> bool:
        """Whether what was there before the step is as it was when the step was captured."""
        return (
            self.program.guards.holds()
            and all(tensor._grad is not None for tensor, _, _ in self._carried)
            and (self._absent is None or [leaf._grad is None for leaf in self.leaves] == self._absent)
        )

    def is_likely(self) -> bool:
        """Whether the same tensors have gradients as when the step was captured, which need not matter."""
        return all((leaf.grad is None) == (id(leaf) in self.program.bare) for leaf in self.leaves)

    def __call__(self, arguments: Sequence[Tensor]) -> Any:
        """Replay. Raises GuardFailedError, with nothing changed, if the capture does not hold for these values."""
        if self._waiting is not None and self._waiting() is not None:
            raise GuardFailedError  # the memory still serves an earlier call, whose way back is to come
        own = self._own
        taken = [k for k, (tensor, gradient) in enumerate(own) if tensor._grad is gradient]
        for k in taken:
            own[k][0]._grad = None
        if list(map(sys.getrefcount, self._held)) != self._holders:
            self._bind()  # someone keeps a gradient of the former step: it stays as it is
        for k, place in self._inputs:
            np.copyto(place, arguments[k].array)
        for tensor, place, _ in self._carried:
            np.copyto(place, tensor.grad.array)
        if self._undo.arrays:
            self._undo.save()
        try:
            mode.quietly(self._replay)
        except Exception as error:
            if self._undo.arrays:
                self._undo.restore()
            for k in taken:
                own[k][0]._grad = own[k][1]
            raise GuardFailedError from error
        return self._after(arguments)

    def _after(self, arguments: Sequence[Tensor]) -> Any:
        """The effects of a step that are not instructions, and what it returns."""
        for tensor, gradient in self._own:
            tensor._grad = gradient  # which fits: this was checked in the capture
        if len(self._own) != len(self._made):
            for name, gradient in self._made:
                if not isinstance(name, Tensor):
                    arguments[name].grad = gradient
        for tensor, place, written in self._carried:
            if written:
                np.copyto(tensor.grad.array, place)
                tensor.grad.version.change("a compiled step")
        for tensor in self.program.cleared:
            tensor.grad = None
        for module, flag in self.program.flags:
            module.training = flag
        for version, count in self.changes:
            for _ in range(count):
                version.change("a compiled step")
        values = [result() for result in self._results]
        if self.program.outputs:
            self._connect(values, arguments)
        if self.program.result is self._single:
            return values[0]

        def fill(leaf: Any) -> Any:
            if type(leaf) is not Returned:
                return leaf
            return leaf.value(arguments, values) if leaf.kind == "alias" else values[leaf.place]

        return mapped(self.program.result, fill)

    # The way back from what the step returned

    def _ends(self, arguments: Sequence[Tensor]) -> list[Tensor]:
        return [name if isinstance(name, Tensor) else arguments[name] for name in self.program.leaves]

    def _connect(self, values: list[Any], arguments: Sequence[Tensor]) -> None:
        """Put a node into the history of the outputs that replays the way back."""
        at = [k for k, leaf in enumerate(self.places) if leaf.flows]
        needed = [arguments[x] if isinstance(x, int) else x for x in self.program.needed]
        versions = [(tensor.version, tensor.version.count) for tensor in needed]
        tensors = _Replayed.apply(self, versions, tuple(values[k] for k in at), *self._ends(arguments))
        for k, tensor in zip(at, tensors, strict=True):
            values[k] = tensor

    def start_waiting(self, call: Any) -> None:
        self._waiting = weakref.ref(call)

    def go_back(self, seeds: Sequence[np.ndarray]) -> list[Any]:
        """The gradients of the leaves, given those of the outputs."""
        self._waiting = None
        for place, seed in zip(self._seeds, seeds, strict=True):
            np.copyto(place, seed)
        mode.quietly(self._replay_back)
        return [None if slope is None else Tensor.wrap(slope.copy()) for slope in self._slopes]

    # Trust, but verify

    def agrees(self, arguments: Sequence[Tensor], step: Callable[[], Any]) -> tuple[bool, Any]:
        """Replay, put everything back, take the step itself, and compare every bit; also returns the step's result."""
        before = Snapshot(self.code, self.memory)
        before.save()
        gradients = [(tensor, tensor.grad) for tensor in (*self.leaves, *arguments)]
        added = [(t.grad.array, t.grad.array.copy()) for t, _, written in self._carried if written]
        counts = [version.count for version, _ in self.changes]
        absent = [leaf.grad is None for leaf in self.leaves]
        try:
            replayed = self(arguments)
        except GuardFailedError:
            return False, step()
        traces = self._traces(before, replayed, arguments)
        self._waiting = None
        for k, (version, wanted) in enumerate(self.changes):
            # What Python's calls in the replay have counted up already, the plan need not.
            self.changes[k] = version, 2 * wanted - (version.count - counts[k])
            version.count = counts[k]
        for tensor, gradient in gradients:
            tensor.grad = gradient
        for array, copy in added:
            np.copyto(array, copy)
        before.restore()
        before.forget()
        del gradients, added, replayed  # so that both runs together need little more memory than one
        result = step()
        self._absent = absent
        return same(traces, self._traces(before, result, arguments)), result

    def _traces(self, memory: Snapshot, result: Any, arguments: Sequence[Tensor]) -> list[Any]:
        """All that a step leaves behind, as bytes."""
        found = [*memory.arrays, *(tensor.grad for tensor in (*self.leaves, *arguments)), *leaves(result)]
        if self.program.outputs:
            values = [leaf for leaf in leaves(result) if isinstance(leaf, Tensor) and leaf.requires_grad]
            values = [value for value in values if value.node is not None]
            found += grad(
                values,
                self._ends(arguments),
                [_seed(value.array) for value in values],
                retain_graph=True,
                allow_unused=True,
            )
        return [_bytes(x) for x in found]


class _Replayed(Function):
    """A replayed step as an operation: its rule replays the way back."""

    @staticmethod
    def forward(ctx: Any, plan: Plan, versions: Any, outputs: tuple[Any, ...], *ends: Tensor) -> Any:
        ctx.plan, ctx.versions = plan, versions
        plan.start_waiting(ctx)
        return outputs

    @staticmethod
    def backward(ctx: Any, *seeds: Tensor) -> Any:
        if mode.enabled:
            raise RuntimeError(
                "create_graph=True through a compiled call: the way back was captured once and has no history of its own; "
                "call the function itself, without compile, to differentiate twice"
            )
        if ctx.plan is None:
            raise RuntimeError(
                "Trying to backward through the graph a second time: a compiled call keeps its values for one backward pass. "
                "Add the losses up first, or call the function without compile"
            )
        if any(version.count != count for version, count in ctx.versions):
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an inplace operation: "
                "a parameter or argument of a compiled call changed before backward"
            )
        plan, ctx.plan = ctx.plan, None
        return None, None, None, *plan.go_back([seed.array for seed in seeds])


def _copied(array: np.ndarray) -> Tensor:
    return Tensor.wrap(array.copy("K"))


def _bytes(x: Any) -> Any:
    """All that can be told of a tensor, array or number, in few bytes."""
    x = x.array if isinstance(x, Tensor) else x
    if not isinstance(x, np.ndarray):
        return repr(x)
    return x.dtype.str, x.shape, hashlib.blake2b(np.ascontiguousarray(x).data).digest() if x.size else b""


def _seed(like: np.ndarray) -> Tensor:
    """A gradient with other elements than those of the capture, to see that they matter."""
    return Tensor.wrap(np.linspace(0.5, 1.7, like.size).reshape(like.shape).astype(like.dtype))


def _addresses(compute: Any) -> list[Address]:
    """The addresses that a number is calculated from."""
    if isinstance(compute, tuple):
        return [a for part in compute for a in _addresses(part)]
    return [compute] if isinstance(compute, Address) else []


class Output:
    """A tensor or array that is returned: the same one again, unless someone still holds that."""

    def __init__(self, source: np.ndarray, tensor: bool) -> None:
        self._source, self._tensor = source, tensor
        self._make()

    def _make(self) -> None:
        self._array = self._source.copy("K")
        self._value: Any = Tensor.wrap(self._array) if self._tensor else self._array
        self._holders = self._count()

    def _count(self) -> int:
        return sys.getrefcount(self._array) + sys.getrefcount(self._value)

    def __call__(self) -> Any:
        changed = self._tensor and (self._value.array is not self._array or self._value.needs_grad)
        if changed or self._count() > self._holders:
            self._make()
        else:
            np.copyto(self._array, self._source)
        return self._value
