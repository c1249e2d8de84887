"""Wrong rules made by machine: every right rule of the catalogue, bent in every way of a list.

Bending the result of a rule needs no knowledge of its text, so that this list and the checker's own mutants have no code in
common. A bent rule that gives the right gradient after all is left out.
"""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd.checking.problem import RuleError, RuleProblem
from tests.minigrad.autograd.catalogue import Operation


class Call(NamedTuple):
    """One call of a rule: what it was given, the input whose gradient is asked for, and the right rule itself."""

    g: Any
    x: Any
    right: Callable[[Any], Any]  # of g

    @property
    def value(self) -> Any:
        return self.right(self.g)


def first_zero(r: Any) -> Any:
    r = r.copy()
    r[..., 0] = 0
    return r


def one_nan(r: Any) -> Any:
    r = np.array(r)
    r.reshape(-1)[0] = np.nan
    return r


def overwritten(call: Call) -> Any:
    r = call.value
    call.x[...] = 0.5
    return r


_kept: dict[tuple[int, ...], Any] = {}


def kept(call: Call) -> Any:
    r = call.value
    _kept[r.shape] = _kept.get(r.shape, 0) + r
    return _kept[r.shape]


# label, name, what becomes of the call, and for which calls it makes sense
BENDS: list[tuple[str, str, Callable[[Call], Any], Callable[[Call], bool]]] = [
    ("sign", "negated", lambda c: -c.value, lambda c: True),
    ("constant factor", "doubled", lambda c: 2 * c.value, lambda c: True),
    ("constant factor", "halved", lambda c: c.value / 2, lambda c: True),
    ("constant factor", "times 1.7", lambda c: 1.7 * c.value, lambda c: True),
    ("constant factor", "one percent more", lambda c: 1.01 * c.value, lambda c: True),
    ("mean or sum", "times n", lambda c: c.value * c.x.size, lambda c: c.x.size > 2),
    ("mean or sum", "over n", lambda c: c.value / c.x.size, lambda c: c.x.size > 2),
    ("mean or sum", "over the rows", lambda c: c.value / len(c.x), lambda c: c.x.ndim > 1),
    ("g twice", "of g squared", lambda c: c.right(c.g * c.g), lambda c: True),
    ("ignores g", "of ones", lambda c: c.right(np.ones_like(c.g)), lambda c: True),
    ("mask on g", "of positive g", lambda c: c.right(np.maximum(c.g, 0)), lambda c: True),
    ("sign of g", "of the sign of g", lambda c: c.right(np.sign(c.g)), lambda c: True),
    ("adds a constant", "plus a half", lambda c: c.value + 0.5, lambda c: True),
    ("zero", "nothing", lambda c: c.value * 0, lambda c: True),
    ("constant", "ones", lambda c: np.ones_like(c.value), lambda c: True),
    ("returns nothing", "None", lambda c: None, lambda c: True),
    ("extra factor", "times x", lambda c: c.value * c.x, lambda c: True),
    ("extra factor", "times 1 - x", lambda c: c.value * (1 - c.x), lambda c: True),
    ("a division too many", "over x", lambda c: c.value / c.x, lambda c: True),
    ("missing term", "less g", lambda c: c.value - c.g, lambda c: c.x.shape == np.shape(c.g)),
    ("transposed", "transposed", lambda c: c.value.T, lambda c: c.x.ndim == 2),
    ("direction", "flipped", lambda c: np.flip(c.value, -1), lambda c: c.x.ndim > 0),
    ("direction", "shifted", lambda c: np.roll(c.value, 1, -1), lambda c: c.x.ndim > 0),
    ("mask", "only where positive", lambda c: np.where(c.x > 0, c.value, 0), lambda c: bool(np.any(c.x < 0))),
    ("mask", "negated where negative", lambda c: np.where(c.x < 0, -c.value, c.value), lambda c: bool(np.any(c.x < 0))),
    ("mask", "doubled above 1", lambda c: np.where(c.x > 1, 2 * c.value, c.value), lambda c: bool(np.any(c.x > 1))),
    ("edge", "nothing at index 0", lambda c: first_zero(c.value), lambda c: c.x.ndim > 0),
    ("nan", "one nan", lambda c: one_nan(c.value), lambda c: True),
    ("low precision", "float32", lambda c: np.asarray(c.value, np.float32), lambda c: True),
    ("shape", "flat", lambda c: c.value.reshape(-1), lambda c: c.x.ndim > 1),
    ("shape", "summed", lambda c: c.value.sum(), lambda c: c.x.ndim > 0),
    ("broadcast sum", "stretched", lambda c: np.stack([c.value] * 4), lambda c: True),
    ("changes its input", "x overwritten", overwritten, lambda c: True),
    ("survives the call", "kept", kept, lambda c: True),
]


def bent_rule(right: Callable[..., Any], bend: Callable[[Call], Any], own: str) -> Callable[..., Any]:
    """A right rule with its result bent, asking by name for what the right one asks for and for its input."""
    needs = list(inspect.signature(right).parameters)[1:]
    every = list(dict.fromkeys([*needs, own]))

    def rule(g: Any, *given: Any) -> Any:
        values = dict(zip(every, given, strict=True))
        return bend(Call(g, values[own], lambda g: right(g, *[values[n] for n in needs])))

    names = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in ["g", *every]]
    rule.__signature__ = inspect.Signature(names)  # type: ignore[attr-defined]  # what the checker asks a rule for
    return rule


def bent(operation: Operation, draws: list[tuple[Any, ...]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """For each input and each way to bend its rule: the label, a name, and the rules. What stays right is left out."""
    wrt = list(operation.right) if isinstance(operation.right, dict) else None
    names = RuleProblem(operation.forward, operation.right, draws[0], wrt).names
    rights = operation.right if isinstance(operation.right, dict) else {names[0]: operation.right}
    for own, right in rights.items():
        for label, how, bend, sensible in BENDS:
            rules = {**rights, own: bent_rule(right, bend, own)}
            if all(_makes_sense(operation, rights, rules, own, draw, sensible, how) for draw in draws):
                yield label, f"{operation.name}, {own}: {how}", rules


def _makes_sense(operation: Operation, rights: Any, rules: Any, own: str, draw: Any, sensible: Any, how: str) -> bool:
    """Whether the bend applies to this draw and changes the gradient."""
    problem = RuleProblem(operation.forward, rights, draw, list(rights))
    k = list(rights).index(own)
    rng = np.random.default_rng(0)
    g = [rng.standard_normal(y.shape) for y in problem.forward([x.copy() for x in problem.xs])]
    if not sensible(Call(g[0], problem.xs[k], lambda g: g)):
        return False
    right = np.asarray(problem.pull([x.copy() for x in problem.xs], [g])[0][k])
    if not np.any(right):
        return False
    try:
        found = RuleProblem(operation.forward, rules, draw, list(rights)).pull([x.copy() for x in problem.xs], [g])[0][
            k
        ]
    except RuleError:
        return False
    _kept.clear()
    precise = found is not None and np.asarray(found).dtype == right.dtype
    same = precise and np.shape(found) == right.shape and np.allclose(found, right, rtol=1e-6)
    return not same or how in ("x overwritten", "kept")  # which are wrong though the first gradient is right


def held_out(name: str) -> bool:
    """Whether a bent rule belongs to the part that nothing was tuned on: one in three, by its name."""
    return zlib.crc32(name.encode()) % 3 == 0
