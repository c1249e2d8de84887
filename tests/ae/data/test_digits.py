"""The bundled digits: the same pixels as scikit-learn's, split the same way every time, with their licence."""

from importlib import resources

import numpy as np
import pytest

from ae.data import load


def every_image(splits):
    return np.concatenate([splits.train_images, splits.test_images])


def test_every_digit_of_scikit_learn_is_in_one_split_in_its_order():
    datasets = pytest.importorskip(
        "sklearn.datasets", reason="scikit-learn, the origin of the digits, is not installed"
    )
    theirs = datasets.load_digits()
    test = np.zeros(1797, dtype=bool)
    seen = [0] * 10
    for i, label in enumerate(theirs.target):
        seen[label] += 1
        test[i] = seen[label] % 5 == 0
    splits = load("digits")
    np.testing.assert_array_equal(splits.train_images, theirs.data[~test] / 16)
    np.testing.assert_array_equal(splits.test_images, theirs.data[test] / 16)
    np.testing.assert_array_equal(splits.train_labels, theirs.target[~test])
    np.testing.assert_array_equal(splits.test_labels, theirs.target[test])


def test_shapes_and_types():
    splits = load("digits")
    assert splits.train_images.shape == (1442, 64)
    assert splits.test_images.shape == (355, 64)
    assert splits.image_shape == (8, 8)
    assert splits.train_images.dtype == splits.test_images.dtype == np.float32
    assert splits.train_labels.dtype == splits.test_labels.dtype == np.int64
    assert repr(splits) == "Splits('digits', train=1442, test=355, 8x8)"


def test_pixels_are_sixteenths_from_zero_to_one():
    pixels = np.unique(every_image(load("digits")))
    np.testing.assert_array_equal(pixels, np.arange(17) / 16)


def test_a_fifth_of_every_class_is_for_testing():
    splits = load("digits")
    train, test = np.bincount(splits.train_labels), np.bincount(splits.test_labels)
    np.testing.assert_array_equal(test, (train + test) // 5)


def test_no_test_image_is_trained_on():
    splits = load("digits")
    trained = {row.tobytes() for row in splits.train_images}
    assert not any(row.tobytes() in trained for row in splits.test_images)


def test_two_loads_are_equal_and_independent():
    first, second = load("digits"), load("digits")
    np.testing.assert_array_equal(first.train_images, second.train_images)
    np.testing.assert_array_equal(first.test_labels, second.test_labels)
    first.train_images[:] = 0
    assert load("digits").train_images.max() == 1


@pytest.mark.parametrize(("k", "error"), [(2, 0.0524), (8, 0.0239), (10, 0.0192), (16, 0.0110)])
def test_principal_components_leave_the_known_error(k, error):
    images = every_image(load("digits")).astype(np.float64)
    singular = np.linalg.svd(images - images.mean(axis=0), compute_uv=False)
    assert (singular[k:] ** 2).sum() / images.size == pytest.approx(error, abs=5e-5)


def test_bundled_file_is_small_and_bears_its_licences():
    folder = resources.files("ae.data")
    assert len(folder.joinpath("digits.npz").read_bytes()) <= 45_000
    notice = folder.joinpath("NOTICE").read_text(encoding="utf-8")
    for words in ["Alpaydin", "Kaynak", "scikit-learn", "BSD 3-Clause", "Redistributions in binary form", "CC BY 4.0"]:
        assert words in notice
