"""No operation without its test: every rule in ``minigrad.ops`` is used by a row of a table."""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import minigrad
import minigrad.ops
from minigrad.engine import Primitive
from tests.minigrad.ops.cases import Case, values
from tests.minigrad.ops.compare import attempt, compare, gradients
from tests.minigrad.ops.row import Row
from tests.minigrad.ops.table import ROWS


def primitives() -> dict[str, Primitive]:
    """The primitives with rules, by module and name."""
    found: dict[int, tuple[str, Primitive]] = {}
    for info in pkgutil.iter_modules(minigrad.ops.__path__, "minigrad.ops."):
        for name, value in vars(importlib.import_module(info.name)).items():
            if isinstance(value, Primitive) and value.rules and value.__module__ != "minigrad.mutation":
                found.setdefault(id(value), (f"{info.name}.{name}", value))
    return dict(found.values())


def exercise(row: Row) -> None:
    """Run the row's operation a few times, with gradients of gradients."""

    @settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=row.cases)
    def a_few_times(case: Case) -> None:
        rng = np.random.default_rng(0)
        xs = [minigrad.tensor(values(rng, s, "smooth", row.domain), requires_grad=True) for s in case.shapes]
        outputs = attempt(minigrad, row, case, xs)
        live = [] if isinstance(outputs, Exception) else [y for y in outputs if y.requires_grad]
        if live:
            ones = [np.ones(tuple(y.shape)) for y in live]
            first, gs = gradients(minigrad, live, xs, ones, True)
            again = [g for g in first if g.requires_grad]
            if again:
                gradients(minigrad, again, xs + gs, [np.ones(tuple(g.shape)) for g in again], True)

    a_few_times()


def test_every_rule_is_used_by_a_row_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[tuple[int, int]] = set()
    call = Primitive.__call__

    def watched(self: Primitive, *args: Any, **options: Any) -> Any:
        y = call(self, *args, **options)
        if getattr(y, "needs_grad", False):
            inputs = [*enumerate(args), *((self.names.index(n), x) for n, x in options.items() if n in self.names)]
            used.update((id(self), 0 if self.variadic else i) for i, x in inputs if getattr(x, "needs_grad", False))
        return y

    monkeypatch.setattr(Primitive, "__call__", watched)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for row in ROWS:
            if row.order:
                exercise(row)
    unused = [
        f"{name}, input {p.names[i]}" for name, p in primitives().items() for i in p.rules if (id(p), i) not in used
    ]
    assert not unused, f"rules without a row in tests/minigrad/ops/tables: {unused}"


def test_no_two_rows_have_one_name() -> None:
    names = [row.name for row in ROWS]
    assert sorted(set(names)) == sorted(names)


# The checkers themselves: each must fail on a planted wrong answer.


def wrong(forward: Any, rule: Any) -> Row:
    planted = Primitive(forward)
    planted.vjp(x=rule)
    return Row("planted", lambda m, x: planted(x), st.just(Case(((3,),), {})), torch=lambda m, x: x.sin())


def sine(x: Any) -> Any:
    return np.sin(x)


def rounded(x: Any) -> Any:
    return np.sin(x).astype(np.float32)


X = [np.array([0.3, -1.2, 2.0])]


def test_comparison_passes_the_right_rule() -> None:
    row = wrong(sine, lambda g, x: g * minigrad.cos(x))
    compare(row, Case(((3,),), {}), X, [True], 2, 0)


@pytest.mark.parametrize(
    ("forward", "rule", "order", "message"),
    [
        (lambda x: np.sin(x) + 1e-6, lambda g, x: g * minigrad.cos(x), 0, "value"),
        (rounded, lambda g, x: g * minigrad.cos(x), 0, "dtype"),
        (lambda x: np.sin(x)[None], lambda g, x: g * minigrad.cos(x), 0, "shape"),
        (sine, lambda g, x: -g * minigrad.cos(x), 1, "gradient 0"),
        (sine, lambda g, x: g * np.cos(x.array if hasattr(x, "array") else x), 2, "second gradient"),
    ],
    ids=["value", "type", "shape", "gradient", "second gradient"],
)
def test_comparison_fails_on_a_planted_error(forward: Any, rule: Any, order: int, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        compare(wrong(forward, rule), Case(((3,),), {}), X, [True], order, 0)


def test_comparison_fails_on_an_input_that_was_changed() -> None:
    def changing(x: Any) -> Any:
        y = np.sin(x)
        x[0] = 7
        return y

    with pytest.raises(AssertionError, match="changed"):
        compare(wrong(changing, lambda g: g), Case(((3,),), {}), [X[0].copy()], [True], 0, 0)
