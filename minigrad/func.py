"""Derivatives as functions of functions: ``grad(f)`` is the function that computes the gradient of ``f``.

``argnums`` says for which arguments. NumPy arrays are taken too, and then arrays are returned.
Source: https://docs.pytorch.org/docs/stable/func.api.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.autograd import functional

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp"]

Argnums = int | tuple[int, ...]


def _pick(func: Callable[..., Any], argnums: Argnums, args: tuple[Any, ...]) -> tuple[Callable[..., Any], Any]:
    """``func`` as a function of the chosen arguments alone, and those."""
    wanted = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for n in wanted:
        if not -len(args) <= n < len(args):
            raise RuntimeError(
                f"argnums {n} is out of range: the function was called with {len(args)} positional arguments"
            )

    def partial(*chosen: Any) -> Any:
        values = list(args)
        for n, value in zip(wanted, chosen, strict=True):
            values[n] = value
        return func(*values)

    chosen = tuple(args[n] for n in wanted)
    return partial, chosen[0] if isinstance(argnums, int) else chosen


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns ``(gradient, value)`` of ``func``, or ``(gradient, (value, aux))``."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        aux: list[Any] = []

        def bare(*xs: Any) -> Any:
            result = func(*xs, **kwargs)
            if has_aux:
                result, extra = result
                aux[:] = [extra]
            return functional._scalar(lambda: result, "grad")()

        partial, chosen = _pick(bare, argnums, args)
        value, gradient = functional.vjp(partial, chosen, create_graph=_recorded(chosen))
        return gradient, (value, aux[0]) if has_aux else value

    return wrapped


def _recorded(inputs: Any) -> bool:
    """Whether an outer derivative is being taken, so that this one must be differentiable, too."""
    return any(getattr(x, "requires_grad", False) for x in (inputs if isinstance(inputs, tuple) else (inputs,)))


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The gradient of a function with one value: ``grad(grad(f))`` is its second derivative."""
    both = grad_and_value(func, argnums, has_aux)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapped


def vjp(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """``(func(primals), pull)``, where ``pull(v)`` is the tuple of ``v^T J``."""
    inputs = primals[0] if len(primals) == 1 else primals
    call = functional.Call(func, inputs, _recorded(inputs), "vjp")

    def pull(*v: Any) -> Any:
        vectors = functional._vectors(v, call.outputs, "the output")
        found = functional._pull(call.outputs, call.inputs, vectors, _recorded(inputs), False)
        return call.finish(found, False, _recorded(inputs))

    return call.finish(call.outputs, call.single_output, _recorded(inputs)), pull


def jvp(func: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
    """``(func(primals), J tangents)``."""
    return functional.jvp(func, tuple(primals), tuple(tangents), create_graph=_recorded(tuple(primals)))


def jacrev(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The Jacobian, built row by row."""

    def wrapped(*args: Any) -> Any:
        partial, chosen = _pick(func, argnums, args)
        return functional.jacobian(partial, chosen, create_graph=_recorded(chosen))

    return wrapped


def jacfwd(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The Jacobian, built column by column."""

    def wrapped(*args: Any) -> Any:
        partial, chosen = _pick(func, argnums, args)
        return functional.jacobian(partial, chosen, create_graph=_recorded(chosen), strategy="forward-mode")

    return wrapped


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The Hessian of a function with one value."""

    def wrapped(*args: Any) -> Any:
        partial, chosen = _pick(func, argnums, args)
        return functional.hessian(partial, chosen, create_graph=_recorded(chosen))

    return wrapped
