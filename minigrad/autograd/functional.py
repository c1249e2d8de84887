"""Products with Jacobians and Hessians, and the matrices themselves, of functions of tensors.

One walk back gives a row of the Jacobian, ``v^T J``. A column, ``J u``, comes from two: ``v^T J`` is linear in ``v``, and the
derivative of a linear function is its transpose. NumPy arrays are taken too, and then arrays are returned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.backward import grad
from minigrad.grad_mode import enable_grad
from minigrad.ops.joining import stack
from minigrad.tensor import Tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


class Call:
    """One evaluation of ``func``: inputs made anew as leaves, outputs as a tuple, and whether each side was a tuple."""

    def __init__(self, func: Callable[..., Any], inputs: Any, create_graph: bool, name: str) -> None:
        self.single_input = not isinstance(inputs, (tuple, list))
        given = (inputs,) if self.single_input else tuple(inputs)
        self.arrays = any(isinstance(x, np.ndarray) for x in given)
        self.inputs = tuple(_leaf(x, create_graph, name) for x in given)
        result = func(*self.inputs)
        self.single_output = not isinstance(result, (tuple, list))
        self.outputs = (result,) if self.single_output else tuple(result)
        for output in self.outputs:
            if not isinstance(output, Tensor):
                raise TypeError(f"{name}: func must return tensors, got {type(output).__name__}")

    def finish(self, values: Any, single: bool, create_graph: bool) -> Any:
        """Results as the caller gave his: one or a tuple, arrays for arrays, without history unless asked for."""
        done = tuple(self.convert(v, create_graph) for v in values)
        return done[0] if single else done

    def convert(self, value: Any, create_graph: bool) -> Any:
        if isinstance(value, tuple):
            return tuple(self.convert(v, create_graph) for v in value)
        if self.arrays:
            return value.detach().numpy()
        return value if create_graph else value.detach()


def _leaf(x: Any, create_graph: bool, name: str) -> Tensor:
    if isinstance(x, np.ndarray):
        return Tensor.wrap(x.astype(np.result_type(x, np.float32), copy=True)).requires_grad_()
    if not isinstance(x, Tensor):
        raise TypeError(f"The inputs given to {name} must be tensors or NumPy arrays, got {type(x).__name__}")
    return x.view(*x.shape) if create_graph and x.requires_grad else x.detach().requires_grad_()


def _full(x: Tensor, value: float) -> Tensor:
    """A tensor like ``x``, filled with one value."""
    return Tensor.wrap(np.full_like(x.array, value))


def _vectors(v: Any, like: tuple[Tensor, ...], name: str) -> tuple[Tensor, ...]:
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"The vector v can only be None if {name} has one tensor of a single element: give v")
        return (_full(like[0], 1),)
    given = v if isinstance(v, (tuple, list)) else (v,)
    found = tuple(x if isinstance(x, Tensor) else Tensor.wrap(np.asarray(x)) for x in given)
    if [x.shape for x in found] != [x.shape for x in like]:
        raise RuntimeError(
            f"v has the wrong shape: {[list(x.shape) for x in found]}, needed {[list(x.shape) for x in like]}"
        )
    return found


def _pull(outputs: Any, inputs: Any, v: Any, create_graph: bool, strict: bool) -> tuple[Tensor, ...]:
    """``v^T J``; zeros for what does not depend, or an error if ``strict``."""
    reached = [(o, w) for o, w in zip(outputs, v, strict=True) if o.requires_grad]
    if strict and len(reached) < len(outputs):
        raise RuntimeError(
            "Output 0 of the user-provided function does not require gradients: it is independent of the inputs"
        )
    if not reached:
        return tuple(_full(x, 0) for x in inputs)
    found = grad([o for o, _ in reached], inputs, [w for _, w in reached], True, create_graph, allow_unused=True)
    if strict and any(g is None for g in found):
        raise RuntimeError(
            "The output of the user-provided function is independent of an input: no strict derivative exists"
        )
    return tuple(_full(x, 0) if g is None else g for x, g in zip(inputs, found, strict=True))


def vjp(func: Any, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """``(func(inputs), v^T J)``: the gradient of ``v . func``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.vjp.html
    """
    with enable_grad():
        call = Call(func, inputs, create_graph, "vjp")
        found = _pull(call.outputs, call.inputs, _vectors(v, call.outputs, "the output"), create_graph, strict)
    return call.finish(call.outputs, call.single_output, create_graph), call.finish(
        found, call.single_input, create_graph
    )


def jvp(func: Any, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """``(func(inputs), J v)``: the directional derivative along ``v``, by the double backward trick.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.jvp.html
    """
    with enable_grad():
        call = Call(func, inputs, create_graph, "jvp")
        tangents = _vectors(v, call.inputs, "the input")
        found = _push(call, tangents, create_graph, strict)
    return call.finish(call.outputs, call.single_output, create_graph), call.finish(
        found, call.single_output, create_graph
    )


def _push(call: Call, tangents: tuple[Tensor, ...], create_graph: bool, strict: bool) -> tuple[Tensor, ...]:
    dummies = tuple(_full(o, 0).requires_grad_() for o in call.outputs)
    rows = _pull(call.outputs, call.inputs, dummies, True, strict)
    return _pull(rows, dummies, tangents, create_graph, False)


def jacobian(
    func: Any,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """``J[i, j] = d func_i / d input_j``, of shape output shape + input shape.

    With several outputs or inputs, a tuple (of tuples). ``strategy="forward-mode"`` works column by column, which is
    cheaper for few inputs and many outputs.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.jacobian.html
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(f'Expected strategy to be either "reverse-mode" or "forward-mode", got {strategy!r}')
    with enable_grad():
        call = Call(func, inputs, create_graph, "jacobian")
        build = _by_rows if strategy == "reverse-mode" else _by_columns
        blocks = build(call, create_graph, strict)
    rows = tuple(call.finish(row, call.single_input, create_graph) for row in blocks)
    return rows[0] if call.single_output else rows


def _by_rows(call: Call, create_graph: bool, strict: bool) -> list[tuple[Tensor, ...]]:
    blocks = []
    for output in call.outputs:
        rows = [_pull((output,), call.inputs, (unit,), create_graph, strict) for unit in _units(output)]
        blocks.append(tuple(_join([r[k] for r in rows], output, x) for k, x in enumerate(call.inputs)))
    return blocks


def _by_columns(call: Call, create_graph: bool, strict: bool) -> list[tuple[Tensor, ...]]:
    columns: list[list[list[Tensor]]] = [[[] for _ in call.inputs] for _ in call.outputs]
    for k, x in enumerate(call.inputs):
        for unit in _units(x):
            tangents = tuple(unit if j == k else _full(other, 0) for j, other in enumerate(call.inputs))
            for m, column in enumerate(_push(call, tangents, create_graph, strict)):
                columns[m][k].append(column)
    return [
        tuple(_join(columns[m][k], x, output).permute(*_swap(x.ndim, output.ndim)) for k, x in enumerate(call.inputs))
        for m, output in enumerate(call.outputs)
    ]


def _swap(first: int, second: int) -> tuple[int, ...]:
    return (*range(first, first + second), *range(first))


def _units(x: Tensor) -> list[Tensor]:
    """All tensors of the shape of ``x`` with a single 1."""
    eye = np.eye(x.numel(), dtype=x.array.dtype).reshape(x.numel(), *x.shape)
    return [Tensor.wrap(row) for row in eye]


def _join(parts: list[Tensor], outer: Tensor, inner: Tensor) -> Tensor:
    shape = (*outer.shape, *inner.shape)
    return stack(parts).reshape(shape) if parts else Tensor.wrap(np.zeros(shape, inner.array.dtype))


def _scalar(func: Any, name: str) -> Callable[..., Any]:
    def checked(*inputs: Any) -> Any:
        result = func(*inputs)
        if not isinstance(result, Tensor) or result.numel() != 1:
            shape = list(result.shape) if isinstance(result, Tensor) else type(result).__name__
            raise RuntimeError(
                f"The function given to {name} should return a single element, got {shape}: reduce it, as in .sum()"
            )
        return result.reshape(())

    return checked


def hessian(
    func: Any,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """``H[i, j] = d^2 func / d input_i d input_j`` of a function with one value.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.hessian.html
    """
    scalar = _scalar(func, "hessian")
    several = isinstance(inputs, (tuple, list))

    def gradient(*xs: Any) -> Any:
        found = _pull((scalar(*xs),), xs, (Tensor.wrap(np.ones((), xs[0].array.dtype)),), True, strict)
        return found if several else found[0]

    return jacobian(gradient, inputs, create_graph, strict, strategy=outer_jacobian_strategy)


def vhp(func: Any, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """``(func(inputs), v^T H)``: one walk for the gradient, one for its product with ``v``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.functional.vhp.html
    """
    with enable_grad():
        call = Call(_scalar(func, "vhp"), inputs, create_graph, "vhp")
        gradient = _pull(call.outputs, call.inputs, _vectors(None, call.outputs, "the output"), True, strict)
        found = _pull(gradient, call.inputs, _vectors(v, call.inputs, "the input"), create_graph, strict)
    return call.finish(call.outputs, True, create_graph), call.finish(found, call.single_input, create_graph)


def hvp(func: Any, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """``(func(inputs), H v)``, which is ``v^T H``, since the Hessian of a smooth function is symmetric."""
    return vhp(func, inputs, v, create_graph, strict)
