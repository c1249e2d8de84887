"""The engine: how operations are recorded, and what a recorded operation does with a gradient. Read this file first.

A tensor is an array with a history. Every operation is a ``Primitive``; calling one runs NumPy on the arrays and, if an
input needs a gradient, records a ``Node``: for each such input an edge to the node that made it, the rule for its
gradient, and the values which that rule needs. ``walk`` (in ``backward.py``) then visits the nodes from the newest to the
oldest and applies the rules: on arrays this is backward, on tensors the same rules are recorded in turn and can be
differentiated again.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import weakref
from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any

import numpy as np

from minigrad.grad_mode import enable_grad, mode
from minigrad.signature import Plan, Signature

_clock = itertools.count()  # numbers recorded operations and in-place changes in the order in which they happen


class Version:
    """The in-place changes of one piece of memory; a tensor and its views share it."""

    count = 0
    last = -1  # when the latest change was
    changed_by = ""

    def change(self, by: str) -> None:
        """Count a change, made by an operation and line of that name."""
        self.count, self.last, self.changed_by = self.count + 1, next(_clock), by


class TensorBase:
    """What autograd needs to know of a tensor."""

    array: np.ndarray
    version: Version
    needs_grad = False
    grad: Any  # the gradient as a user sees and sets it,
    _grad: Any = None  # and where it is kept
    node: Node | None = None  # the operation that made it; None for a leaf
    accumulator: AccumulateGrad | None = None  # where a leaf's gradient arrives
    _retains_grad = False  # whether a tensor that is no leaf keeps its gradient, too
    base: TensorBase | None = None  # for a view: the tensor that owns the memory,
    path: tuple[tuple[Primitive, tuple[Any, ...]], ...] = ()  # the steps that lead from there to here,
    seen = 0  # and the version of the memory that ``node`` tells the history of

    @staticmethod
    def wrap(array: np.ndarray) -> Any:
        """A new tensor of ``array``, without history."""
        raise NotImplementedError

    def receive(self, result: Any, name: str) -> Any:
        """Take over the result of the operation of that name, as ``out=`` asks."""
        raise NotImplementedError

    def gradient_node(self) -> Node:
        """The node to which a gradient of this tensor is sent."""
        if self.node is not None:
            return self.node
        if self.accumulator is None:
            self.accumulator = AccumulateGrad(self)
        return self.accumulator

    def sync(self) -> None:
        """Tell a view's history anew if its base was changed in place since."""
        if self.base is not None and self.seen != self.version.count:
            self.seen = self.version.count
            if self.base.node is not None:
                with enable_grad():
                    fresh = replay(self.path, self.base)
                self.node, self.needs_grad = fresh.node, fresh.needs_grad


# Where an input's gradient goes, the input's shape and type, the rule, and how to take what it needs from the values
Edge = tuple["Node", tuple[int, ...], np.dtype, Callable[..., Any], Callable[[list[Any]], Any]]


class Node:
    """A recorded operation. ``order`` grows with time, so every edge leads to a node of smaller order."""

    __slots__ = ("__weakref__", "edges", "hooks", "order", "plan", "title", "values", "versions")

    fresh = True  # the rules make new arrays, unless they return g itself or a view
    ends = False  # a path goes on from here

    def __init__(
        self, title: str, plan: Plan, edges: list[Edge], values: list[Any] | None, versions: list[tuple[int, Version]]
    ) -> None:
        self.title, self.plan, self.edges = title, plan, edges
        self.values = values  # what the rules need, as ``plan.kept`` says
        self.versions = versions  # which of the values are tensors' arrays, and the versions of their memory
        self.hooks: dict[int, Callable[[Any], Any]] | None = None
        self.order = next(_clock)

    def name(self) -> str:
        """The title, as PyTorch shows it: with the place in its source if no formula stands for the operation."""
        return f"torch::autograd::{self.title}" if self.title in _WITHOUT_FORMULA else self.title

    def shown(self) -> Node:
        """This node, made one of a class that is called as its operation is: ``type(y.grad_fn)`` tells it in PyTorch."""
        if type(self) is Node:  # not before somebody looks, since backward is faster over nodes of one class
            self.__class__ = _class_of(self.title)
        return self

    def pull(self, g: Any, as_tensor: bool, wanted: set[Node] | None) -> list[tuple[Node, Any]]:
        """For each input, the node its gradient goes to and that gradient, which the rule gives.

        Broadcasting and conversion of the input are undone here, once for all rules.
        """
        values = self.saved_tensors(g.wrap) if as_tensor else self.saved_arrays()
        found = []
        for source, shape, dtype, rule, needs in self.edges:
            if wanted is None or source in wanted:
                x_bar = rule(g, *needs(values))
                if as_tensor or x_bar.shape != shape or x_bar.dtype is not dtype:
                    x_bar = fit(x_bar, shape, dtype)
                found.append((source, np.asarray(x_bar) if isinstance(x_bar, np.generic) else x_bar))
        return found

    def saved_arrays(self) -> list[Any]:
        """The saved values. Raises RuntimeError if they were freed, or changed in place since they were saved."""
        if self.values is None:
            raise RuntimeError(
                f"Trying to backward through the graph a second time: the values that {self.title} saved were freed by "
                f"the first backward pass. Specify retain_graph=True in that first call, or compute the forward pass anew."
            )
        for i, version in self.versions:
            if version.last > self.order:
                raise stale(self.title, self.values[i], version)
        return self.values

    def saved_tensors(self, wrap: Callable[[np.ndarray], Any]) -> list[Any]:
        """The saved values as tensors with their history."""
        values = list(self.saved_arrays())
        nodes = {**self._sources(), self.plan.arity: self}
        for i, version in self.versions:
            values[i] = wrap(values[i])
            values[i].version = version
            if self.plan.kept[i] in nodes:
                values[i].node, values[i].needs_grad = nodes[self.plan.kept[i]], True
        return values

    def saved(self) -> list[np.ndarray]:
        """The arrays that are kept for the rules; none once they were freed."""
        return [self.values[i] for i, _ in self.versions] if self.values is not None else []

    def accumulate(self, g: Any) -> None:
        """Take in a gradient that has come to the end of its path."""

    def release(self) -> None:
        """Forget what was saved; a node that saved nothing can be walked again."""
        if self.versions or self.plan.keeps:
            self.values = None

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        nodes = self._sources()
        return tuple((nodes[i].shown() if i in nodes else None, 0) for i in self.plan.inputs)

    def _sources(self) -> dict[int, Node]:
        """By the position of each input that needs a gradient, the node its gradient goes to."""
        return {i: edge[0] for (i, _, _), edge in zip(self.plan.pulls, self.edges, strict=True)}

    def __repr__(self) -> str:
        return f"<{self.title} object at {id(self):#x}>"


@functools.cache
def _class_of(title: str) -> type[Node]:
    return type(title, (Node,), {"__slots__": ()})


def stale(title: str, array: np.ndarray, version: Version) -> RuntimeError:
    """The error for a saved array that was overwritten."""
    return RuntimeError(
        f"one of the variables needed for gradient computation has been modified by an inplace operation: {title} saved a "
        f"tensor of shape {list(array.shape)}, and {version.changed_by} then brought it to version {version.count}. "
        f"Hint: use the out-of-place form there (x = x + 1, not x += 1), or give {title} a clone()."
    )


_WITHOUT_FORMULA = {"AccumulateGrad", "CopySlices", "CopyBackwards"}
_NOTHING = Plan([], [], 0, ())


class AccumulateGrad(Node):
    """The end of a path: adds the gradient to the ``.grad`` of a leaf."""

    __slots__ = ("leaf",)

    ends = True

    def __init__(self, leaf: TensorBase) -> None:
        super().__init__("AccumulateGrad", _NOTHING, [], [], [])
        self.leaf = weakref.ref(leaf)  # weak, since the leaf holds this node: no cycle, nothing for the collector

    @property
    def variable(self) -> Any:
        return self.leaf()

    def accumulate(self, g: Any) -> None:
        leaf = self.leaf()
        if leaf is not None and leaf.needs_grad:  # which may have been taken back since
            accumulate(leaf, g)


def accumulate(tensor: TensorBase, g: Any) -> None:
    """Add ``g`` to ``tensor.grad``: into the same array, or, if ``g`` is itself recorded, as a new tensor."""
    if isinstance(g, TensorBase):
        tensor._grad = clone(g) if tensor._grad is None else tensor._grad + g
    elif tensor._grad is None:
        tensor._grad = tensor.wrap(g)
    else:
        tensor._grad.array += g
        tensor._grad.version.change("AccumulateGrad")


class Primitive(Signature):
    """A differentiable operation: a forward function on arrays, and per input a rule for the gradient.

    A rule's first parameter is ``g``, the gradient of the output. The names of the others say what it needs, and only that
    is saved: ``y`` is the output, the name of an input that input, ``x_shape`` the shape of input ``x``, and in an operation
    on any number of inputs (``*xs``) ``i`` is the position of the one whose gradient is asked for.
    """

    def __init__(self, forward: Callable[..., Any], name: str = "", view: bool = False, keeps: bool = False) -> None:
        super().__init__(forward, name, keeps)
        self.forward, self.view = forward, view
        self.rules: dict[int, tuple[Callable[..., Any], list[str]]] = {}

    def vjp(self, **rules: Callable[..., Any]) -> None:
        """Write down the rules: ``mul.vjp(x=lambda g, other: g * other, other=lambda g, x: g * x)``."""
        for name, rule in rules.items():
            self.rules[self.names.index(name)] = rule, list(inspect.signature(rule).parameters)[1:]

    def __call__(self, *args: Any, **options: Any) -> Any:
        if options or len(args) != self.arity:
            if "out" in options:
                out = options.pop("out")
                result = self(*args, **options)
                return result if out is None else out.receive(result, self.__name__)
            args, options = self.bind(args, options)
        for arg in args:
            if isinstance(arg, TensorBase):
                break
        else:
            try:
                return self.forward(*args, **options)
            except AttributeError as error:  # a list, for example
                raise self.refuse(args) or error from None
        tape = mode.tape
        if tape is not None:
            tape.enter(args)
        arrays, tracked = [], []
        for i, x in enumerate(args):
            if isinstance(x, TensorBase):
                if x.base is not None:
                    x.sync()
                if x.needs_grad:
                    tracked.append(i)
                x = x.array
            arrays.append(x)
        try:
            y = mode.quietly(self.forward, *arrays, **options)  # inf and nan are results, not warnings
        except ValueError as error:
            raise self.explain(error, arrays) from None
        result = arg.wrap(y if isinstance(y, np.ndarray) else np.asarray(y))
        if tracked and mode.enabled and self.rules and result.array.dtype.kind == "f":
            self.record(args, options, tracked, result)
        if self.view and result.array.base is not None:
            self._link(args, result)
        if tape is not None:
            tape.leave(self, args, result)
        return result

    def __get__(self, tensor: Any, owner: type) -> Any:
        return self if tensor is None else MethodType(self, tensor)  # so that a class can say exp = ops.exp

    def record(self, args: Sequence[Any], options: dict[str, Any], tracked: list[int], result: TensorBase) -> None:
        """Write the operation into the history of its result."""
        plan = self.plans.get(tuple(tracked)) or self.plan(tracked, len(args), self.rules)
        edges = []
        for i, rule, needs in plan.pulls:
            x = args[i]
            edges.append((x.node or x.gradient_node(), x.array.shape, x.array.dtype, rule, needs))
        if not edges:
            return
        values: list[Any] = []
        versions = []
        for place in plan.kept:
            if place <= plan.arity:
                x = args[place] if place < plan.arity else result
                if isinstance(x, TensorBase):
                    versions.append((len(values), x.version))
                    x = x.array
            elif place <= 2 * plan.arity:
                x = args[place - plan.arity - 1]
                x = x.array.shape if isinstance(x, TensorBase) else np.shape(x)
            else:
                x = [*options.values()][place - 2 * plan.arity - 1]
            values.append(x)
        result.node, result.needs_grad = Node(self.name, plan, edges, values, versions), True

    def _link(self, args: Sequence[Any], result: TensorBase) -> None:
        """Make the result a view: it shares the version of the memory, and follows in-place changes of its base."""
        x, memory = args[0], result.array.base
        if memory is x.array or memory is x.array.base or (mode.capture and np.may_share_memory(result.array, x.array)):
            result.version = x.version
            if mode.enabled:
                result.base, result.seen = x.base if x.base is not None else x, x.version.count
                result.path = (*x.path, (self, tuple(args[1:])))


def define(name: str = "", *, view: bool = False, keeps: bool = False) -> Callable[[Callable[..., Any]], Primitive]:
    """``@Primitive`` with options: the name that ``grad_fn`` shows, whether the result may share memory, ``Plan.keeps``."""
    return lambda forward: Primitive(forward, name, view, keeps)


@Primitive
def sum_to(x: Any, shape: tuple[int, ...]) -> Any:
    """Add up the axes along which ``shape`` was broadcast to the shape of ``x``."""
    lead = x.ndim - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, x.shape[lead:], strict=True)):
        raise RuntimeError(f"a gradient of shape {x.shape} cannot be reduced to the shape {shape} of its tensor")
    axes = (*range(lead), *(lead + i for i, n in enumerate(shape) if n == 1 != x.shape[lead + i]))
    return np.add.reduce(x, axis=axes, keepdims=True).reshape(shape)


@define(view=True)
def expand(x: Any, shape: tuple[int, ...]) -> Any:
    """Repeat ``x`` to ``shape`` without copying: the adjoint of ``sum_to``."""
    if x.ndim == 0:  # the usual end of a loss, where NumPy's own function takes five times as long
        kind = type(x) if isinstance(x, np.ndarray) else np.ndarray
        return kind(shape, x.dtype, x, 0, (0,) * len(shape))
    if x.shape == shape:
        return x[...]
    return np.broadcast_to(x, shape)


@define("ToCopyBackward0")
def cast(x: Any, dtype: np.dtype) -> Any:
    """``x`` in another element type."""
    return x.astype(dtype)


@Primitive
def clone(x: Any) -> Any:
    """A copy of ``x`` that lies in memory as ``x`` does."""
    return x.copy("C" if 0 in x.strides else "K")


clone.vjp(x=lambda g: g)
sum_to.vjp(x=lambda g, x_shape: expand(g, x_shape))
expand.vjp(x=lambda g: g)  # the engine sums it back, as after every broadcast
cast.vjp(x=lambda g: g)  # and converts it back


def fit(g: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """The gradient ``g`` brought to the shape and type of the tensor it belongs to."""
    array = g.array if isinstance(g, TensorBase) else g
    if array.shape != shape:
        g = sum_to(g, shape)
    return g if array.dtype == dtype else cast(g, dtype)


def replay(path: Sequence[tuple[Primitive, tuple[Any, ...]]], x: Any) -> Any:
    """Take the steps from a base to its view again, on another tensor or array."""
    for primitive, args in path:
        x = primitive(x, *args)
    return x
