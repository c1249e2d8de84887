"""Hooks that see a whole module's gradients: one identity stands before the module and one behind it.

Backward reaches the one behind first, with the gradients of the outputs, and the one before last, with those of the
inputs; then the hooks are called with both.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from minigrad.autograd.function import Function
from minigrad.tensor import Tensor

Gradients = tuple[Any, ...]


class BackwardHookFunction(Function):
    """The identity on tensors, whose backward asks ``passing`` what to pass on."""

    @staticmethod
    def forward(ctx: Any, passing: Callable[[Gradients], Gradients], zeros: bool, *xs: Tensor) -> Gradients:
        ctx.set_materialize_grads(zeros)
        ctx.mark_non_differentiable(*[x for x in xs if not x.requires_grad])
        ctx.passing = passing
        return xs

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Gradients:
        return None, None, *ctx.passing(gradients)


def _through(values: Gradients, passing: Callable[[Gradients], Gradients], zeros: bool) -> Gradients:
    """The values with the identity put on those that are tensors.

    ``passing`` is called with a gradient for every value: None for what is no tensor, and zeros or None for what got none.
    """
    places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]

    def widen(gradients: Gradients) -> Gradients:
        found: list[Any] = [None] * len(values)
        for i, g in zip(places, gradients, strict=True):
            found[i] = g
        passed = passing(tuple(found))
        return tuple(passed[i] for i in places)

    results = list(values)
    for i, y in zip(places, BackwardHookFunction.apply(widen, zeros, *[values[i] for i in places]), strict=True):
        results[i] = y
    return tuple(results)


class BackwardHooks:
    """One call of a module with hooks on its gradients: ``enter`` its inputs, ``leave`` with its outputs."""

    def __init__(self, module: Any, hooks: list[Callable[..., Any]], pre_hooks: list[Callable[..., Any]]) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_output: Gradients = ()
        self.no_input_needs_grad = True
        self.count = 0

    def enter(self, args: Gradients) -> Gradients:
        self.count = len(args)
        self.no_input_needs_grad = not any(isinstance(x, Tensor) and x.requires_grad for x in args)
        return args if self.no_input_needs_grad else _through(args, self._inputs_reached, zeros=True)

    def leave(self, result: Any) -> Any:
        values = result if isinstance(result, tuple) else (result,)
        if not any(isinstance(y, Tensor) and y.requires_grad for y in values):
            return result
        values = _through(values, self._outputs_reached, zeros=False)
        return values if isinstance(result, tuple) else values[0]

    def _outputs_reached(self, gradients: Gradients) -> Gradients:
        for hook in self.pre_hooks:
            gradients = _replaced(hook(self.module, gradients), gradients, "grad_output")
        self.grad_output = gradients
        if self.no_input_needs_grad:
            self._report_without_inputs(gradients)
        return gradients

    def _report_without_inputs(self, gradients: Gradients) -> None:
        for hook in self.hooks:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs "
                "require gradients.",
                stacklevel=2,
            )
            if hook(self.module, (None,) * self.count, gradients) is not None:
                raise RuntimeError(
                    "backward hook for Modules where no input requires gradient should always return None"
                )

    def _inputs_reached(self, gradients: Gradients) -> Gradients:
        for hook in self.hooks:
            gradients = _replaced(hook(self.module, gradients, self.grad_output), gradients, "grad_input")
        return gradients


def _replaced(returned: Any, gradients: Gradients, name: str) -> Gradients:
    if returned is None:
        return gradients
    found = returned if isinstance(returned, tuple) else (returned,)
    if len(found) != len(gradients):
        raise RuntimeError(
            f"Backward hook returned an invalid number of {name}, got {len(found)}, but expected {len(gradients)}"
        )
    return found
