"""Operations whose derivative rule a user writes: ``Function`` with ``forward`` and ``backward``.

The forward pass runs unrecorded; then one primitive joins its outputs to its inputs. Several outputs share one node: each
sends it the gradient of its part, and ``backward`` is called once with all of them.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from minigrad.engine import AccumulateGrad, Node, Primitive, TensorBase, fit, stale
from minigrad.grad_mode import mode, no_grad
from minigrad.tensor import Tensor


class FunctionCtx:
    """What ``forward`` leaves for ``backward``: saved tensors, and attributes of any kind."""

    needs_input_grad: tuple[bool, ...] = ()

    def __init__(self) -> None:
        self._to_save: tuple[Any, ...] = ()
        self._saved: list[Any] | None = None
        self._not_differentiable: tuple[Tensor, ...] = ()
        self._dirty: tuple[Tensor, ...] = ()
        self._materialize = True
        self._node: Any = None
        self._recorded = False

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep inputs or outputs (or None) for ``backward``; each is checked for in-place changes there."""
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, TensorBase):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument is of type {type(tensor).__name__}: set other "
                    f"values as attributes, ctx.{type(tensor).__name__}_value = ..."
                )
        self._to_save = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        if self._saved is None:
            if self._recorded:
                raise RuntimeError(
                    "Trying to backward through the graph a second time: the saved tensors were freed by the first backward "
                    "pass. Specify retain_graph=True in that first call."
                )
            return self._to_save
        return tuple(s.open(self._node()) if isinstance(s, _Saved) else s for s in self._saved)

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Outputs through which no gradient flows."""
        self._not_differentiable = tensors

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Inputs that ``forward`` changed in place, and returns: they get the history of the Function."""
        self._dirty = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether ``backward`` gets zeros (True) or None for outputs that received no gradient."""
        self._materialize = value


class _Saved:
    """A tensor kept for ``backward``: its memory, and the node that made it (None: the node of this Function)."""

    def __init__(self, tensor: Tensor, node: Node | None) -> None:
        self.array, self.version, self.node, self.constant = (
            tensor.array,
            tensor.version,
            node,
            not tensor.requires_grad,
        )

    def open(self, owner: Node) -> Tensor:
        if self.version.last > owner.order:
            raise stale(owner.title, self.array, self.version)
        if isinstance(self.node, AccumulateGrad) and self.node.variable is not None:
            return self.node.variable
        tensor = Tensor.wrap(self.array)
        tensor.version = self.version
        if not self.constant:
            tensor.node, tensor.needs_grad = self.node or owner, True
        return tensor


class Parts:
    """The gradients of some outputs of a Function on their way to its node; adding merges them."""

    shape: tuple[int, ...] = ()
    dtype = np.dtype(np.float32)
    base = None

    def __init__(self, parts: dict[int, Any]) -> None:
        self.parts = parts

    def __add__(self, other: Parts) -> Parts:
        merged = dict(self.parts)
        for i, g in other.parts.items():
            merged[i] = merged[i] + g if i in merged else g
        return Parts(merged)

    def copy(self) -> Parts:
        return self


class FunctionNode(Node):
    """The node of a Function: all its gradients come from one call of ``backward``."""

    __slots__ = ("ctx", "function", "metas", "tensors")

    ctx: FunctionCtx
    function: type[Function]
    metas: list[tuple[tuple[int, ...], np.dtype] | None]
    tensors: tuple[bool, ...]  # which arguments of forward are tensors

    fresh = False  # backward may return what it was given, or one array twice

    def pull(self, g: Any, as_tensor: bool, wanted: set[Node] | None) -> list[tuple[Node, Any]]:
        ctx, metas = self.ctx, self.metas
        parts = g.parts if isinstance(g, Parts) else {0: g}
        given = []
        for i, meta in enumerate(metas):
            part = parts.get(i)
            if part is None and meta is not None and ctx._materialize:
                part = np.zeros(*meta)
            given.append(Tensor.wrap(part) if isinstance(part, np.ndarray) else part)
        result = self.function.backward(ctx, *given)
        results = result if isinstance(result, tuple) else (result,)
        name, count = self.function.__name__, len(self.tensors)
        if len(results) < count or any(r is not None for r in results[count:]):
            raise RuntimeError(
                f"function {name}Backward returned an incorrect number of gradients (expected {count}, got {len(results)}): "
                f"backward returns one for each argument of forward, None for those that are no tensors"
            )
        pulled = []
        for (source, shape, dtype, *_), (position, *_) in zip(self.edges, self.plan.pulls, strict=True):
            found = results[position]
            if found is None or (wanted is not None and source not in wanted):
                continue
            if not isinstance(found, TensorBase):
                raise TypeError(
                    f"{name}.backward must return tensors or None, got {type(found).__name__} for argument {position}"
                )
            try:
                fitted = fit(found, shape, dtype)
            except RuntimeError:
                raise RuntimeError(
                    f"Function {name}Backward returned an invalid gradient at index {position} - got {list(found.array.shape)} "
                    f"but expected shape compatible with {list(shape)}"
                ) from None
            pulled.append((source, fitted if as_tensor else fitted.array))
        return pulled

    def saved(self) -> list[np.ndarray]:
        return [s.array for s in self.ctx._saved or () if isinstance(s, _Saved)]

    def release(self) -> None:
        self.ctx._saved = None

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        return tuple(pair for pair, is_tensor in zip(super().next_functions, self.tensors, strict=True) if is_tensor)

    def __repr__(self) -> str:
        return f"<torch.autograd.function.{self.title} object at {id(self):#x}>"


class _Custom(Primitive):
    """The primitive that joins the outputs of a Function to its inputs."""

    def record(self, args: Any, options: Any, tracked: list[int], result: TensorBase) -> None:
        super().record(args, options, tracked, result)
        plain = result.node
        assert plain is not None
        ctx, function = options["ctx"], options["function"]
        node = function.node_of(f"{function.__name__}Backward", plain.plan, plain.edges, None, [])
        node.ctx, node.function, node.metas, node.tensors = ctx, function, options["metas"], options["tensors"]
        result.node = node
        ctx._node = weakref.ref(node)  # the node holds ctx: no cycle


@_Custom
def _custom(*xs: Any, output: np.ndarray, ctx: Any, function: Any, metas: Any, tensors: tuple[bool, ...]) -> Any:
    return output


_custom.vjp(xs=lambda g: g)  # never called: FunctionNode asks backward


class OutputNode(Node):
    """One of several outputs: it hands its part to the node they share, and shows itself as that."""

    __slots__ = ()

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        return self.edges[0][0].next_functions


class _Output(Primitive):
    """The primitive that takes one output out of the node of a Function."""

    def record(self, args: Any, options: Any, tracked: list[int], result: TensorBase) -> None:
        super().record(args, options, tracked, result)
        plain = result.node
        assert plain is not None
        result.node = OutputNode(plain.edges[0][0].title, plain.plan, plain.edges, plain.values, plain.versions)


@_Output
def _output(hub: Any, value: np.ndarray, i: int) -> Any:
    return value


_output.vjp(hub=lambda g, i: Parts({i: g}))


class Function:
    """An operation with a derivative rule of your own.

    Subclass it with static methods ``forward(ctx, *args)`` and ``backward(ctx, *grad_outputs)``, then call ``apply``. With a
    separate ``setup_context(ctx, inputs, output)``, ``forward`` takes no ``ctx``.
    Source: https://docs.pytorch.org/docs/stable/autograd.html#torch.autograd.Function
    """

    node_of: type[FunctionNode] = FunctionNode  # each Function has a class of its own, whose name type(y.grad_fn) tells

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.node_of = type(f"{cls.__name__}Backward", (FunctionNode,), {"__slots__": ()})

    def __init__(self) -> None:
        raise RuntimeError(f"{type(self).__name__} should not be instantiated. Call {type(self).__name__}.apply(...)")

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function."
        )

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run ``forward`` and, if an input needs a gradient, record that ``backward`` is its rule."""
        ctx = FunctionCtx()
        ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        with no_grad():
            if "setup_context" in cls.__dict__ or any("setup_context" in base.__dict__ for base in cls.__mro__):
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)  # type: ignore[attr-defined]  # only subclasses have it
            else:
                result = cls.forward(ctx, *args)
        outputs = result if isinstance(result, tuple) else (result,)
        for output in outputs:
            if not isinstance(output, (Tensor, type(None), int, float, str)):
                raise TypeError(f"{cls.__name__}.forward must return tensors, got {type(output).__name__}")
        if not (mode.enabled and any(ctx.needs_input_grad)):
            return result
        wrapped = cls._connect(ctx, args, outputs)
        return wrapped if isinstance(result, tuple) else wrapped[0]

    @classmethod
    def _connect(cls, ctx: FunctionCtx, args: tuple[Any, ...], outputs: tuple[Any, ...]) -> tuple[Any, ...]:
        flows = [
            isinstance(o, Tensor) and o.is_floating_point() and not any(o is n for n in ctx._not_differentiable)
            for o in outputs
        ]
        metas = [(o.array.shape, o.array.dtype) if isinstance(o, Tensor) else None for o in outputs]
        options = {"ctx": ctx, "function": cls, "metas": metas, "tensors": tuple(isinstance(a, Tensor) for a in args)}
        if flows == [True]:
            wrapped: tuple[Any, ...] = (_custom(*args, output=outputs[0].array, **options),)
        else:
            hub = _custom(*args, output=np.zeros((), Parts.dtype), **options)
            wrapped = tuple(
                _output(hub, o.array, i) if f else o for i, (o, f) in enumerate(zip(outputs, flows, strict=True))
            )
        wrapped = tuple(cls._adopt(o, w, args, ctx) for o, w in zip(outputs, wrapped, strict=True))
        replaced = {id(o): w for o, w in zip(outputs, wrapped, strict=True) if o is not w}
        ctx._saved = [cls._save(t, replaced, ctx._dirty) for t in ctx._to_save]
        ctx._to_save, ctx._recorded = (), True
        return wrapped

    @classmethod
    def _adopt(cls, output: Any, wrapped: Any, args: tuple[Any, ...], ctx: FunctionCtx) -> Any:
        """The tensor the caller gets: it shares the memory's version, and is the input itself if that was marked dirty."""
        if output is wrapped:
            return output
        wrapped.version = output.version
        if not any(output is d for d in ctx._dirty):
            return wrapped
        if output.base is not None:
            raise NotImplementedError(
                f"{cls.__name__}: mark_dirty of a view; give the Function the whole tensor, or a clone()"
            )
        if output.requires_grad and output.is_leaf:
            raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
        output.node, output.needs_grad = wrapped.node, True
        return output

    @staticmethod
    def _save(tensor: Any, outputs: dict[int, Any], dirty: tuple[Tensor, ...]) -> Any:
        if tensor is None:
            return None
        if id(tensor) in outputs:  # an output: it belongs to the node that saves it
            found = outputs[id(tensor)]
            return _Saved(found, None if isinstance(found.node, FunctionNode) else found.node)
        if isinstance(tensor.node, FunctionNode) and any(tensor is d for d in dirty):
            return _Saved(tensor, None)
        return _Saved(tensor, tensor.gradient_node() if tensor.requires_grad else None)


def once_differentiable(function: Any) -> Any:
    """Mark a ``backward`` whose result cannot be differentiated again: it runs unrecorded."""
    return no_grad()(function)
