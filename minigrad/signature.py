"""What an operation is called and which arguments it takes, read from its forward function."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


class Signature:
    """The names and defaults of an operation's arguments; ``arity`` is -1 for any number of them (``*xs``)."""

    def __init__(self, forward: Callable[..., Any], name: str) -> None:
        functools.update_wrapper(self, forward, assigned=("__doc__", "__module__", "__qualname__"), updated=())
        self.__name__ = forward.__name__.strip("_")
        self.name = name or self.__name__.title().replace("_", "") + "Backward0"
        parameters = list(inspect.signature(forward).parameters.values())
        self.names = [p.name for p in parameters]
        self.defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
        self.variadic = parameters[0].kind is inspect.Parameter.VAR_POSITIONAL
        self.arity = -1 if self.variadic else len(self.names)

    def bind(self, args: Sequence[Any], options: dict[str, Any]) -> tuple[Sequence[Any], dict[str, Any]]:
        """The arguments in order, with defaults filled in; next to any number of them, the options in order."""
        values = {**self.defaults, **options}
        if self.variadic:
            return args, {name: values[name] for name in self.names[1:]}
        values = {**self.defaults, **dict(zip(self.names, args, strict=False)), **options}
        if len(args) > len(self.names) or len(values) != len(self.names):
            unknown = ", ".join(n for n in values if n not in self.names) or f"{len(args)} positional arguments"
            raise TypeError(f"{self.__name__}({', '.join(self.names)}): cannot use or lacks arguments; got {unknown}")
        return [values[name] for name in self.names], {}

    def places(self, needs: Sequence[str], count: int) -> list[Any]:
        """Where what a rule needs stands in ``[*args, y, *shapes of the args, *options]``, for ``count`` arguments.

        ``y`` is the output, ``x`` the argument of that name, ``x_shape`` its shape. Of an operation on ``*xs`` a rule may
        need ``xs`` and ``xs_shapes``, which are slices, and the options.
        """
        if not self.variadic:
            spots = {name: i for i, name in enumerate(self.names)}
            spots |= {f"{name}_shape": count + 1 + i for i, name in enumerate(self.names)}
            return [count if need == "y" else spots[need] for need in needs]
        xs = self.names[0]
        found = {"y": count, xs: slice(0, count), f"{xs}_shapes": slice(count + 1, 2 * count + 1)}
        found |= {name: 2 * count + 1 + i for i, name in enumerate(self.names[1:])}
        return [found[need] for need in needs]

    def explain(self, error: ValueError, arrays: Sequence[Any]) -> Exception:
        """NumPy's error as PyTorch's type, with the operation and the shapes it was given."""
        shapes = [tuple(a.shape) for a in arrays if isinstance(a, np.ndarray)]
        text = f"{self.__name__}: {error} (given tensors of shape {', '.join(map(str, shapes))})"
        return IndexError(text) if isinstance(error, IndexError) else RuntimeError(text)
