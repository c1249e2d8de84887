"""Tier B: what kind of mistake turns one Jacobian into the other. Each test proposes a name; all draws must agree on it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from minigrad.autograd.checking.masks import where_wrong
from minigrad.autograd.checking.report import CERTAIN, HIGH, MEDIUM, Diagnosis
from minigrad.autograd.checking.tensors import TensorProblem
from minigrad.autograd.checking.view import View, scalars, sizes

CONSTANTS = {
    "ln 2": math.log(2), "ln 10": math.log(10), "pi": math.pi, "2 pi": 2 * math.pi, "sqrt(2)": math.sqrt(2),
    "sqrt(pi)": math.sqrt(math.pi), "sqrt(2 pi)": math.sqrt(2 * math.pi), "2 / sqrt(pi)": 2 / math.sqrt(math.pi), "e": math.e,
}  # fmt: skip


def strong(view: View) -> Iterator[Diagnosis]:
    """The names that leave little doubt, the surest first."""
    yield from nothing(view)
    yield from not_finite(view)
    if view.n.size and np.isfinite(view.a).all():
        yield from constant_ratio(view)
        yield from rearranged(view)
        yield from missing_entries(view)
        yield from where_wrong(view)


def nothing(view: View) -> Iterator[Diagnosis]:
    if np.any(view.a) or not np.any(view.visible):
        return
    if isinstance(view.evidence.problem, TensorProblem) and view.evidence.problem.by_hand:
        yield view.say(
            "zero",
            f"The gradient of {view.name} is 0 everywhere: backward returns zeros or None for it, so that it is still to be "
            "written.",
            CERTAIN,
        )
    elif isinstance(view.evidence.problem, TensorProblem):
        yield view.say(
            "detached",
            f"No gradient reaches {view.name}, though the output depends on it: a detach(), .data, .numpy(), item() or "
            "no_grad() "
            f"cuts the graph, or backward returns None or zeros for it.",
            CERTAIN,
        )
    else:
        yield view.say(
            "zero", f"The gradient of {view.name} is 0 everywhere: the rule is still to be written.", CERTAIN
        )


def not_finite(view: View) -> Iterator[Diagnosis]:
    broken = ~np.isfinite(view.a) & np.isfinite(view.n)
    if not broken.any():
        return
    if broken.any(0).all():
        yield view.say("nan", f"The gradient of {view.name} is nan or inf in every entry.", CERTAIN)
        return
    r, c = np.argwhere(broken)[0]
    values = view.entries[broken.any(0)]
    why = "0 * inf, inf - inf or 0 / 0: choose the safe branch before computing, or use a form that cannot overflow"
    large = np.abs(values).min() > 30
    yield view.say(
        "overflow" if large else "not_finite",
        f"The gradient of {view.name} is {view.a[r, c]:.4g} at {list(view.index(int(c)))}, where {view.name} is "
        f"{view.entries[c]:.6g} and the "
        f"true slope is {view.n[r, c]:.6g}: {'an exponential overflows' if large else why}.",
        CERTAIN,
        expression=f"{view.name} = {view.entries[c]:.6g}",
    )


def constant_ratio(view: View) -> Iterator[Diagnosis]:
    """``a = c n`` with one number c."""
    ratios = view.ratio[np.isfinite(view.ratio)]
    if not ratios.size:
        return
    c = float(np.median(ratios))
    if not np.isfinite(c) or c == 0 or not view.same(view.a, c * view.n, view.slack * max(1.0, abs(c))):
        return
    if np.ptp(ratios) > 2e-3 * abs(c):
        return
    yield from named_ratio(view, c)


def named_ratio(view: View, c: float) -> Iterator[Diagnosis]:
    rough = view.ratio_slack * max(1.0, abs(c))

    def is_(value: float) -> bool:
        return abs(abs(c) - value) <= rough * max(1.0, abs(value) / max(abs(c), 1e-300))

    sign = " and the sign is wrong" if c < 0 else ""
    if is_(1.0):
        if c < 0:
            yield view.say(
                "sign", f"Every entry of the gradient of {view.name} is right except the sign.", HIGH, expression="-"
            )
        return
    every = sizes(view.evidence, view.name, view.shape)
    for n, (words, axis) in every.items():
        if n > 2 and is_(n):
            yield view.say(
                "missing_mean",
                f"The gradient of {view.name} is exactly {n} times too big{sign}, and {n} is {words}. A mean divides "
                "by it; so must its gradient.",
                axis=axis,
                expression=f"1 / {n}",
            )
        if n > 2 and is_(1 / n):
            yield view.say(
                "extra_mean",
                f"The gradient of {view.name} is exactly {n} times too small{sign}, and {n} is {words}. You divide by "
                "it (or take a mean), and a sum does not.",
                axis=axis,
                expression=f"{n}",
            )
    for n, (words, axis) in every.items():
        if n > 2 and (is_((n - 1) / n) or is_(n / (n - 1))):
            yield view.say(
                "n_minus_1",
                f"The gradient of {view.name} is off by {n} / {n - 1}{sign}, and {n} is {words}: the one divides by n "
                "and the other by n - 1.",
                axis=axis,
                expression="n - 1",
            )
        if n > 2 and n != 4 and (is_(math.sqrt(n)) or is_(1 / math.sqrt(n))):  # the root of 4 is rather a 2
            yield view.say(
                "factor",
                f"The gradient of {view.name} is off by the square root of {n}{sign}, and {n} is {words}.",
                axis=axis,
                expression="sqrt(n)",
            )
    for key, value in scalars(view.evidence).items():
        if value not in (0.0, 1.0, -1.0) and (is_(abs(value)) or is_(1 / abs(value))):
            yield view.say(
                "missing_factor" if is_(1 / abs(value)) == (abs(value) != 1) else "extra_factor",
                f"The gradient of {view.name} is {c:.6g} times the right one{sign}: the argument {key} = {value:.6g} is "
                f"{'missing as a factor' if is_(1 / abs(value)) else 'one factor too many'}.",
                expression=key,
            )
    if is_(2.0) or is_(0.5):
        half = is_(0.5)
        yield view.say(
            "factor_2",
            f"The gradient of {view.name} is exactly {'half of' if half else 'twice'} the right one{sign}. "
            + (
                "The power rule's exponent, or is the input used twice, so that two contributions add up?"
                if half
                else "Is a factor 1/2 missing, or something counted twice?"
            ),
            MEDIUM,
            expression="2",
        )
    for n, (words, axis) in every.items():
        if n == 2 and (is_(2.0) or is_(0.5)):
            yield view.say(
                "missing_mean" if is_(2.0) else "extra_mean",
                f"The gradient of {view.name} is exactly {c:.6g} times the right one{sign}, and 2 is {words}.",
                MEDIUM,
                axis=axis,
            )
    for name, value in CONSTANTS.items():
        if is_(value) or is_(1 / value):
            yield view.say(
                "factor",
                f"The gradient of {view.name} is off by the constant {name} ({c:.6g} times the right one){sign}.",
                expression=name,
            )
            return
    yield view.say(
        "factor",
        f"The gradient of {view.name} is exactly {c:.6g} times the right one: a constant factor is wrong.",
        MEDIUM,
        expression=f"{c:.6g}",
    )


def rearranged(view: View) -> Iterator[Diagnosis]:
    """The right numbers in the wrong places."""
    if not view.complete:
        return
    shape, rows = view.shape, len(view.n)
    a, n = view.a.reshape(rows, *shape), view.n.reshape(rows, *shape)
    slack = float(view.slack.max(initial=0.0))
    if (
        view.full
        and view.a.shape[0] == view.a.shape[1] > 1
        and view.same(view.a, view.n.T, slack)
        and not view.same(view.n, view.n.T, slack)
    ):
        yield view.say(
            "jacobian_transposed",
            f"For {view.name} you apply the operation itself to g, and its gradient is the operation turned around: "
            "the transposed Jacobian. In a product, a transpose is missing or one too many.",
            expression="J g instead of J^T g",
        )
    ndim = len(shape)
    for axes in itertools.permutations(range(ndim)):
        if (
            axes != tuple(range(ndim))
            and tuple(shape[i] for i in axes) == shape
            and view.same(a, n.transpose(0, *(i + 1 for i in axes)), slack)
        ):
            moved = tuple(i for i, j in enumerate(axes) if i != j)
            yield view.say(
                "transpose",
                f"The gradient of {view.name} is right but for the order of the axes {moved}: transpose it, or the "
                "operand that makes it.",
                axis=moved,
                expression=".T",
            )
    for axis in range(ndim):
        if shape[axis] > 1 and view.same(a, np.flip(n, axis + 1), slack):
            yield view.say(
                "flipped",
                f"The gradient of {view.name} is right but for its direction along axis {axis}: reverse it there.",
                axis=axis,
                expression=f"np.flip(g, {axis})",
            )
        for shift in range(1, shape[axis]):
            if view.same(a, np.roll(n, shift, axis + 1), slack):
                yield view.say(
                    "shifted",
                    f"The gradient of {view.name} is right but shifted by {shift} along axis {axis}.",
                    axis=axis,
                    expression=f"np.roll(g, {-shift}, {axis})",
                )
    if ndim > 1 and view.same(a, np.flip(n, tuple(range(1, ndim + 1))), slack):
        yield view.say(
            "flipped", f"The gradient of {view.name} is right but reversed along all axes.", axis=tuple(range(ndim))
        )
    yield from upstream_rearranged(view)
    permuted = view.same(np.sort(view.a, axis=1), np.sort(view.n, axis=1), slack) and view.a.shape[1] > 2
    if permuted and float(np.abs(view.n).max(initial=0.0)) > 0:
        yield view.say(
            "permuted",
            f"The gradient of {view.name} has the right numbers in the wrong places: each g must go back to the entry "
            "that its output came from. A sort or an index needs the inverse order, a transpose a transpose (a reshape "
            "is none), a convolution the kernel turned around.",
            MEDIUM,
            expression="np.argsort(order)",
        )


def upstream_rearranged(view: View) -> Iterator[Diagnosis]:
    """The rule is right for a g with its axes in another order."""
    if not view.full or len(view.evidence.ys) != 1:
        return
    out = view.evidence.ys[0].shape
    index = np.arange(math.prod(out)).reshape(out)
    slack = float(view.slack.max(initial=0.0))
    for axes in itertools.permutations(range(len(out))):
        if (
            axes != tuple(range(len(out)))
            and tuple(out[i] for i in axes) == out
            and view.same(view.a, view.n[index.transpose(axes).ravel()], slack)
        ):
            yield view.say(
                "transpose",
                f"The gradient of {view.name} is right for g with its axes in the order {axes}: g must not be "
                "transposed, or has to be.",
                expression="g.T",
            )
    for axis in range(len(out)):
        if out[axis] > 1 and view.same(view.a, view.n[np.flip(index, axis).ravel()], slack):
            yield view.say(
                "flipped", f"The gradient of {view.name} is right for a g reversed along axis {axis}.", axis=axis
            )


def missing_entries(view: View) -> Iterator[Diagnosis]:
    """Some slopes are 0 in the rule, and the others right."""
    if not view.full:
        return
    zero = (view.a == 0) & view.visible
    right = view.equal(view.a, view.n)
    if not zero.any() or not np.all(right | zero):
        return
    m, n = view.n.shape
    if view.complete and view.evidence.ys and any(y.shape == view.shape for y in view.evidence.ys) and m == n:
        off = ~np.eye(n, dtype=bool)
        if np.all(zero[off & view.visible]) and not np.any(zero & ~off):
            yield view.say(
                "diagonal_only",
                f"Each output depends on several entries of {view.name}; you filled only the diagonal of the Jacobian, "
                "where output i meets entry i.",
                expression="J[i, j] for i != j",
            )
    yield from _lost_rows(view, zero)
    per_column = view.visible.sum(0)
    kept = (view.visible & ~zero).sum(0)
    repeated = per_column > 1
    if repeated.any() and np.all(kept[repeated] == 1) and np.all(kept[~repeated] == per_column[~repeated]):
        yield view.say(
            "assign_for_add",
            f"Entries of {view.name} that are used several times get the gradient of one use only: add up, with "
            "np.add.at, where you assign.",
            expression="np.add.at",
        )


def _lost_rows(view: View, zero: np.ndarray) -> Iterator[Diagnosis]:
    """Only some outputs send a gradient."""
    if len(view.evidence.ys) > 1:
        start = 0
        for i, y in enumerate(view.evidence.ys):
            part = slice(start, start + y.size)
            start += y.size
            lost = np.zeros(len(zero), bool)
            lost[part] = True
            if np.all(zero[lost] == view.visible[lost]) and zero[lost].any() and not zero[~lost].any():
                yield view.say(
                    "lost_output",
                    f"The gradient of {view.name} leaves out what comes from output {i}: add up the contributions of "
                    "all outputs.",
                    CERTAIN,
                    expression=f"output {i}",
                )
        return
    out = view.evidence.ys[0].shape
    if not out or math.prod(out) != len(zero):
        return
    lost = (zero.sum(1) == view.visible.sum(1)) & (view.visible.sum(1) > 0)
    if np.any(zero[~lost]):
        return
    alive = (~lost & (view.visible.sum(1) > 0)).reshape(out)
    for axis, n in enumerate(out):
        used = alive.any(axis=tuple(i for i in range(len(out)) if i != axis))
        if used.sum() == 1 and n > 1:
            at = int(np.flatnonzero(used)[0])
            yield view.say(
                "one_slice",
                f"Only g[{', '.join([':'] * axis + [str(at)])}] reaches {view.name}: add up all {n} slices along axis "
                f"{axis}, where you take one.",
                axis=axis,
                expression=f"g.sum({axis})",
            )


def swapped(views: list[View]) -> Iterator[Diagnosis]:
    """Two inputs have each other's gradients."""
    for one, two in itertools.combinations(views, 2):
        if one.a.shape == two.n.shape and one.complete and two.complete:
            slack = np.maximum(one.slack, two.slack)
            if one.same(one.a, two.n, slack) and two.same(two.a, one.n, slack) and not one.same(one.n, two.n, slack):
                opposite = one.same(one.a, -one.n, slack)
                yield one.say(
                    "swapped",
                    f"The gradients of {one.name} and {two.name} are each other's: swap them"
                    f"{', or turn the sign of both, which is the same here' if opposite else ''}.",
                    expression=f"{one.name}, {two.name}",
                )
