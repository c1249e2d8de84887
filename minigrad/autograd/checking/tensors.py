"""Functions of tensors, Functions, modules and plain NumPy functions as problems: their rule is the backward pass."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd.checking.problem import Arrays, Problem, RuleError, other_sizes, place_of
from minigrad.autograd.function import Function, FunctionCtx
from minigrad.backward import grad
from minigrad.engine import TensorBase
from minigrad.grad_mode import enable_grad, no_grad
from minigrad.tensor import Tensor


class Returned(NamedTuple):
    """What a Function's backward returned for an argument, before the engine brought it into shape."""

    function: str
    argument: int
    shape: tuple[int, ...]
    needed: tuple[int, ...]
    dtype: np.dtype
    needed_dtype: np.dtype


class TensorProblem(Problem):
    """``func`` of ``inputs``; of a module also its parameters. Arrays as inputs make it a function of arrays."""

    def __init__(self, func: Callable[..., Any], inputs: Any) -> None:
        self.func = func
        self.source, self.by_hand, self.hidden = _source(func)
        self.given = [inputs] if isinstance(inputs, (TensorBase, np.ndarray)) else list(inputs)
        tracked = [isinstance(x, TensorBase) and x.needs_grad for x in self.given]
        self.arrays = not any(tracked) and any(isinstance(x, np.ndarray) and x.dtype.kind == "f" for x in self.given)
        if self.arrays:
            tracked = [isinstance(x, np.ndarray) and x.dtype.kind == "f" for x in self.given]
        self.where = [i for i, t in enumerate(tracked) if t]
        named = getattr(func, "named_parameters", None)
        self.parameters = [] if named is None else [(n, p) for n, p in named() if p.needs_grad]
        self.buffers = [] if named is None else [b for _, b in getattr(func, "named_buffers", tuple)()]
        if not self.where and not self.parameters:
            raise ValueError(
                "gradcheck expects at least one input tensor to require gradient, but none of the them have "
                "requires_grad=True: "
                "make one with mg.tensor(..., dtype=mg.float64, requires_grad=True)"
            )
        own = getattr(func, "input_names", None)
        self.names = [own[i] if own else f"input {i}" for i in self.where]
        self.names += [f"parameter {n!r}" for n, _ in self.parameters]
        self.words = _words(self.source, self.hidden, len(self.given))
        self.dtypes = [np.dtype(np.float64)] * len(self.names)
        values = [_array(self.given[i]) for i in self.where] + [p.array for _, p in self.parameters]
        self.xs = [np.array(x, np.float64) for x in values]
        self.live: list[bool] | None = None
        if any(x.dtype != np.float64 for x in values) and not self._takes_doubles():
            self.dtypes = [x.dtype for x in values]
        self.history = self._history()

    def _takes_doubles(self) -> bool:
        try:
            with no_grad(), self.placed(self.xs) as (given, _):
                self.outputs(given)
        except (RuntimeError, TypeError, ValueError):
            return False
        return True

    def _history(self) -> bool:
        """Whether any output depends on a tracked input; then only such outputs are looked at, as in PyTorch."""
        with enable_grad(), self.placed(self.xs) as (given, _):
            flows = [o.needs_grad for o in self._floats(self.outputs(given))]
        self.live = flows if any(flows) else None
        return any(flows)

    @staticmethod
    def _floats(outputs: Sequence[Any]) -> list[Any]:
        return [o for o in outputs if isinstance(o, TensorBase) and o.array.dtype.kind == "f"]

    @contextlib.contextmanager
    def placed(self, xs: Arrays) -> Iterator[tuple[list[Any], list[Any]]]:
        """While ``xs`` are in place: the arguments of ``func``, and the leaves that hold ``xs``."""
        leaves = [Tensor.wrap(np.array(x, d)).requires_grad_() for x, d in zip(xs, self.dtypes, strict=True)]
        given = list(self.given)
        for i, leaf in zip(self.where, leaves, strict=False):
            given[i] = leaf
        inner = [p for _, p in self.parameters]
        former = [(t, t.array) for t in inner + self.buffers]
        for buffer in self.buffers:
            buffer.array = buffer.array.copy()
        for p, leaf in zip(inner, leaves[len(self.where) :], strict=True):
            p.array = leaf.array
        try:
            yield given, leaves[: len(self.where)] + inner
        finally:
            for tensor, array in former:
                tensor.array = array

    def outputs(self, given: list[Any]) -> tuple[Any, ...]:
        result = self.func(*given)
        return tuple(result) if isinstance(result, (tuple, list)) else (result,)

    def forward(self, xs: Arrays) -> Arrays:
        if self.arrays:
            given = list(self.given)
            for i, x in zip(self.where, xs, strict=True):
                given[i] = x.copy()
            with np.errstate(all="ignore"):
                result = self.func(*given)
            self._left = [_array(given[i]) for i in self.where]
            found = [np.asarray(y) for y in (result if isinstance(result, (tuple, list)) else (result,))]
            found = [y for y in found if y.dtype.kind == "f"]
        else:
            with no_grad(), self.placed(xs) as (given, leaves):
                found = [o.array for o in self._floats(self.outputs(given))]
                self._left = [leaf.array for leaf in leaves]
        return found if self.live is None else [y for y, live in zip(found, self.live, strict=False) if live]

    def left(self, xs: Arrays) -> Arrays:
        return self._left

    def output_name(self, k: int) -> str:
        if self.live is not None:
            k = [i for i, flows in enumerate(self.live) if flows][k]
        own = getattr(self.func, "output_names", None)
        return own[k] if own else f"output {k}"

    def context(self, xs: Arrays) -> dict[str, Any]:
        """By the names in ``func``'s own text, where it can be read; numbers among the arguments, too."""
        if self.words is None:
            return dict(zip(self.names, xs, strict=True))
        numbers = {w: v for w, v in zip(self.words, self.given, strict=True) if isinstance(v, (int, float))}
        return {self.words[i]: x for i, x in zip(self.where, xs, strict=False)} | numbers

    def call(self, function: Callable[..., Any], xs: Arrays) -> np.ndarray:
        with no_grad(), self.placed(xs) as (given, _):
            result = function(*([FunctionCtx()] if self.hidden else []), *given)
        found = self._floats(result if isinstance(result, (tuple, list)) else (result,))
        live = self.live or [True] * len(found)
        return np.concatenate([np.ravel(o.array) for o, flows in zip(found, live, strict=True) if flows]).astype(
            np.float64
        )

    def raw(self, xs: Arrays) -> list[Any] | None:
        if not self.arrays:
            return None
        given = list(self.given)
        for i, x in zip(self.where, xs, strict=True):
            given[i] = x
        result = self.func(*given)
        return list(result) if isinstance(result, (tuple, list)) else [result]

    def resized(self, rng: np.random.Generator) -> Problem | None:
        where = [i for i, x in enumerate(self.given) if isinstance(x, (TensorBase, np.ndarray)) and _array(x).ndim]
        found = None if self.parameters or self.buffers else other_sizes([_array(self.given[i]) for i in where], rng)
        if found is None:
            return None
        given = list(self.given)
        for i, x in zip(where, found, strict=True):
            given[i] = x if self.arrays else Tensor.wrap(x).requires_grad_(i in self.where)
        return TensorProblem(self.func, given)

    def run(self, given: list[Any]) -> list[Any]:
        """The outputs that have a history."""
        with enable_grad():
            return [o for o in self._floats(self.outputs(given)) if o.needs_grad]

    def pull(self, xs: Arrays, rows: Sequence[Arrays]) -> list[list[Any]]:
        with self.placed(xs) as (given, leaves):
            outputs = self.run(given)
            found = [self._one(outputs, leaves, row) for row in rows]
            self._left = [leaf.array for leaf in leaves]
            return found

    def _one(self, outputs: list[Any], leaves: list[Any], row: Arrays) -> list[Any]:
        if not outputs:  # no history at all
            return [None] * len(leaves)
        gs = [Tensor.wrap(np.asarray(g, o.array.dtype)) for g, o in zip(row, outputs, strict=True)]
        try:
            found = grad(outputs, leaves, gs, retain_graph=True, allow_unused=True)
        except Exception as error:
            raise RuleError(error, place_of(error, _backward_of(outputs) or self.func)) from error
        return [None if g is None else np.asarray(getattr(g, "array", g)) for g in found]

    def returned(self, xs: Arrays, row: Arrays) -> list[Returned]:
        """What each Function on the way returned, before the engine summed what was broadcast."""
        seen: list[Returned] = []
        with self.placed(xs) as (given, leaves):
            outputs = self.run(given)
            for node in _nodes(outputs):
                function = getattr(node, "function", None)
                if isinstance(function, type):
                    node.function = _spy(function, node, seen)
            with contextlib.suppress(RuleError):  # what was returned until then tells the shapes
                self._one(outputs, leaves, row)
        return seen


def _spy(function: Any, node: Any, seen: list[Returned]) -> Any:
    """The Function with a ``backward`` that writes down what it returns."""
    needed = {
        position: (shape, dtype)
        for (_, shape, dtype, *_), (position, *_) in zip(node.edges, node.plan.pulls, strict=True)
    }

    def backward(ctx: Any, *gs: Any) -> Any:
        result = function.backward(ctx, *gs)
        for i, x_bar in enumerate(result if isinstance(result, tuple) else (result,)):
            if isinstance(x_bar, TensorBase) and i in needed:
                seen.append(
                    Returned(function.__name__, i, x_bar.array.shape, needed[i][0], x_bar.array.dtype, needed[i][1])
                )
        return result

    return type(function.__name__, (function,), {"backward": staticmethod(backward)})


def _nodes(outputs: Sequence[Any]) -> Iterator[Any]:
    """All nodes below; by their edges, since ``next_functions`` passes over the node that several outputs share."""
    stack, seen = [o.node for o in outputs if o.node is not None], set()
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            stack.extend(edge[0] for edge in node.edges)


def _backward_of(outputs: Sequence[Any]) -> Any:
    """The ``backward`` of the first Function on the way, whose file is the learner's."""
    return next(
        (node.function.backward for node in _nodes(outputs) if isinstance(getattr(node, "function", None), type)), None
    )


def _source(func: Any) -> tuple[Callable[..., Any] | None, bool, str | None]:
    """The function whose text says what is computed, whether there is a rule by hand for it, and what it calls its ``ctx``."""
    owner = getattr(func, "__self__", None)
    if not (isinstance(owner, type) and issubclass(owner, Function)):
        return (func if inspect.isfunction(func) else None), False, None
    first = next(iter(inspect.signature(owner.forward).parameters), None)
    return owner.forward, True, None if hasattr(owner, "setup_context") else first


def _words(source: Any, hidden: str | None, count: int) -> list[str] | None:
    """The names of the arguments in the text of ``source``."""
    if source is None:
        return None
    found = [
        p.name
        for p in inspect.signature(source).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    found = [name for name in found if name != hidden]
    return found[:count] if len(found) >= count else None


def _array(x: Any) -> np.ndarray:
    return x.array if isinstance(x, TensorBase) else x
