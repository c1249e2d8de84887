"""Slopes without a rule: how exact they are, how honest about their error, and what they do at kinks, jumps and rounding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minigrad.autograd.checking import complex_step
from minigrad.autograd.checking.compare import Evidence, Tolerance
from minigrad.autograd.checking.numeric import EPS, JUMP, KINK, SMOOTH, noise_of, slopes
from minigrad.autograd.checking.problem import RuleProblem

SEVEN: list[tuple[str, Callable[[Any], Any], Callable[[Any], Any], float]] = [
    ("sin", np.sin, np.cos, 0.7),
    ("exp", np.exp, np.exp, 1.3),
    ("log", np.log, lambda x: 1 / x, 0.8),
    ("tanh", np.tanh, lambda x: 1 - np.tanh(x) ** 2, -0.4),
    ("power", lambda x: x**5, lambda x: 5 * x**4, 1.1),
    ("1/x", lambda x: 1 / x, lambda x: -1 / x**2, 0.6),
    ("sqrt", np.sqrt, lambda x: 0.5 / np.sqrt(x), 0.9),
]


def at(f: Callable[[Any], Any], x: float, noise: float | None = None, h: float = 1e-3) -> Any:
    y = np.atleast_1d(np.asarray(f(x)))
    return slopes(lambda place: np.atleast_1d(np.asarray(f(place))), x, y, np.abs(y) * (noise or 2 * EPS), h)


@pytest.mark.parametrize(("f", "slope", "x"), [row[1:] for row in SEVEN], ids=[row[0] for row in SEVEN])
def test_extrapolated_differences_have_ten_digits_and_know_their_error(f: Any, slope: Any, x: float) -> None:
    found = at(f, x)
    gap = abs(found.value[0] - slope(x))
    assert gap < 1e-10 * abs(slope(x))
    assert gap <= 10 * found.error[0]
    plain = (f(x + 1e-6) - f(x - 1e-6)) / 2e-6  # what a fixed step of 1e-6 gives
    assert gap < abs(plain - slope(x))


@pytest.mark.parametrize("x", [1e-8, 1e-4, 1.0, 1e4, 1e8])
def test_the_step_fits_small_and_large_points(x: float) -> None:
    found = at(np.log, x, h=1e-3 * max(1.0, x))
    assert found.kind[0] == SMOOTH
    assert abs(found.value[0] * x - 1) < 1e-6


def test_a_fast_function_makes_the_step_smaller() -> None:
    found = at(lambda x: np.sin(300 * x), 0.2)
    assert abs(found.value[0] - 300 * np.cos(60)) < 1e-6


def test_on_a_kink_both_slopes_are_told() -> None:
    found = at(lambda x: np.where(x > 0, 3 * x, -x), 0.0)
    assert found.kind[0] == KINK
    assert (found.left[0], found.right[0]) == pytest.approx((-1.0, 3.0))


@pytest.mark.parametrize("distance", [1e-11, 1e-9, 3e-7, 1e-5, 1e-3])
@pytest.mark.parametrize("side", [-1, 1])
def test_beside_a_kink_the_slope_is_that_of_the_side(distance: float, side: int) -> None:
    found = at(lambda x: np.where(x > 0, np.sin(3 * x), np.sin(x)), side * distance)
    assert found.kind[0] == SMOOTH
    right = 3 * np.cos(3 * distance) if side > 0 else np.cos(distance)
    assert abs(found.value[0] - right) <= max(10 * found.error[0], 1e-8)
    assert abs(found.value[0] - right) < 1e-3


@pytest.mark.parametrize("f", [np.sign, np.floor, lambda x: np.where(x > 0, x + 1, x)])
def test_a_jump_is_no_slope(f: Any) -> None:
    assert at(f, 0.0).kind[0] == JUMP


def test_stairs_are_flat_or_not_judged() -> None:
    for x in (217.75740177903242, -1649.826691089833):
        found = at(np.trunc, x, h=1e-3 * abs(x))
        assert found.kind[0] == JUMP or abs(found.value[0]) <= 10 * found.error[0]


def test_a_slope_with_a_kink_of_its_own_has_an_honest_error() -> None:
    found = at(lambda x: np.where(x > 0, x, np.expm1(x)), 0.0)  # elu: its slope is 1, with a kink
    assert abs(found.value[0] - 1) <= 10 * found.error[0]


@pytest.mark.parametrize("power", [1.2, 1.5])
@pytest.mark.parametrize("x", [5.496037257606662e-10, -4.4e-10, 3e-8, 1e-6])
def test_a_slope_without_a_bound_on_its_own_slope_has_an_honest_error(power: float, x: float) -> None:
    found = at(lambda v: 1.26 + np.abs(v) ** power, x)
    right = power * np.abs(x) ** (power - 1) * np.sign(x)
    assert found.kind[0] != SMOOTH or abs(found.value[0] - right) <= 10 * found.error[0]


def single(x: Any) -> Any:
    return np.float32(np.sin(np.float32(x))) * np.float64(1.0)


def test_the_noise_of_float32_inside_a_function_is_seen() -> None:
    def line(f: Any, start: float) -> Any:
        return lambda t: np.array([f(0.7 * (start + t))])

    places = (1.0, 1.00001, 0.99998)
    assert noise_of([line(np.sin, s) for s in places], 1e-6)[0] < 1e-15
    assert 1e-9 < noise_of([line(single, s) for s in places], 1e-6)[0] < 1e-6


def test_an_error_that_rises_as_the_step_falls_is_rounding() -> None:
    found = at(single, 0.7, noise=1e-7)
    assert abs(found.value[0] - np.cos(0.7)) <= 10 * found.error[0]
    assert abs(found.value[0] - np.cos(0.7)) < 1e-3


# The complex step


def is_holomorphic(f: Any, x: Any) -> bool:
    problem = RuleProblem(f, lambda g, x: g, [x])
    return Evidence(problem, problem.xs, Tolerance(), np.random.default_rng(0))._holomorphic()


X = np.random.default_rng(1).standard_normal((3, 4))


@pytest.mark.parametrize(
    "f",
    [
        np.tanh,
        lambda x: (np.exp(x) * x).sum(0) / 3,
        lambda x: x @ x.T,
        lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    ],
)
def test_the_complex_step_is_used_where_it_is_sound_and_exact_there(f: Any) -> None:
    assert is_holomorphic(f, X)
    problem = RuleProblem(f, lambda g, x: g, [X])
    evidence = Evidence(problem, problem.xs, Tolerance(), np.random.default_rng(0))
    way = [np.ones_like(X)]
    exact = complex_step.slope(problem, problem.xs, way)
    known = slopes(lambda t: evidence.flat([X + t]), 0.0, evidence.y, evidence.noise, 1e-3)
    np.testing.assert_allclose(exact, known.value, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    "f",
    [
        np.abs,
        lambda x: np.linalg.norm(x),
        lambda x: x.std(),
        lambda x: x.var(0),
        lambda x: np.conj(x) * x,
        lambda x: x.astype(np.float32) * 2.0,
        lambda x: np.where(x > 0, x, 2 * x),
        lambda x: np.maximum(x, 0) * x,
        lambda x: np.real(x) * x,
        lambda x: np.asarray(np.array(x, np.float64)) * 2,
    ],
    ids=["abs", "norm", "std", "var", "conj", "float32", "where", "maximum", "real", "array"],
)
def test_the_complex_step_is_not_used_where_it_would_silently_be_wrong(f: Any) -> None:
    assert not is_holomorphic(f, X)
