"""The gap is 1 for a code that gives each factor a number of its own and 0 for one that says all twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score

from ae.data import glyph_factors
from ae.evaluation import mutual_information, mutual_information_gap

FACTORS = glyph_factors((28, 28))
PERFECT = np.column_stack(list(FACTORS.values.values())).astype(float)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-2, 2)), min_size=1, max_size=60))
def test_mutual_information_is_scikit_learns(pairs):
    x, y = np.array(pairs).T
    assert mutual_information(x, y) == pytest.approx(mutual_info_score(x, y), abs=1e-12)


def test_a_perfectly_disentangled_code_has_the_gap_one():
    gap, each = mutual_information_gap(PERFECT, FACTORS.values)
    assert gap == pytest.approx(1)
    assert each == pytest.approx(dict.fromkeys(("digit", "brightness", "row", "column"), 1.0))


def test_order_scale_and_idle_units_do_not_matter():
    noise = np.random.default_rng(0).normal(size=(len(PERFECT), 1)) * 0
    code = np.hstack((noise, -3 * PERFECT[:, ::-1] + 7, noise))
    assert mutual_information_gap(code, FACTORS.values)[0] == pytest.approx(1)


def test_a_code_that_says_everything_twice_has_the_gap_zero():
    assert mutual_information_gap(np.hstack((PERFECT, PERFECT)), FACTORS.values)[0] == pytest.approx(0)


def test_a_constant_code_has_the_gap_zero():
    assert mutual_information_gap(np.zeros((len(PERFECT), 3)), FACTORS.values)[0] == pytest.approx(0)


def test_a_code_of_half_the_factors_has_half_the_gap():
    gap, each = mutual_information_gap(PERFECT[:, :2], FACTORS.values)
    assert gap == pytest.approx(0.5)
    assert each["row"] == pytest.approx(0)


def test_one_unit_has_no_second():
    assert mutual_information_gap(PERFECT[:, :1], {"digit": FACTORS.values["digit"]})[0] == pytest.approx(1)
