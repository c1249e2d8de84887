"""Tier B, continued: a factor or a term too many or too few, found in a small dictionary of expressions of x, y and g."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from minigrad.autograd.checking.compare import Evidence
from minigrad.autograd.checking.report import HIGH, MEDIUM, Diagnosis
from minigrad.autograd.checking.view import View


class Quantity(NamedTuple):
    """An array that a rule may be made of, and its name."""

    text: str
    value: np.ndarray


FORMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "{}": lambda v: v,
    "{}**2": lambda v: v * v,
    "(1 - {})": lambda v: 1 - v,
    "(1 + {})": lambda v: 1 + v,
    "{} * (1 - {})": lambda v: v * (1 - v),
    "(1 - {}**2)": lambda v: 1 - v * v,
    "(1 + {}**2)": lambda v: 1 + v * v,
    "exp({})": np.exp,
    "log({})": np.log,
    "cos({})": np.cos,
    "sin({})": np.sin,
    "sqrt({})": np.sqrt,
    "{}**3": lambda v: v**3,
    "sigmoid({})": lambda v: 1 / (1 + np.exp(-v)),
    "(1 - sigmoid({}))": lambda v: 1 / (1 + np.exp(v)),
    "sigmoid({}) * (1 - sigmoid({}))": lambda v: 1 / (2 + np.exp(v) + np.exp(-v)),
}


def quantities(evidence: Evidence, shape: tuple[int, ...]) -> list[Quantity]:
    """Inputs and outputs that broadcast to ``shape``, and simple forms of them."""
    found = []
    values = dict(evidence.problem.context(evidence.xs))
    if len(evidence.ys) == 1:
        values.setdefault("y", evidence.ys[0])
    for name, value in values.items():
        if (
            not isinstance(value, (np.ndarray, np.floating))
            or np.asarray(value).dtype.kind != "f"
            or np.ndim(value) > len(shape)
        ):
            continue
        try:
            wide = np.broadcast_to(np.asarray(value, np.float64), shape)
        except ValueError:
            continue
        with np.errstate(all="ignore"):
            for form, of in FORMS.items():
                made = of(wide)
                alone = np.ndim(value) == 0  # a number: it differs from draw to draw only
                if np.isfinite(made).all() and (alone or np.ptp(made) > 0):
                    found.append(Quantity(form.replace("{}", name), made))
    return found


SENTENCES = {
    "extra_factor": "The gradient of {name} is {text} times the right one: that factor is one too many, or a division by it "
    "is missing.",
    "missing_factor": "The gradient of {name} lacks the factor {text}: multiply by it (the chain rule has a factor for each "
    "step).",
}
NICE = (1, 2, 3, 4, 6, 0.5, 0.25, 1 / 3)


def _constant(values: np.ndarray, rough: float) -> float | None:
    """The simple number that all values are, but for those that are nan; None if they are not."""
    found = values[~np.isnan(values)]
    if found.size < 2 or not np.isfinite(found).all():
        return None
    c = float(np.median(found))
    if not np.all(np.abs(found - c) <= 3 * rough * (1 + abs(c))):
        return None
    return next((s * k for k in NICE for s in (1, -1) if abs(c - s * k) <= 3 * rough * (1 + abs(c))), None)


def factors(view: View) -> Iterator[Diagnosis]:
    """``a / n`` is an expression of what the rule was given: a factor is missing, or there is one too many."""
    ratio = view.ratio
    if not np.isfinite(ratio).any() or view.bad.sum() < 2:
        return
    rough = max(view.ratio_slack, 1e-7)

    if np.any(view.equal(view.a, 0 * view.a) != view.equal(view.n, 0 * view.n)):
        return
    columns = [Quantity(q.text, q.value.reshape(-1)[view.columns][None]) for q in quantities(view.evidence, view.shape)]
    rows = []
    if view.full and len(view.evidence.ys) == 1:
        rows = [
            Quantity(q.text, q.value.reshape(-1)[:, None]) for q in quantities(view.evidence, view.evidence.ys[0].shape)
        ]
    for q in columns + rows:
        with np.errstate(all="ignore"):
            for code, times in (("extra_factor", ratio / q.value), ("missing_factor", ratio * q.value)):
                c = _constant(times, rough)
                if c is None or abs(float(np.median(np.abs(q.value))) - 1) < 1e-3:
                    continue
                c = c if code == "extra_factor" else 1 / c
                text = q.text if abs(c - 1) < 1e-5 else f"-{q.text}" if abs(c + 1) < 1e-5 else f"{c:.4g} * {q.text}"
                yield view.say(code, SENTENCES[code].format(name=view.name, text=text), expression=text)
    yield from along_axis(view, ratio, rough)


def along_axis(view: View, ratio: np.ndarray, rough: float) -> Iterator[Diagnosis]:
    """A factor that depends on the place along one axis of the input only."""
    if not view.complete or not view.shape:
        return
    with np.errstate(all="ignore"):
        per_entry = (
            np.nanmedian(np.where(np.isfinite(ratio), ratio, np.nan), axis=0)
            if np.isfinite(ratio).any(0).all()
            else None
        )
    if per_entry is None or np.any(
        np.abs(ratio - per_entry)[np.isfinite(ratio)] > rough * (1 + np.abs(per_entry).max())
    ):
        return
    grid = per_entry.reshape(view.shape)
    for axis in range(len(view.shape)):
        others = tuple(i for i in range(grid.ndim) if i != axis)
        if (
            view.shape[axis] > 1
            and others
            and np.ptp(grid) > rough * np.abs(grid).max()
            and np.all(np.ptp(grid, axis=others) <= rough * np.abs(grid).max())
        ):
            values = ", ".join(
                f"{v:.4g}"
                for v in np.take(grid.reshape(grid.shape), 0, axis=others[0]).reshape(-1)[: view.shape[axis]][:4]
            )
            yield view.say(
                "factor_along_axis",
                f"The gradient of {view.name} is off by a factor that depends on the place along axis {axis} only "
                f"({values}, ...).",
                MEDIUM,
                axis=axis,
            )


def inverted(view: View) -> Iterator[Diagnosis]:
    """``a = 1 / n``: divided where the rule multiplies."""
    if view.full and view.visible.any() and view.bad.any():
        product = (view.a * view.n)[view.visible]
        if np.all(np.abs(product - 1) <= max(view.ratio_slack, 1e-6) * 10) and np.all(
            view.equal(view.a, 0 * view.a)[~view.visible]
        ):
            yield view.say(
                "inverted",
                f"The local derivative of {view.name} is upside down: you divide by it where you should multiply, or "
                "the other way round.",
                expression="1 / ...",
            )


def passed_on(view: View) -> Iterator[Diagnosis]:
    """``a = g``, whatever the function is."""
    if view.full and view.a.shape[0] == view.a.shape[1] and view.same(view.a, np.eye(len(view.a))):
        yield view.say(
            "identity", f"You pass g on unchanged to {view.name}: multiply it by the local derivative.", expression="g"
        )


def terms(view: View) -> Iterator[Diagnosis]:
    """``n - a`` is a known term: it is missing, too many, or has the wrong sign."""
    if not view.full or not view.complete:
        return
    gap = view.n - view.a
    if not np.any(np.abs(gap) > 10 * view.slack):
        return
    found = list(_candidates(view))
    size = float(np.abs(gap).max())
    for text, term in found:
        top = float(np.abs(term).max(initial=0.0))
        if not top:
            continue
        at = np.unravel_index(int(np.argmax(np.abs(term))), term.shape)
        c = float(gap[at] / term[at])
        nice = next((k for k in (1.0, -1.0, 2.0, -2.0, 0.5, -0.5) if abs(c - k) < 1e-4), None)
        if nice is None or not view.same(gap, nice * term, view.slack + 1e-7 * size):
            continue
        yield _named_term(view, text, nice)


def _named_term(view: View, text: str, c: float) -> Diagnosis:
    times = {1.0: "", 2.0: "2 * ", 0.5: "0.5 * "}[abs(c)]
    if c > 0:
        return view.say(
            "dropped_term",
            f"A term is missing in the gradient of {view.name}: + {times}{text}.",
            expression=f"+ {times}{text}",
        )
    where = (
        "one too many, or (if you add it where it is to be subtracted) has the wrong sign"
        if abs(c) == 2
        else "missing with a minus, or one too many"
    )
    return view.say(
        "dropped_term",
        f"The term - {times}{text} is {where} in the gradient of {view.name}.",
        expression=f"- {times}{text}",
    )


def _candidates(view: View) -> Iterator[tuple[str, np.ndarray]]:
    """Jacobians of the terms that rules are made of: ``g * q``, ``q * sum(g * p)`` along axes, ``sum(g)``."""
    m, n = view.n.shape
    evidence = view.evidence
    if len(evidence.ys) != 1:
        return
    out = evidence.ys[0].shape
    if m == n and out == view.shape:
        eye = np.eye(n)
        known = quantities(evidence, view.shape)
        yield "g", eye
        for q in known:
            yield f"g * {q.text}", eye * q.value.reshape(-1)
        for axis in [None, *range(len(out))] if len(out) > 1 else [None]:
            together = _together(out, axis)
            axis_text = "" if axis is None else f", {axis}"
            plain = [Quantity("1", np.ones(out))] + [q for q in known if q.text.isidentifier()]
            for p, q in itertools.product(plain, plain):
                inner = "g" if p.text == "1" else f"g * {p.text}"
                outer = "" if q.text == "1" else f"{q.text} * "
                for divisor, over in ((1, ""), (together.sum(1)[0], "mean")):
                    text = f"{outer}{'mean' if over else 'sum'}({inner}{axis_text})"
                    yield text, together * p.value.reshape(-1)[:, None] * q.value.reshape(-1)[None] / divisor
    else:
        for q in quantities(evidence, view.shape):
            if m == 1:
                yield f"g * {q.text}", q.value.reshape(1, -1)
        if m == 1:
            yield "g", np.ones((1, n))
            yield "g / n", np.ones((1, n)) / n


def _together(shape: tuple[int, ...], axis: int | None) -> np.ndarray:
    """1 where two entries differ in the place along ``axis`` only (None: anywhere)."""
    if axis is None or not shape:
        size = int(np.prod(shape))
        return np.ones((size, size))
    index = np.indices(shape).reshape(len(shape), -1)
    others = [i for i in range(len(shape)) if i != axis]
    return np.all(index[others][:, :, None] == index[others][:, None, :], axis=0).astype(np.float64)


def weak(view: View) -> Iterator[Diagnosis]:
    """The names that leave more doubt."""
    yield from inverted(view)
    if view.elementwise:
        yield from _formula(view)
    yield from factors(view)
    yield from terms(view)


def _formula(view: View) -> Iterator[Diagnosis]:
    """An elementwise rule that is right for another function: which expression it computes."""
    slope = np.diagonal(view.a)
    if view.off(view.a).any():
        return
    for q in quantities(view.evidence, view.shape):
        for sign, text in ((1.0, ""), (-1.0, "-")):
            if view.same(slope, sign * q.value.reshape(-1), np.diagonal(view.slack)):
                yield view.say(
                    "wrong_formula",
                    f"Your rule for {view.name} computes g * {text}{q.text}; that is the derivative of another function.",
                    MEDIUM,
                    expression=f"g * {text}{q.text}",
                )


__all__ = ["HIGH", "factors", "terms", "weak"]
