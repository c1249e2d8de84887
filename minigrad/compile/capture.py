"""Capture: run a step once, for real, and write down every call of NumPy on the way.

While a ``Tape`` is on, each primitive shows it the tensors it is given (``enter``), whose arrays are replaced by
``Recorder`` views of the same memory until the step is over. A recorder passes each call to the tape, which runs it and
appends an ``Instruction``. An operand is known by its memory, whichever way a view of it was made: while an array lives,
its addresses belong to one buffer.
"""

from __future__ import annotations

import operator
import weakref
from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from minigrad.compile.program import (
    SAFE,
    Address,
    Buffer,
    GuardFailedError,
    Instruction,
    replace,
    same,
    start_of,
    whole,
)
from minigrad.compile.recorder import Number, Recorder
from minigrad.engine import TensorBase, Version
from minigrad.grad_mode import Tape as Observer
from minigrad.grad_mode import mode
from minigrad.mutation import user_line

# Functions that only tell about shapes and types: their answers hold as long as these do.
_FACTS = {
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj, np.common_type,
    np.may_share_memory, np.shares_memory, np.min_scalar_type,
}  # fmt: skip
# Functions that write to their first argument.
_WRITERS = {np.copyto, np.put, np.put_along_axis, np.place, np.putmask, np.fill_diagonal}


class UnsupportedError(Exception):
    """A call that cannot be written down."""


class Tape(Observer):
    """The record of one run of a step."""

    def __init__(self, fullgraph: bool = False) -> None:
        self.fullgraph = fullgraph
        self.instructions: list[Instruction] = []
        self.buffers: list[Buffer] = []  # in the order of their addresses
        # The tensors met, each with its array, version and gradient then. Weakly, since some are the step's own.
        self.tensors: dict[int, tuple[weakref.ref[Any], np.ndarray, int, Any]] = {}
        self.numbers: list[weakref.ref[Number]] = []
        self.calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []  # see ``again``
        self.reason: str | None = None  # why the capture was given up

    def __enter__(self) -> Tape:
        self.start = Version()
        self.start.change("the beginning of a capture")
        mode.tape = mode.capture = self
        return self

    def __exit__(self, *exception: object) -> None:
        mode.tape = mode.capture = None
        for tensor, array, _, _ in self.entered():
            if type(tensor.array) is Recorder:
                stays = start_of(tensor.array) == start_of(array) and tensor.array.shape == array.shape
                tensor.array = array if stays else _plain(tensor.array)
                if not stays and self.reason is None:
                    self.reason = "a tensor is given other memory (by assigning to .data)"
        for tensor, *_ in self.entered():
            if tensor.grad is not None and type(tensor.grad.array) is Recorder:
                tensor.grad.array = _plain(tensor.grad.array)

    def give_up(self, what: str) -> None:
        """Stop writing: ``what`` happened, which a replay could not do. The step itself goes on."""
        mode.capture = None
        if self.reason is None:
            self.reason = f"{what} ({user_line()})"
            if self.fullgraph:
                raise RuntimeError(f"compile(fullgraph=True): {self.reason}")

    # Memory

    def enter(self, args: Sequence[Any]) -> None:
        """Let the tensors among ``args`` be recorded from now on."""
        if mode.capture is None:
            return  # given up, or within a call that is written down as a whole
        for tensor in args:
            if isinstance(tensor, TensorBase) and getattr(tensor.array, "tape", None) is not self:
                try:
                    array = self.recorder(tensor.array)
                except UnsupportedError as error:
                    self.give_up(str(error))
                    return
                self.meet(tensor)
                tensor.array = array
                if tensor.grad is not None:
                    self.enter((tensor.grad,))

    def look_at(self, tensors: Sequence[Any], inputs: Sequence[Buffer]) -> None:
        """Enter what the step may use, so that it is seen also where no operation is asked for: ``w.numpy()``."""
        for tensor in tensors:
            if self._free(tensor.array):
                self.enter((tensor,))
                self.keep((tensor.array,), inputs)

    def keep(self, arrays: Sequence[np.ndarray], inputs: Sequence[Buffer] = ()) -> None:
        """Know that others have this memory, too."""
        for array in arrays:
            if array.size and self._free(array):
                buffer = self.locate(array).buffer
                buffer.shared = buffer not in inputs

    def _free(self, array: np.ndarray) -> bool:
        """Whether an array lies in one buffer, or in memory of which nothing is known yet."""
        while isinstance(array.base, np.ndarray):
            array = array.base
        low, high = np.lib.array_utils.byte_bounds(array)
        return self.find(array) is not None or not any(b.start < high and low < b.end for b in self.buffers)

    def meet(self, tensor: Any) -> None:
        """Remember a tensor as it is before the step changes it."""
        former = self.tensors.get(id(tensor))
        count, grad = tensor.version.count, tensor.grad
        if former is not None and former[0]() is tensor:
            _, _, count, grad = former
        self.tensors[id(tensor)] = weakref.ref(tensor), tensor.array, count, grad

    def pulled(self, node: Any, g: Any, found: Any) -> None:
        """Record on what a rule returned, if it was plain memory that recorded calls have written to."""
        if node.order < self.start.last and mode.capture is self:
            self.give_up("backward goes on through what was calculated before the step: detach() the argument")
        for k, (source, x_bar) in enumerate(found):
            if type(x_bar) is np.ndarray and x_bar.size and mode.capture is self and self.find(x_bar) is not None:
                found[k] = source, x_bar.view(Recorder)

    def release(self, tensors: Sequence[TensorBase]) -> None:
        """Give tensors their own arrays back, until they are met again."""
        for tensor in tensors:
            if type(tensor.array) is Recorder:
                tensor.array = self.tensors[id(tensor)][1]
            else:
                self.meet(tensor)

    def entered(self) -> list[tuple[Any, np.ndarray, int, Any]]:
        """The tensors met that still exist, with the arrays, versions and gradients that they had."""
        alive = [(entry[0](), *entry[1:]) for entry in self.tensors.values()]
        return [entry for entry in alive if entry[0] is not None]

    def recorder(self, array: np.ndarray) -> Recorder:
        """``array`` as one that is recorded, in the same memory."""
        if array.size:
            self.locate(array)
        return array.view(Recorder)

    def find(self, array: np.ndarray) -> Buffer | None:
        """The known buffer that ``array`` lies in."""
        low, high = np.lib.array_utils.byte_bounds(array)
        i = bisect_right(self.buffers, low, key=_start) - 1
        return self.buffers[i] if i >= 0 and high <= self.buffers[i].end else None

    def locate(self, array: np.ndarray) -> Any:
        """The address of an operand; memory that is met for the first time was there before the step, or is constant."""
        if not array.size:
            return _plain(array)
        buffer = self.find(array)
        if buffer is None:
            if type(array) is Recorder and array.tape is self:
                raise UnsupportedError("an array was made in a way that is not recorded")
            owner = array.view(np.ndarray)
            while isinstance(owner.base, np.ndarray):
                owner = owner.base
            buffer = self.add(owner if type(owner) is np.ndarray else _plain(array), given=True)
        return Address(buffer, start_of(array) - buffer.start, array.shape, array.strides, array.dtype)

    def add(self, owner: np.ndarray, given: bool) -> Buffer:
        start, end = np.lib.array_utils.byte_bounds(owner)
        i = bisect_right(self.buffers, start, key=_start)
        if (i and self.buffers[i - 1].end > start) or (i < len(self.buffers) and self.buffers[i].start < end):
            raise UnsupportedError("two arrays share a part of their memory that neither owns")
        buffer = Buffer(owner, start, end, given)
        insort(self.buffers, buffer, key=_start)
        return buffer

    def born(self, result: Any) -> tuple[Any, Any]:
        """A result as a recorder that owns its memory, as the result did, and its address."""
        owner = np.asarray(result).view(Recorder)
        array = np.ndarray.copy(owner, "K")
        array.scalar = isinstance(result, np.generic)
        if not array.size:
            return array, _plain(array)
        buffer = self.add(array, given=False)
        buffer.owner = weakref.ref(array, lambda _: self._forget(buffer))
        return array, self.locate(array)

    def _forget(self, buffer: Buffer) -> None:
        """The memory of a result has been given back: its address may be another's from now on."""
        i = bisect_right(self.buffers, buffer.start, key=_start) - 1
        if i >= 0 and self.buffers[i] is buffer:
            del self.buffers[i]

    # Instructions

    def write(self, function: Any, args: Any, options: Any, outs: Any = (), writes: Any = (), **kind: Any) -> None:
        if outs or writes or kind:
            self.instructions.append(
                Instruction(
                    function,
                    replace(args, np.ndarray, self.locate),
                    replace(options, np.ndarray, self.locate),
                    tuple(a for a in outs if isinstance(a, Address)),
                    tuple(a for a in writes if isinstance(a, Address)),
                    **kind,
                )
            )

    def about_to_change(self, arrays: Sequence[Any]) -> tuple[Any, ...]:
        """The addresses of arrays that a call will overwrite; given memory is copied before the first time."""
        found = tuple(self.locate(a) for a in arrays)
        for address in found:
            if isinstance(address, Address) and address.buffer.given and not address.buffer.written:
                address.buffer.written = True
                if not address.buffer.shared:
                    address.buffer.before = whole(address.buffer.owner).copy()
        return found

    def run_ufunc(self, function: Any, method: str, inputs: Any, options: Any) -> Any:
        if any(type(x) is Number for x in inputs):
            self.give_up("a number read from a tensor goes back into a calculation with tensors: leave out .item()")
            inputs = tuple(x.value if type(x) is Number else x for x in inputs)
            return function(*inputs, **options)
        try:
            given = tuple(o for o in options.get("out", ()) if o is not None)
            changed = self.about_to_change(inputs[:1] if method == "at" else given)
            operands = {k: v for k, v in options.items() if k != "out"}
            places = replace(inputs, np.ndarray, self.locate), replace(operands, np.ndarray, self.locate)
            result = function(*_plain(inputs), **_plain(options))
            if given:
                self.write(function, *places, outs=changed)
                outs = tuple(o if o is None or type(o) is Recorder else self.recorder(o) for o in options["out"])
                return outs if len(outs) > 1 else outs[0]
            if method == "at":
                self.write(function, *places, writes=changed)
                return None
            several = isinstance(result, tuple)
            made = [self.born(r) for r in (result if several else (result,))]
            self.write(function, *places, outs=[address for _, address in made])
            return tuple(array for array, _ in made) if several else made[0][0]
        except UnsupportedError as error:
            self.give_up(str(error))
            return function(*_plain(inputs), **_plain(options))

    def run_function(self, function: Any, args: Any, options: Any) -> Any:
        if function in _FACTS:
            return function(*_plain(args), **_plain(options))
        return self.run(function, args, options, writes=args[:1] if function in _WRITERS else ())

    def run(self, function: Any, args: Any, options: Any, writes: Any = (), pure: bool = True) -> Any:
        """Run a function or method on recorders and write it down, if it makes or changes anything."""
        try:
            out = options.get("out")
            if out is not None:
                writes = (*writes, *(out if isinstance(out, tuple) else (out,)))
            changed = self.about_to_change(writes)
            places = replace(args, np.ndarray, self.locate), replace(options, np.ndarray, self.locate)
        except UnsupportedError as error:
            self.give_up(str(error))
            return function(*_plain(args), **_plain(options))
        result = function(*_plain(args), **_plain(options))
        outs: list[Any] = []
        values: list[Any] = []

        def take(value: Any) -> Any:
            if isinstance(value, (np.ndarray, np.generic)):
                if out is not None and value is _plain(out):
                    return out if type(out) is Recorder else self.recorder(out)
                if isinstance(value, np.ndarray) and value.size and self.find(value) is not None:
                    return value.view(Recorder)
                array, address = self.born(value)
                if isinstance(address, Address):
                    outs.append(address)
                return array
            if isinstance(value, (bool, int, float)):
                values.append(value)
            return value

        taken = _mapped(result, take)
        kind = {} if pure else {"pure": False}
        if outs or changed or not pure:
            self.write(function, *places, outs=outs, writes=changed, **kind)
        if pure and not outs and function not in SAFE and np.size(result) == 0:  # nothing, this time
            self.write(_expect_nothing, (function, *places), {}, guard=True)
        if values and pure:
            self.write(_expect_result, (function, *places, result), {}, guard=True)
        return taken

    def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Run what Python must do anew at each replay: draw random numbers, count an optimizer's steps."""
        mode.capture = None
        try:
            return self._called(function, args, options)
        finally:
            if self.reason is None:
                mode.capture = self

    def again(self, function: Callable[..., Any], *args: Any) -> None:
        """Have ``function`` called here at each replay; now the step itself does what it would do."""
        self.instructions.append(Instruction(partial(function, *args), (), pure=False))
        self.calls.append((function, args))

    def _called(self, function: Any, args: Any, options: Any) -> Any:
        return self.run(function, args, options, pure=False)

    def index(self, array: Recorder, index: Any) -> Any:
        found = np.ndarray.__getitem__(_plain(array), _plain(index))
        if isinstance(found, np.generic):  # one element: its address is the array without dimensions
            index = (*index, ...) if isinstance(index, tuple) else (index, ...)
            found = np.ndarray.__getitem__(_plain(array), _plain(index))
        parts = index if isinstance(index, tuple) else (index,)
        if not any(isinstance(part, (np.ndarray, list)) for part in parts):
            return found.view(Recorder)
        return self.run(operator.getitem, (array, index), {})

    def guard(self, array: Recorder, read: Callable[..., Any], *args: Any) -> Any:
        """The value that ``read`` gives, of which every replay makes sure."""
        value = read(_plain(array), *args)
        self.write(expect, (read, array, *args, value), {}, guard=True)
        return value

    def number(self, array: Recorder) -> Any:
        """The only element of ``array``, for the user."""
        return Number(self, _plain(array).item(), self.locate(array.copy()))


def expect(read: Callable[..., Any], array: np.ndarray, *args: Any) -> None:
    *options, value = args
    if not same(read(array, *options), value):
        raise GuardFailedError


def _expect_result(function: Callable[..., Any], args: Any, options: Any, value: Any) -> None:
    if not same(function(*args, **options), value):
        raise GuardFailedError


def _expect_nothing(function: Callable[..., Any], args: Any, options: Any) -> None:
    if np.size(function(*args, **options)):
        raise GuardFailedError


def _start(buffer: Buffer) -> int:
    return buffer.start


def _plain(tree: Any) -> Any:
    """Recorders replaced by plain arrays of the same memory."""
    return replace(tree, Recorder, lambda a: a.view(np.ndarray))


def _mapped(tree: Any, change: Callable[[Any], Any]) -> Any:
    """A result of NumPy, an array or a tuple or list of them, with every part changed."""
    if isinstance(tree, tuple) and hasattr(tree, "_make"):
        return type(tree)._make(_mapped(item, change) for item in tree)
    if type(tree) in (tuple, list):
        return type(tree)([_mapped(item, change) for item in tree])
    return change(tree)
