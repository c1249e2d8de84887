"""The distance of two Gaussians is the closed form's, and the features are scikit-learn's PCA."""

import tracemalloc

import numpy as np
import pytest
from sklearn.decomposition import PCA

from ae.data import load
from ae.evaluation import PrincipalFeatures, frechet_distance

RNG = np.random.default_rng(0)
IMAGES = load("digits").train_images


def covariance(size):
    root = RNG.normal(size=(size, size))
    return root @ root.T


def test_of_gaussians_on_the_line_it_is_the_difference_of_means_and_of_deviations_squared():
    distance = frechet_distance(np.array([1.0]), np.array([[4.0]]), np.array([-2.0]), np.array([[0.25]]))
    assert distance == pytest.approx(3**2 + (2 - 0.5) ** 2)


def test_of_gaussians_with_common_axes_it_adds_up_over_the_axes():
    axes, _ = np.linalg.qr(RNG.normal(size=(4, 4)))
    first, second = np.array([1.0, 2.0, 0.0, 3.0]), np.array([4.0, 0.5, 0.0, 1.0])
    found = frechet_distance(np.zeros(4), (axes * first**2) @ axes.T, np.ones(4), (axes * second**2) @ axes.T)
    assert found == pytest.approx(4 + np.square(first - second).sum())


def test_it_is_symmetric_zero_to_itself_and_never_negative():
    a, b = (RNG.normal(size=5), covariance(5)), (RNG.normal(size=5), covariance(5))
    assert frechet_distance(*a, *b) == pytest.approx(frechet_distance(*b, *a))
    assert frechet_distance(*a, *b) > 0
    assert 0 <= frechet_distance(*a, *a) < 1e-9


def test_it_agrees_with_the_root_of_the_product_of_covariances():
    c, d = covariance(4), covariance(4)
    cross = np.sqrt(np.linalg.eigvals(c @ d).real).sum()
    expected = np.trace(c) + np.trace(d) - 2 * cross
    assert frechet_distance(np.zeros(4), c, np.zeros(4), d) == pytest.approx(expected)


def test_features_are_scikit_learns_up_to_sign():
    oracle = PCA(7).fit(IMAGES)
    features = PrincipalFeatures(IMAGES, 7)
    np.testing.assert_allclose(np.abs(features(IMAGES)), np.abs(oracle.transform(IMAGES)), atol=1e-4)


def test_features_of_many_images_take_less_memory_than_a_copy_of_them():
    images = RNG.random((20_000, 100), dtype=np.float32)
    tracemalloc.start()
    try:
        PrincipalFeatures(images, 5)(images)
        assert tracemalloc.get_traced_memory()[1] < images.nbytes / 2
    finally:
        tracemalloc.stop()


def test_a_shift_of_all_images_costs_its_length_squared():
    features = PrincipalFeatures(IMAGES, 10)
    shift = 0.3 * features.vectors[:, 0] + 0.4 * features.vectors[:, 5]
    assert features.distance(IMAGES + shift, IMAGES) == pytest.approx(0.25, rel=1e-4)


def test_of_few_images_there_are_fewer_components():
    assert PrincipalFeatures(IMAGES[:4])(IMAGES).shape == (len(IMAGES), 3)


def test_a_single_image_has_no_covariance():
    with pytest.raises(ValueError, match="two images at least, got 1"):
        PrincipalFeatures(IMAGES).distance(IMAGES[:1], IMAGES)
