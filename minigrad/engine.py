"""The engine: how operations are recorded and how gradients flow back. Read this file first.

A tensor is an array with a history. Every operation is a ``Primitive``; calling one runs NumPy on the arrays and, if an
input needs a gradient, records a ``Node``. A node holds one ``Edge`` per such input: where the gradient goes next, by
which rule, with which saved values. ``walk`` then visits the nodes from the newest to the oldest and applies the rules:
on arrays this is backward, on tensors the same rules are recorded in turn and can be differentiated again.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import weakref
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from types import MethodType
from typing import Any

import numpy as np

from minigrad.grad_mode import enable_grad, mode, set_grad_enabled

_orders = itertools.count()


class Version:
    """Counts the in-place changes of one piece of memory; a tensor and its views share it."""

    count = 0
    changed_by = ""


class TensorBase:
    """What autograd needs to know of a tensor."""

    array: np.ndarray
    version: Version
    needs_grad = False
    grad: Any = None
    node: Node | None = None  # the operation that made it; None for a leaf
    accumulator: AccumulateGrad | None = None  # where a leaf's gradient arrives
    base: TensorBase | None = None  # for a view: the tensor that owns the memory,
    path: tuple[tuple[Primitive, tuple[Any, ...]], ...] = ()  # the steps that lead from there to here,
    seen = 0  # and the version of the memory that ``node`` tells the history of

    @staticmethod
    def wrap(array: np.ndarray) -> Any:
        """A new tensor of ``array``, without history."""
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


class Saved:
    """An array that a rule will need, the version it had then, and the node that made it (None: the saving node)."""

    __slots__ = ("array", "constant", "count", "node", "version", "wrap")

    def __init__(self, tensor: TensorBase, node: Node | None, constant: bool = False) -> None:
        self.array, self.version, self.count = tensor.array, tensor.version, tensor.version.count
        self.node, self.constant, self.wrap = node, constant, tensor.wrap

    def open(self, owner: Any, as_tensor: bool) -> Any:
        if self.version.count != self.count:
            raise RuntimeError(
                f"one of the variables needed for gradient computation has been modified by an inplace operation: "
                f"{owner.title} saved a tensor of shape {list(self.array.shape)} at version {self.count}, and "
                f"{self.version.changed_by} brought it to version {self.version.count}. "
                f"Hint: use the out-of-place form there (x = x + 1, not x += 1), or give {owner.title} a clone()."
            )
        if not as_tensor:
            return self.array
        node = self.node or owner
        if isinstance(node, AccumulateGrad):
            return node.leaf()
        tensor = self.wrap(self.array)
        tensor.version = self.version
        if not self.constant:
            tensor.node, tensor.needs_grad = node, True
        return tensor


class SavedList(Saved):
    """All inputs of an operation on any number of them."""

    __slots__ = ("items",)

    def __init__(self, xs: Sequence[Any]) -> None:
        self.items = [_save(x) for x in xs]

    def open(self, owner: Any, as_tensor: bool) -> Any:
        return [item.open(owner, as_tensor) if isinstance(item, Saved) else item for item in self.items]


class Edge:
    """One input of a recorded operation: the node its gradient goes to, the rule, and what the rule needs."""

    __slots__ = ("dtype", "index", "node", "rule", "shape", "values")

    def __init__(
        self, index: int, node: Node, rule: Callable[..., Any], values: list[Any] | None, x: np.ndarray
    ) -> None:
        self.index, self.node, self.rule, self.values = index, node, rule, values
        self.shape, self.dtype = x.shape, x.dtype

    def pull(self, g: Any, owner: Node, as_tensor: bool) -> Any:
        """The gradient that this input receives: the rule, then broadcasting and the type conversion undone."""
        if self.values is None:
            raise RuntimeError(
                f"Trying to backward through the graph a second time: the values that {owner.title} saved were freed by "
                f"the first backward pass. Specify retain_graph=True in that first call, or compute the forward pass anew."
            )
        x_bar = self.rule(g, *[v.open(owner, as_tensor) if isinstance(v, Saved) else v for v in self.values])
        if isinstance(x_bar, np.generic):
            x_bar = np.asarray(x_bar)  # NumPy gives a scalar where a 0-d array is meant
        elif as_tensor:
            return fit(x_bar, self.shape, self.dtype)
        if x_bar.shape == self.shape and x_bar.dtype is self.dtype:
            return x_bar
        return fit(x_bar, self.shape, self.dtype)


def _save(x: Any) -> Any:
    return Saved(x, x.gradient_node() if x.needs_grad else None, not x.needs_grad) if isinstance(x, TensorBase) else x


def _shape(x: Any) -> tuple[int, ...]:
    return x.array.shape if isinstance(x, TensorBase) else np.shape(x)


class Node:
    """A recorded operation. ``order`` grows with time, so every edge leads to a node of smaller order."""

    __slots__ = ("__weakref__", "edges", "hooks", "order", "title", "width")

    fresh = True  # the rules make new arrays, unless they return g itself or a view
    ends = False  # a path goes on from here

    def __init__(self, title: str, edges: Sequence[Edge], width: int) -> None:
        self.title = title
        self.edges = edges
        self.width = width  # how many inputs could have a gradient
        self.hooks: dict[int, Callable[[Any], Any]] | None = None
        self.order = next(_orders)

    def name(self) -> str:
        return self.title

    def pull(self, g: Any, as_tensor: bool, wanted: set[Node] | None) -> Iterator[tuple[Node, Any]]:
        """For each input, the node its gradient goes to and that gradient."""
        for edge in self.edges:
            if wanted is None or edge.node in wanted:
                yield edge.node, edge.pull(g, self, as_tensor)

    def accumulate(self, g: Any) -> None:
        """Take in a gradient that has come to the end of its path."""

    def release(self) -> None:
        """Forget what was saved; a node that saved nothing can be walked again."""
        for edge in self.edges:
            for value in edge.values or ():
                if isinstance(value, Saved):
                    edge.values = None
                    break

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        nodes: dict[int, Node] = {edge.index: edge.node for edge in self.edges}
        return tuple((nodes.get(i), 0) for i in range(self.width))

    def __repr__(self) -> str:
        return f"<{self.title} object at {id(self):#x}>"


class AccumulateGrad(Node):
    """The end of a path: adds the gradient to the ``.grad`` of a leaf."""

    __slots__ = ("leaf",)

    ends = True

    def __init__(self, leaf: TensorBase) -> None:
        super().__init__("AccumulateGrad", (), 0)
        self.leaf = weakref.ref(leaf)  # weak, since the leaf holds this node: no cycle, nothing for the collector

    @property
    def variable(self) -> Any:
        return self.leaf()

    def accumulate(self, g: Any) -> None:
        leaf = self.leaf()
        if leaf is not None:
            accumulate(leaf, g)


def accumulate(tensor: TensorBase, g: Any) -> None:
    """Add ``g`` to ``tensor.grad``: into the same array, or, if ``g`` is itself recorded, as a new tensor."""
    if isinstance(g, TensorBase):
        tensor.grad = clone(g) if tensor.grad is None else tensor.grad + g
    elif tensor.grad is None:
        tensor.grad = tensor.wrap(g)
    elif tensor.grad.needs_grad:
        tensor.grad = tensor.wrap(tensor.grad.array + g)
    else:
        tensor.grad.array += g
        tensor.grad.version.count += 1


class Primitive:
    """A differentiable operation: a forward function on arrays, and per input a rule for the gradient.

    A rule's first parameter is ``g``, the gradient of the output. The names of the others say what it needs, and only that
    is saved: ``y`` is the output, the name of an input that input, ``x_shape`` the shape of input ``x``, and in an operation
    on any number of inputs (``*xs``) ``i`` is the position of the one whose gradient is asked for.
    """

    def __init__(self, forward: Callable[..., Any] | None = None, *, name: str = "", view: bool = False) -> None:
        self.name, self.view = name, view
        self.rules: dict[int, tuple[Callable[..., Any], list[Any]]] = {}
        if forward is not None:
            self._define(forward)

    def _define(self, forward: Callable[..., Any]) -> None:
        self.forward = forward
        # inf and nan are results, not warnings, as in PyTorch; what only moves elements about cannot make any
        self.quiet = forward if self.view else np.errstate(all="ignore")(forward)
        functools.update_wrapper(self, forward, assigned=("__doc__", "__module__", "__qualname__"), updated=())
        self.__name__ = forward.__name__.strip("_")
        self.name = self.name or self.__name__.title().replace("_", "") + "Backward0"
        parameters = list(inspect.signature(forward).parameters.values())
        self.names = [p.name for p in parameters]
        self.defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
        self.variadic = parameters[0].kind is inspect.Parameter.VAR_POSITIONAL
        self.arity = -1 if self.variadic else len(self.names)

    def vjp(self, **rules: Callable[..., Any]) -> None:
        """Write down the rules: ``mul.vjp(x=lambda g, other: g * other, other=lambda g, x: g * x)``."""
        for name, rule in rules.items():
            needs = list(inspect.signature(rule).parameters)[1:]
            self.rules[self.names.index(name)] = rule, [self._getter(need) for need in needs]

    def _getter(self, name: str) -> Callable[..., Any]:
        """How to take what a rule means by ``name`` from a call: its arguments, options, position of the input, result."""
        if name == "y":
            return lambda args, options, i, result: Saved(result, None)
        if self.variadic:
            if name == "i":
                return lambda args, options, i, result: i
            if name == self.names[0]:
                return lambda args, options, i, result: SavedList(args)
            if name == self.names[0] + "_shapes":
                return lambda args, options, i, result: [_shape(x) for x in args]
            return lambda args, options, i, result: options.get(name, self.defaults.get(name))
        if name in self.names:
            at = self.names.index(name)
            return lambda args, options, i, result: _save(args[at])
        at = self.names.index(name.removesuffix("_shape"))
        return lambda args, options, i, result: _shape(args[at])

    def __call__(self, *args: Any, **options: Any) -> Any:
        if not self.variadic and (options or len(args) != self.arity):
            args, options = self._bind(args, options), {}
        if mode.tape is not None:
            mode.tape.enter(args)
        tensor, arrays, tracked = None, [], []
        for i, arg in enumerate(args):
            if isinstance(arg, TensorBase):
                tensor = arg
                if arg.base is not None:
                    arg.sync()
                if arg.needs_grad:
                    tracked.append(i)
                arg = arg.array
            arrays.append(arg)
        if tensor is None:
            return self.forward(*arrays, **options)
        try:
            y = self.quiet(*arrays, **options)
        except ValueError as error:
            raise self._explain(error, arrays) from None
        result = tensor.wrap(y if isinstance(y, np.ndarray) else np.asarray(y))
        if tracked and mode.enabled and self.rules and result.array.dtype.kind == "f":
            self._record(tracked, args, options, result)
        if self.view and result.array.base is not None:
            self._link(args, result)
        return result

    def __get__(self, tensor: Any, owner: type) -> Any:
        return self if tensor is None else MethodType(self, tensor)  # so that a class can say exp = ops.exp

    def _record(self, tracked: list[int], args: Sequence[Any], options: dict[str, Any], result: TensorBase) -> None:
        edges = []
        for i in tracked:
            found = self.rules.get(0 if self.variadic else i)
            if found is not None:
                x = args[i]
                values = [getter(args, options, i, result) for getter in found[1]]
                edges.append(Edge(i, x.gradient_node(), found[0], values, x.array))
        if edges:
            result.node = Node(self.name, edges, len(args) if self.variadic else len(self.rules))
            result.needs_grad = True

    def _bind(self, args: Sequence[Any], options: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments in order, with defaults filled in."""
        values = {**self.defaults, **dict(zip(self.names, args, strict=False)), **options}
        if len(args) > len(self.names) or len(values) != len(self.names):
            unknown = ", ".join(n for n in values if n not in self.names) or f"{len(args)} positional arguments"
            raise TypeError(f"{self.__name__}({', '.join(self.names)}): cannot use or lacks arguments; got {unknown}")
        return tuple(values[name] for name in self.names)

    def _link(self, args: Sequence[Any], result: TensorBase) -> None:
        """Make the result a view: it shares the version of the memory, and follows in-place changes of its base."""
        x, memory = args[0], result.array.base
        if memory is x.array or memory is x.array.base:
            result.version = x.version
            if mode.enabled:
                result.base, result.seen = x.base if x.base is not None else x, x.version.count
                result.path = (*x.path, (self, tuple(args[1:])))

    def _explain(self, error: ValueError, arrays: Sequence[Any]) -> Exception:
        shapes = [tuple(a.shape) for a in arrays if isinstance(a, np.ndarray)]
        text = f"{self.__name__}: {error} (given tensors of shape {', '.join(map(str, shapes))})"
        return IndexError(text) if isinstance(error, IndexError) else RuntimeError(text)


def define(name: str = "", *, view: bool = False) -> Callable[[Callable[..., Any]], Primitive]:
    """``@Primitive`` with options: the name that ``grad_fn`` shows, and whether the result may share memory."""
    return lambda forward: Primitive(forward, name=name, view=view)


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
        return np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
    return np.broadcast_to(x, shape)


@define("ToCopyBackward0")
def cast(x: Any, dtype: np.dtype) -> Any:
    """``x`` in another element type."""
    return x.astype(dtype)


@Primitive
def clone(x: Any) -> Any:
    """A copy of ``x``."""
    return x.copy()


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


@np.errstate(all="ignore")
def walk(
    roots: Sequence[tuple[Node, Any]],
    *,
    retain_graph: bool = False,
    create_graph: bool = False,
    targets: set[Node] | None = None,
) -> dict[Node, Any]:
    """Send gradients from the roots back through the graph, each node once, newest first.

    When a node is the newest of those waiting, all that could send it a gradient has been visited, since edges lead to
    older nodes only: its gradient is complete. With ``targets`` only the paths to these nodes are walked, and their
    gradients are returned instead of being added to the leaves.
    """
    wanted = None if targets is None else _leading_to(targets, [node for node, _ in roots])
    captured: dict[Node, Any] = {}
    waiting: dict[int, tuple[Node, Any, bool]] = {}  # order -> node, gradient so far, whether its array is ours alone
    queue: list[int] = []

    def send(node: Node, g: Any, owned: bool) -> None:
        if node.order in waiting:
            _, former, ours = waiting[node.order]
            if ours and not create_graph:
                former += g
                waiting[node.order] = node, former, True
            else:
                total = former + g
                waiting[node.order] = node, np.asarray(total) if isinstance(total, np.generic) else total, True
        else:
            waiting[node.order] = node, g, owned
            heappush(queue, -node.order)

    for node, g in roots:
        send(node, g, False)
    with set_grad_enabled(create_graph):
        while queue:
            node, g, owned = waiting.pop(-heappop(queue))
            if node.hooks:
                for hook in tuple(node.hooks.values()):
                    g, owned = hook(g), False
            if node.ends or (targets is not None and node in targets):
                if not (owned or create_graph):
                    g = g.copy()
                if targets is not None:
                    captured[node] = g
                elif node.ends:
                    node.accumulate(g)
            if node.edges:
                fresh = node.fresh
                for source, x_bar in node.pull(g, create_graph, wanted):
                    send(source, x_bar, create_graph or (fresh and x_bar is not g and x_bar.base is None))
                if not retain_graph:
                    node.release()
    return captured


def _leading_to(targets: set[Node], roots: Sequence[Node]) -> set[Node]:
    """The nodes on a path from a root to a target."""
    reached, stack = set(roots), list(roots)
    while stack:
        for edge in stack.pop().edges:
            if edge.node not in reached:
                reached.add(edge.node)
                stack.append(edge.node)
    wanted: set[Node] = set()
    for node in sorted(reached, key=lambda node: node.order):
        if node in targets or any(edge.node in wanted for edge in node.edges):
            wanted.add(node)
    return wanted
