"""What an operation is called, which arguments it takes, and which of them it must keep for its rules.

All of it is read from the forward function and the rules, once for each operation.
"""

from __future__ import annotations

import inspect
from bisect import bisect_left
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np


class LinAlgError(RuntimeError):
    """A matrix is not what the operation needs: it is singular, or not positive definite."""


class Plan(NamedTuple):
    """What a primitive records when certain inputs need a gradient; worked out once and shared by all its nodes."""

    pulls: list[tuple[int, Callable[..., Any], Callable[[list[Any]], Any]]]  # input, rule, what the rule needs
    kept: list[int]  # the places in [*args, output, *shapes of the args, *options] of what must be saved
    arity: int  # the number of arguments
    inputs: Sequence[int]  # those that could have a gradient
    keeps: bool = False  # what is saved is no tensor, and yet is freed like one: a factor, an index, a mask


class Signature:
    """The names and defaults of an operation's arguments; ``arity`` is -1 for any number of them (``*xs``)."""

    def __init__(self, forward: Callable[..., Any], name: str, keeps: bool) -> None:
        self.__doc__, self.__module__, self.__qualname__ = forward.__doc__, forward.__module__, forward.__qualname__
        self.__wrapped__ = forward  # where help() and inspect find the arguments
        self.__name__ = forward.__name__.strip("_")
        self.name = name or self.__name__.title().replace("_", "") + "Backward0"
        parameters = list(inspect.signature(forward).parameters.values())
        self.names = [p.name for p in parameters]
        self.defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
        self.variadic = parameters[0].kind is inspect.Parameter.VAR_POSITIONAL
        self.arity = -1 if self.variadic else len(self.names)
        self.keeps = keeps
        self.plans: dict[tuple[int, ...], Plan] = {}

    def bind(self, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments in order, with defaults filled in; next to any number of them, the options in order.

        The first one is also known as ``input``, PyTorch's name for it.
        """
        if self.variadic:
            values = {**self.defaults, **options}
            return args, {name: values[name] for name in self.names[1:]}
        if "input" in options and "input" not in self.names:
            options = {self.names[0] if name == "input" else name: value for name, value in options.items()}
        given = dict(zip(self.names, args, strict=False))
        twice, values = given.keys() & options.keys(), {**self.defaults, **options, **given}
        if twice or len(args) > len(self.names) or values.keys() != set(self.names):
            raise TypeError(f"{self.__name__}() takes ({', '.join(self.shown)}), {self._misfit(args, values, twice)}")
        return tuple(values[name] for name in self.names), {}

    @property
    def shown(self) -> list[str]:
        """The names of the arguments, as PyTorch's users know them."""
        return ["input" if name == "x" else name for name in self.names]

    def _misfit(self, args: tuple[Any, ...], values: dict[str, Any], twice: set[str]) -> str:
        if len(args) > len(self.names):
            return f"but {len(args)} positional arguments were given"
        if twice:
            return f"but got multiple values for {', '.join(sorted(twice))}"
        unknown = [name for name in values if name not in self.names]
        if unknown:
            return f"but got an unexpected keyword argument {', '.join(unknown)}"
        return f"and lacks {', '.join(shown for name, shown in zip(self.names, self.shown, strict=True) if name not in values)}"

    def plan(self, tracked: Sequence[int], count: int, rules: dict[int, tuple[Callable[..., Any], list[str]]]) -> Plan:
        """What to record when the inputs at these positions, of ``count``, need a gradient."""
        found: list[tuple[int, Callable[..., Any], list[Any]]] = []
        for i in tracked:
            rule, needs = rules.get(0 if self.variadic else i, (None, []))
            if rule is None:
                continue
            if self.variadic and "i" in needs:
                needs = [need for need in needs if need != "i"]
                rule = _at(rule, needs, i)
            found.append((i, rule, self._places(needs, count)))
        kept = sorted({k for _, _, places in found for place in places for k in _span(place)})
        pulls = [(i, rule, _taker([_among(kept, place) for place in places])) for i, rule, places in found]
        plan = Plan(pulls, kept, count, range(count) if self.variadic else sorted(rules), self.keeps)
        if not self.variadic:
            self.plans[tuple(tracked)] = plan
        return plan

    def _places(self, needs: Sequence[str], count: int) -> list[Any]:
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

    def refuse(self, args: Sequence[Any]) -> TypeError | None:
        """The error for a call without any tensor or array; None if there is one among the arguments."""
        if any(isinstance(x, (np.ndarray, np.generic)) for x in args):
            return None
        kind = type(args[0]).__name__ if args else "nothing"
        return TypeError(
            f"{self.__name__}(): argument '{self.shown[0]}' (position 1) must be Tensor, not {kind}: make one with tensor(...)"
        )

    def explain(self, error: ValueError, arrays: Sequence[Any]) -> Exception:
        """NumPy's error as PyTorch's type, with the operation and the shapes it was given."""
        shapes = [tuple(a.shape) for a in arrays if isinstance(a, np.ndarray)]
        text = f"{self.__name__}: {error} (given tensors of shape {', '.join(map(str, shapes))})"
        if isinstance(error, np.linalg.LinAlgError):
            return LinAlgError(text)
        return IndexError(text) if isinstance(error, IndexError) else RuntimeError(text)


def _span(place: int | slice) -> range:
    return range(place.start, place.stop) if isinstance(place, slice) else range(place, place + 1)


def _among(kept: list[int], place: int | slice) -> int | slice:
    """Where what stands at this place, or in this slice of places, comes to stand when only ``kept`` is saved."""
    if isinstance(place, slice):
        start = bisect_left(kept, place.start)
        return slice(start, start + place.stop - place.start)
    return kept.index(place)


def _taker(places: list[Any]) -> Callable[[list[Any]], Any]:
    """A function that takes what stands at these places out of a list."""
    if len(places) > 1:
        return itemgetter(*places)
    if places and isinstance(places[0], slice):
        return lambda values: (values[places[0]],)
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0))  # faster than a list of one, or none


def _at(rule: Callable[..., Any], needs: list[str], i: int) -> Callable[..., Any]:
    """The rule for the input at position ``i`` of ``*xs``."""
    return lambda g, *values: rule(g, i=i, **dict(zip(needs, values, strict=True)))
