"""A function and the rule that is said to be its gradient, on plain arrays: what all checks work on.

``RuleProblem`` has a rule as a plain function of arrays, as a learner writes it. ``TensorProblem`` (in ``tensors``) has a
function of tensors, whose rule is the backward pass.
"""

from __future__ import annotations

import inspect
import linecache
import math
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Arrays = list[np.ndarray]


class RuleError(Exception):
    """The rule itself raised: the error, and the line it came from."""

    def __init__(self, error: BaseException, where: str) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.error, self.where = error, where


class ShapeError(RuleError):
    """A gradient has the right shape at one point or for one g, and another elsewhere."""


class Problem:
    """``xs`` are the values of the differentiable inputs, called ``names``; float64 wherever the function allows it."""

    names: list[str]
    xs: Arrays
    source: Callable[..., Any] | None = None  # the forward function, where its text may be read
    by_hand: bool = True  # whether the rule is written by hand for that function, not put together by the engine
    hidden: str | None = None  # its first parameter, if that is the ctx of a Function
    rules: dict[str, Callable[..., Any]] | None = None  # the learner's rules by input, where their text may be read
    reference: dict[str, Callable[..., Any]] | None = None  # the right rules by input

    def forward(self, xs: Arrays) -> Arrays:
        """The outputs that have gradients."""
        raise NotImplementedError

    def pull(self, xs: Arrays, rows: Sequence[Arrays]) -> list[list[Any]]:
        """For each row, a gradient of the outputs, what the rule returns for the inputs, untouched."""
        raise NotImplementedError

    def left(self, xs: Arrays) -> Arrays:
        """The inputs as the last ``forward`` or ``pull``, which was given ``xs``, left them."""
        return xs

    def output_name(self, k: int) -> str:
        """What output ``k`` is called."""
        return f"output {k}"

    def context(self, xs: Arrays) -> dict[str, Any]:
        """The arguments of the forward function by name, for the texts that a rule or a mutant may use."""
        return dict(zip(self.names, xs, strict=True))

    def call(self, function: Callable[..., Any], xs: Arrays) -> np.ndarray:
        """The outputs, flattened, of another function with the arguments of ``forward``."""
        raise NotImplementedError

    def raw(self, xs: Arrays) -> list[Any] | None:
        """The outputs for arrays of any kind, complex ones too; None if the function is not one of plain arrays."""
        return None

    def resized(self, rng: np.random.Generator) -> Problem | None:
        """The same problem with axes of other lengths; None if it has none such. It may be one that does not run."""
        return None

    def flat(self, xs: Arrays) -> np.ndarray:
        """All outputs as one vector."""
        found = self.forward(xs)
        return np.concatenate([np.ravel(y) for y in found]) if found else np.zeros(0)


def other_sizes(arrays: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray] | None:
    """Arrays with axes of other lengths, the same for axes of the same length, and entries of the given ones."""
    old = sorted({n for x in arrays for n in x.shape if n != 1})
    new = [n for n in (3, 5, 6, 7, 8, 9, 10, 11) if n not in old]
    if not old or 0 in old or len(old) > len(new):
        return None
    lengths = {1: 1, **dict(zip(old, new, strict=False))}
    shapes = [tuple(lengths[n] for n in x.shape) for x in arrays]
    if sum(map(math.prod, shapes)) > 400 or max(map(math.prod, shapes)) > 200:
        return None
    found = [rng.choice(x.reshape(-1), shape) for x, shape in zip(arrays, shapes, strict=True)]
    return [x * rng.uniform(0.8, 0.97, x.shape) if x.dtype.kind == "f" else x for x in found]


def place_of(error: BaseException, function: Any) -> str:
    """The line that raised, as ``line 12: return g * z``: the last one in the file of ``function``."""
    code = getattr(inspect.unwrap(function) if callable(function) else function, "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if code is None or f.filename == code.co_filename]
    if not own:
        return ""
    text = own[-1].line or linecache.getline(own[-1].filename, own[-1].lineno or 0).strip()
    return f"line {own[-1].lineno}" + (f": {text}" if text else "")


def is_float(x: Any) -> bool:
    return isinstance(x, float) or (isinstance(x, (np.ndarray, np.generic)) and np.asarray(x).dtype.kind == "f")


def primary(result: Any) -> Any:
    """The output of a forward function that may also return what its rule needs, as ``(y, cache)``."""
    if isinstance(result, (tuple, list)) and len(result) > 1:
        floats = [v for v in result if is_float(v)]
        return floats[0] if len(floats) == 1 else result
    return result


def cache_of(result: Any) -> Any:
    """What else it returned: one thing or a tuple of them."""
    rest = tuple(v for v in result if not is_float(v)) if isinstance(result, (tuple, list)) else ()
    return rest[0] if len(rest) == 1 else rest


class RuleProblem(Problem):
    """A forward function on arrays, and its rule or rules on arrays."""

    def __init__(
        self,
        forward: Callable[..., Any],
        rule: Any,
        inputs: Sequence[Any],
        wrt: Sequence[str | int] | None = None,
        reference: Any = None,
    ) -> None:
        self.function, self.source = forward, forward
        self.arguments = list(inputs)
        self.parameters = _parameters(forward, len(self.arguments))
        self.where = _chosen(self.parameters, self.arguments, wrt, rule)
        self.names = [self.parameters[i] for i in self.where]
        self.xs = [np.array(self.arguments[i], np.float64) for i in self.where]
        self.rule = rule
        self.calls = _callers(rule, self.names, self.parameters)
        self.rules = _by_name(rule, self.names)
        self.reference = None if reference is None else _by_name(reference, self.names)

    def _given(self, xs: Arrays) -> list[Any]:
        values = list(self.arguments)
        for i, x in zip(self.where, xs, strict=True):
            values[i] = x
        return values

    def outputs(self, xs: Arrays) -> Any:
        with np.errstate(all="ignore"):
            return self.function(*self._given(xs))

    def forward(self, xs: Arrays) -> Arrays:
        result = self.outputs(xs)
        found = result if isinstance(result, (tuple, list)) else (result,)
        return [np.asarray(y) for y in found if is_float(y)]

    def context(self, xs: Arrays) -> dict[str, Any]:
        return dict(zip(self.parameters, self._given(xs), strict=True))

    def call(self, function: Callable[..., Any], xs: Arrays) -> np.ndarray:
        with np.errstate(all="ignore"):
            result = function(*self._given(xs))
        found = result if isinstance(result, (tuple, list)) else (result,)
        return np.concatenate([np.ravel(np.asarray(y, np.float64)) for y in found if is_float(y)])

    def pull(self, xs: Arrays, rows: Sequence[Arrays]) -> list[list[Any]]:
        given = self._given(xs)
        y = self.outputs(xs)
        several = isinstance(primary(y), (tuple, list))
        return [self._one(given, y, list(row) if several else row[0]) for row in rows]

    def raw(self, xs: Arrays) -> list[Any] | None:
        result = self.function(*self._given(xs))
        return list(result) if isinstance(result, (tuple, list)) else [result]

    def resized(self, rng: np.random.Generator) -> Problem | None:
        where = [i for i, x in enumerate(self.arguments) if isinstance(x, np.ndarray) and x.ndim]
        found = other_sizes([np.asarray(self.arguments[i]) for i in where], rng)
        if found is None:
            return None
        given = list(self.arguments)
        for i, x in zip(where, found, strict=True):
            given[i] = x
        return RuleProblem(self.function, self.rule, given, self.where, self.reference)

    def _one(self, given: list[Any], y: Any, g: Any) -> list[Any]:
        g = tuple(g) if isinstance(g, list) else g
        values = dict(zip(self.parameters, given, strict=True))
        try:
            with np.errstate(all="ignore"):
                found = [call(g, values, y) for call in self.calls]
        except Exception as error:
            function = self.rule if callable(self.rule) else next(iter(self.rules.values())) if self.rules else None
            raise RuleError(error, place_of(error, function)) from error
        if len(self.calls) == 1 and callable(self.rule):
            found = list(found[0]) if isinstance(found[0], (tuple, list)) else [found[0]]
        return [x_bar.copy() if isinstance(x_bar, np.ndarray) else x_bar for x_bar in found]  # it may be a buffer


def _parameters(forward: Callable[..., Any], count: int) -> list[str]:
    try:
        known = [
            p
            for p in inspect.signature(forward).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):  # a function without a readable signature, as some of NumPy's
        known = []
    names = [p.name for p in known][:count]
    return names + [f"x{i}" for i in range(len(names), count)]


def _chosen(parameters: list[str], arguments: list[Any], wrt: Any, rule: Any) -> list[int]:
    if wrt is None and isinstance(rule, Mapping):
        wrt = list(rule)
    if wrt is not None:
        chosen = [w if isinstance(w, int) else parameters.index(w) if w in parameters else -1 for w in wrt]
        if -1 in chosen:
            raise ValueError(f"wrt names {list(wrt)}, and forward has the parameters {parameters}: use those names")
        return chosen
    chosen = [i for i, x in enumerate(arguments) if is_float(x)]
    if not chosen:
        kinds = ", ".join(type(x).__name__ for x in arguments)
        raise ValueError(f"diagnose needs at least one input of floats (np.float64 arrays), and got: {kinds or 'none'}")
    return chosen


def _by_name(rule: Any, names: list[str]) -> dict[str, Callable[..., Any]]:
    if isinstance(rule, Mapping):
        return dict(rule)
    if isinstance(rule, (tuple, list)):
        return dict(zip(names, rule, strict=False))
    return {names[0]: rule} if len(names) == 1 else {"": rule}


def _callers(rule: Any, names: list[str], parameters: list[str]) -> list[Callable[..., Any]]:
    if callable(rule):
        return [caller(rule, parameters)]
    rules = _by_name(rule, names)
    missing = [n for n in names if n not in rules]
    if missing:
        raise ValueError(
            f"there is no rule for the input {missing[0]!r}: give one for each of {names}, or name fewer in wrt"
        )
    return [caller(rules[n], parameters) for n in names]


def caller(rule: Callable[..., Any], parameters: list[str]) -> Callable[..., Any]:
    """How to call a rule: ``g`` first, then what its parameters name (inputs, ``y``, ``x_shape``), else all inputs in order."""
    try:
        wanted = [p for p in inspect.signature(rule).parameters.values() if p.default is p.empty]
        names = [p.name for p in wanted if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        variadic = any(p.kind is p.VAR_POSITIONAL for p in wanted)
    except (TypeError, ValueError):
        names, variadic = ["g"], True
    needs = names[1:]
    outputs = ("y", "out", "output")

    def known(need: str) -> bool:
        return need in parameters or need in outputs or need == "cache" or need.removesuffix("_shape") in parameters

    if variadic or not all(known(n) for n in needs):
        if not variadic and len(needs) not in (len(parameters), len(parameters) + 1):
            unknown = next(n for n in needs if not known(n))
            raise ValueError(
                f"the rule asks for {unknown!r}, which is neither an input of forward ({', '.join(parameters)}), nor "
                "the output "
                f"y, nor a shape ({parameters[0] if parameters else 'x'}_shape): rename the parameter"
            )
        extra = 0 if variadic else len(needs) - len(parameters)
        return lambda g, values, y: rule(g, *[values[p] for p in parameters], *[y] * extra)

    def value(need: str, values: dict[str, Any], y: Any) -> Any:
        if need in values:
            return values[need]
        if need == "cache":
            return cache_of(y)
        return primary(y) if need in outputs else np.shape(values[need.removesuffix("_shape")])

    return lambda g, values, y: rule(g, *[value(n, values, y) for n in needs])
