"""Derivatives as functions of functions: ``grad(f)`` is the function that computes the gradient of ``f``.

``argnums`` says for which arguments; these may be dicts, lists and tuples of tensors, and the derivative then has their
form. NumPy arrays are taken too, and then arrays are returned.
Source: https://docs.pytorch.org/docs/stable/func.api.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from minigrad.autograd import functional
from minigrad.tensor import Tensor

__all__ = ["functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp"]

Argnums = int | tuple[int, ...]


def _leaves(tree: Any) -> list[Any]:
    """What hangs in dicts, lists and tuples, in order."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [leaf for branch in tree for leaf in _leaves(branch)] if isinstance(tree, (list, tuple)) else [tree]


def _like(tree: Any, leaves: Iterator[Any]) -> Any:
    """A tree of the form of ``tree``, with other leaves."""
    if isinstance(tree, dict):
        return type(tree)((key, _like(branch, leaves)) for key, branch in tree.items())
    if isinstance(tree, (list, tuple)):
        branches = [_like(branch, leaves) for branch in tree]
        return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)
    return next(leaves)


class _Chosen:
    """``func`` as a function of the leaves of the arguments that ``argnums`` chooses, and of nothing else."""

    def __init__(self, func: Callable[..., Any], argnums: Argnums, args: tuple[Any, ...], has_aux: bool) -> None:
        self.func, self.args, self.has_aux = func, args, has_aux
        self.numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        for n in self.numbers:
            if not -len(args) <= n < len(args):
                raise RuntimeError(
                    f"argnums {n} is out of range: the function was called with {len(args)} positional arguments"
                )
        chosen = tuple(args[n] for n in self.numbers)
        self.tree = chosen[0] if isinstance(argnums, int) else chosen
        self.leaves = tuple(_leaves(chosen))
        self.recorded = any(getattr(x, "requires_grad", False) for x in self.leaves)  # an outer derivative is taken
        self.aux: Any = None

    def __call__(self, *leaves: Any) -> Any:
        values, chosen = list(self.args), iter(leaves)
        for n in self.numbers:
            values[n] = _like(self.args[n], chosen)
        result = self.func(*values)
        if self.has_aux:
            if not isinstance(result, tuple) or len(result) != 2:
                raise RuntimeError(
                    "with has_aux=True the function returns a pair (output, aux): what is differentiated and what else you want"
                )
            result, aux = result
            self.aux = aux if self.recorded else _like(aux, map(_detached, _leaves(aux)))
        return result

    def shaped(self, derivative: Any) -> Any:
        """The derivative with respect to the leaves, in the form of the arguments."""
        return _like(self.tree, iter(derivative))

    def with_aux(self, result: Any) -> Any:
        return (result, self.aux) if self.has_aux else result


def _detached(x: Any) -> Any:
    return x.detach() if isinstance(x, Tensor) else x


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns ``(gradient, value)`` of ``func``, or ``(gradient, (value, aux))``."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        chosen = _Chosen(lambda *xs: func(*xs, **kwargs), argnums, args, has_aux)
        scalar = functional._scalar(chosen, "grad")
        value, gradient = functional.vjp(scalar, chosen.leaves, create_graph=chosen.recorded)
        return chosen.shaped(gradient), chosen.with_aux(value)

    return wrapped


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The gradient of a function with one value: ``grad(grad(f))`` is its second derivative."""
    both = grad_and_value(func, argnums, has_aux)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapped


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """``(func(primals), pull)``, where ``pull(v)`` is the tuple of ``v^T J``; with ``has_aux``, ``(..., pull, aux)``."""
    chosen = _Chosen(func, tuple(range(len(primals))), primals, has_aux)
    call = functional.Call(chosen, chosen.leaves, chosen.recorded, "vjp")

    def pull(*v: Any) -> Any:
        vectors = functional._vectors(v[0] if len(v) == 1 else v, call.outputs, "the output")
        found = functional._pull(call.outputs, call.inputs, vectors, chosen.recorded, False)
        return chosen.shaped(call.finish(found, False, chosen.recorded))

    output = call.finish(call.outputs, call.single_output, chosen.recorded)
    return (output, pull, chosen.aux) if has_aux else (output, pull)


def jvp(
    func: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...], *, has_aux: bool = False
) -> tuple[Any, ...]:
    """``(func(primals), J tangents)``, and ``aux`` with ``has_aux``."""
    chosen = _Chosen(func, tuple(range(len(primals))), tuple(primals), has_aux)
    found = functional.jvp(chosen, chosen.leaves, tuple(_leaves(tuple(tangents))), create_graph=chosen.recorded)
    return (*found, chosen.aux) if has_aux else found


def _jacobian(strategy: str, func: Callable[..., Any], argnums: Argnums, has_aux: bool) -> Callable[..., Any]:
    def wrapped(*args: Any) -> Any:
        chosen = _Chosen(func, argnums, args, has_aux)
        rows = functional.jacobian(chosen, chosen.leaves, create_graph=chosen.recorded, strategy=strategy)
        several = bool(rows) and isinstance(rows[0], tuple)  # one row for each output, if there are several
        return chosen.with_aux(tuple(map(chosen.shaped, rows)) if several else chosen.shaped(rows))

    return wrapped


def jacrev(func: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False) -> Callable[..., Any]:
    """The Jacobian, built row by row."""
    return _jacobian("reverse-mode", func, argnums, has_aux)


def jacfwd(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The Jacobian, built column by column."""
    return _jacobian("forward-mode", func, argnums, has_aux)


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The Hessian of a function with one value."""

    def wrapped(*args: Any) -> Any:
        chosen = _Chosen(func, argnums, args, False)
        rows = functional.hessian(chosen, chosen.leaves, create_graph=chosen.recorded)
        return chosen.shaped(chosen.shaped(row) for row in rows)

    return wrapped


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: Any = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """``module(*args)`` with other tensors in the place of its parameters and buffers, named as in ``named_parameters``.

    With ``strict``, raises RuntimeError unless the names are exactly the module's.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.functional_call.html
    """
    given = parameter_and_buffer_dicts
    tensors: dict[str, Any] = {}
    for names in (given,) if isinstance(given, dict) else given:
        tensors.update(names)
    places = {**_places(module, "_parameters"), **_places(module, "_buffers")}
    if strict and tensors.keys() != places.keys():
        missing, unknown = sorted(places.keys() - tensors.keys()), sorted(tensors.keys() - places.keys())
        raise RuntimeError(
            f"Error(s) when running functional_call with {type(module).__name__}: missing {missing}, unexpected {unknown}: "
            f"strict=True wants exactly the names of named_parameters() and named_buffers()"
        )
    # a tensor that stands in several places is exchanged in all of them
    tied = {id(members[last]): tensors[name] for name, (members, last) in places.items() if name in tensors}
    former = []
    try:
        for name, (members, last) in places.items():
            tensor = members[last]
            if name in tensors or (tie_weights and id(tensor) in tied):
                former.append((members, last, tensor))
                members[last] = tensors.get(name, tied[id(tensor)])
        positional = () if args is None else args if isinstance(args, tuple) else (args,)
        return module(*positional, **(kwargs or {}))
    finally:
        for members, last, tensor in former:
            members[last] = tensor


def _places(module: Any, kind: str) -> dict[str, tuple[dict[str, Any], str]]:
    """Where the module keeps each of its parameters or buffers: by dotted name, the dict and the key."""
    return {
        f"{path}.{name}" if path else name: (members, name)
        for path, owner in module.named_modules(remove_duplicate=False)
        for members in (getattr(owner, kind),)
        for name, tensor in members.items()
        if tensor is not None
    }
