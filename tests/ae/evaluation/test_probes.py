"""The probes are scikit-learn's, number for number."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from ae.data import load
from ae.evaluation import fit_softmax, linear_probe, minimize, nearest_neighbours

RNG = np.random.default_rng(0)
DIGITS = load("digits")
PROJECTION = RNG.normal(size=(64, 6))
CODES = DIGITS.train_images[:600] @ PROJECTION, DIGITS.train_labels[:600]
TEST_CODES = DIGITS.test_images @ PROJECTION, DIGITS.test_labels


def test_softmax_regression_finds_scikit_learns_minimum():
    x, y = CODES
    x = (x - x.mean(0)) / x.std(0)
    penalty = 1e-2
    weight, bias = fit_softmax(x, y, 10, penalty)
    oracle = LogisticRegression(C=1 / (penalty * len(x)), tol=1e-10, max_iter=5000).fit(x, y)
    np.testing.assert_allclose(weight, oracle.coef_.T, atol=1e-4)
    np.testing.assert_allclose(bias - bias.mean(), oracle.intercept_ - oracle.intercept_.mean(), atol=1e-4)


def test_the_linear_probe_is_scikit_learns_accuracy():
    centre, scale = CODES[0].mean(0), CODES[0].std(0)
    oracle = LogisticRegression(C=1 / (1e-4 * 600), tol=1e-10, max_iter=5000).fit((CODES[0] - centre) / scale, CODES[1])
    expected = oracle.score((TEST_CODES[0] - centre) / scale, TEST_CODES[1])
    assert linear_probe(*CODES, *TEST_CODES) == pytest.approx(expected, abs=1 / 355)


def test_a_constant_code_tells_the_commonest_class_at_best():
    train, test = np.ones((100, 2)), np.ones((50, 2))
    labels = np.array([0] * 60 + [1] * 40)
    assert linear_probe(train, labels, test, np.zeros(50, dtype=int)) == 1.0
    assert linear_probe(train, labels, test, np.ones(50, dtype=int)) == 0.0


def test_labels_need_not_count_from_zero():
    codes = np.array([[0.0], [0.1], [5.0], [5.1]])
    labels = np.array([3, 3, 8, 8])
    assert linear_probe(codes, labels, codes, labels) == 1.0
    assert nearest_neighbours(codes, labels, codes, labels, k=1) == 1.0


@pytest.mark.parametrize("k", [1, 2, 5, 10])
def test_nearest_neighbours_vote_as_scikit_learns_do(k):
    expected = KNeighborsClassifier(k).fit(*CODES).score(*TEST_CODES)
    assert nearest_neighbours(*CODES, *TEST_CODES, k=k) == expected


def test_with_fewer_codes_than_neighbours_all_vote():
    codes, labels = np.array([[0.0], [1.0], [2.0]]), np.array([1, 1, 0])
    assert nearest_neighbours(codes, labels, np.array([[2.0]]), np.array([1]), k=50) == 1.0


def test_the_minimum_of_a_badly_scaled_parabola_is_found():
    scales = np.logspace(-1, 2, 20)
    centre = RNG.normal(size=20)
    found = minimize(lambda x: (0.5 * (scales * (x - centre) ** 2).sum(), scales * (x - centre)), np.zeros(20))
    np.testing.assert_allclose(found, centre, atol=1e-4)
