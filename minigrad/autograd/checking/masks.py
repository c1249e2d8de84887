"""Rules that are right for some entries and wrong for others: which ones, said in terms of the input."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from minigrad.autograd.checking.report import HIGH, MEDIUM, Diagnosis
from minigrad.autograd.checking.view import View, scalars


def where_wrong(view: View) -> Iterator[Diagnosis]:
    """The wrong columns are those where a simple condition on the input holds."""
    wrong = np.asarray(view.bad.any(0))
    if not wrong.any() or wrong.all():
        return
    alive = view.visible.any(0)
    if np.any(alive) and np.all(wrong[alive]) and np.any(view.a[:, wrong & alive]):
        return  # wrong wherever there is a slope: that is no matter of a mask
    kind = _what(view, wrong)
    for condition, text, code in conditions(view):
        seen = np.any(view.visible | (np.abs(view.a) > 0), axis=0)
        if condition.any() and np.array_equal(condition & seen, wrong & seen) and not condition.all():
            yield view.say(
                code,
                f"The gradient of {view.name} is right except where {text}: there it {kind}.",
                HIGH if code == "mask" else MEDIUM,
                expression=text,
            )
    if wrong.sum() == 1 and wrong.size > 2:
        index = list(view.index(int(np.flatnonzero(wrong)[0])))
        seen = "" if view.complete else f"Of the {wrong.size} entries looked at one by one, "
        text = (
            f"{seen}{'only' if seen else 'Only'} one entry of the gradient of {view.name} is wrong, {index}: it {kind}."
        )
        yield view.say("one_entry", text, MEDIUM, expression=f"{index}")


def _what(view: View, wrong: np.ndarray) -> str:
    a, n, slack = view.a[:, wrong], view.n[:, wrong], view.slack[:, wrong]
    if not np.any(a):
        return f"is 0 and should be {_one(n)}"
    if not np.any(np.abs(n) > slack):
        return f"should be 0 and is {_one(a)}"
    if view.same(a, -n, slack):
        return "has the wrong sign"
    with np.errstate(all="ignore"):
        ratio = (a / n)[np.abs(n) > 100 * slack]
    if ratio.size and np.ptp(ratio) < 1e-5 * abs(ratio[0]):
        return (
            f"is {ratio[0]:.6g} times too big" if abs(ratio[0]) > 1 else f"is only {ratio[0]:.6g} of what it should be"
        )
    r, c = np.unravel_index(int(np.argmax(np.abs(a - n))), a.shape)
    return f"is for example {a[r, c]:.6g} and should be {n[r, c]:.6g}"


def _one(values: np.ndarray) -> str:
    return f"{values.reshape(-1)[int(np.argmax(np.abs(values)))]:.6g}"


def conditions(view: View) -> Iterator[tuple[np.ndarray, str, str]]:
    """Conditions on the entries of the input, as masks over the columns, in words, and the code of a mistake there."""
    x, name = view.entries, view.name
    bounds: dict[str, float] = {"0": 0.0, **{k: v for k, v in scalars(view.evidence).items() if v}}
    for text, b in {**bounds, "1": 1.0, "-1": -1.0}.items():
        label = text if text in ("0", "1", "-1") else f"{text} = {b:.4g}"
        yield x < b, f"{name} < {label}", "mask"
        yield x > b, f"{name} > {label}", "mask"
        yield x == b, f"{name} == {label}", "mask"
        if text != "0":
            yield np.abs(x) > abs(b), f"|{name}| > {abs(b):.4g}", "mask"
            yield np.abs(x) < abs(b), f"|{name}| < {abs(b):.4g}", "mask"
    numbers = sorted(bounds.items(), key=lambda item: item[1])
    for (low, a), (high, b) in itertools.combinations(numbers, 2):
        yield (x < a) | (x > b), f"{name} is not between {low} and {high}", "mask"
        yield (x > a) & (x < b), f"{name} is between {low} and {high}", "mask"
    for other, y in view.evidence.problem.context(view.evidence.xs).items():
        if other == name or not isinstance(y, np.ndarray):
            continue
        try:
            there = np.broadcast_to(y, view.shape).reshape(-1)[view.columns]
        except ValueError:
            continue
        if y.dtype.kind == "b":
            yield there, f"{other} holds", "mask"
            yield ~there, f"{other} does not hold", "mask"
        elif y.dtype.kind in "fiu":
            yield x < there, f"{name} < {other}", "mask"
            yield x > there, f"{name} > {other}", "mask"
            if other in view.evidence.problem.names:
                yield there < 0, f"{other} < 0", "mask"
                yield there > 0, f"{other} > 0", "mask"
    yield from places(view)
    ranked = view.x.reshape(-1)
    yield x == ranked.min(), f"{name} is the smallest entry", "mask"
    yield x == ranked.max(), f"{name} is the largest entry", "mask"


def places(view: View) -> Iterator[tuple[np.ndarray, str, str]]:
    """The first and the last place along an axis, where an off-by-one shows."""
    if not view.shape:
        return
    index = np.unravel_index(view.columns, view.shape)
    for axis, n in enumerate(view.shape):
        if n > 1:
            yield index[axis] == 0, f"the index along axis {axis} is 0 (the first)", "edge"
            yield index[axis] == n - 1, f"the index along axis {axis} is {n - 1} (the last)", "edge"
            yield index[axis] > 0, f"the index along axis {axis} is not 0", "edge"
            yield index[axis] < n - 1, f"the index along axis {axis} is not the last", "edge"
