"""The ten glyphs: drawn as the tutorial says, far enough apart, and safe from being changed by those who use them."""

import itertools

import numpy as np
import pytest

from ae.data import GLYPHS, glyph, load, zero


def test_the_zero_is_a_ring():
    np.testing.assert_array_equal(
        zero(), [[0, 1, 1, 1, 0], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [0, 1, 1, 1, 0]]
    )


def test_the_seven_is_a_bar_and_a_slope():
    np.testing.assert_array_equal(
        glyph(7), [[1, 1, 1, 1, 1], [0, 0, 0, 0, 1], [0, 0, 0, 1, 0], [0, 0, 1, 0, 0], [0, 0, 1, 0, 0]]
    )


def test_only_two_and_three_differ_in_fewer_than_five_pixels():
    distances = {(a, b): int((GLYPHS[a] != GLYPHS[b]).sum()) for a, b in itertools.combinations(range(10), 2)}
    assert distances[2, 3] == 4
    assert min(distance for pair, distance in distances.items() if pair != (2, 3)) == 5


def test_one_flipped_pixel_leaves_the_right_glyph_the_nearest():
    flat = GLYPHS.reshape(10, 25)
    for digit, pixel in itertools.product(range(10), range(25)):
        damaged = flat[digit].copy()
        damaged[pixel] = 1 - damaged[pixel]
        distances = np.abs(flat - damaged).sum(axis=1)
        assert (distances <= 1).nonzero()[0].tolist() == [digit]


def test_glyphs_less_their_mean_have_rank_nine():
    flat = GLYPHS.reshape(10, 25)
    assert np.linalg.matrix_rank(flat - flat.mean(axis=0)) == 9


def test_pixels_are_zeros_and_ones_of_float32():
    assert GLYPHS.dtype == np.float32
    assert GLYPHS.shape == (10, 5, 5)
    assert set(np.unique(GLYPHS)) == {0, 1}


def test_a_glyph_is_a_copy():
    glyph(3)[:] = 7
    assert glyph(3).max() == 1


def test_the_shared_array_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        GLYPHS[0, 0, 0] = 5


@pytest.mark.parametrize("digit", [-1, 10])
def test_glyph_of_no_digit_says_which_there_are(digit):
    with pytest.raises(ValueError, match="0 to 9, got"):
        glyph(digit)


def test_all_ten_are_trained_on_and_tested_with():
    splits = load("glyphs")
    for images, labels in [
        (splits.train_images, splits.train_labels),
        (splits.test_images, splits.test_labels),
    ]:
        np.testing.assert_array_equal(images, GLYPHS.reshape(10, 25))
        np.testing.assert_array_equal(labels, np.arange(10))
        assert (images.dtype, labels.dtype) == (np.float32, np.int64)
    assert splits.image_shape == (5, 5)


def test_changing_the_training_glyphs_leaves_the_test_glyphs_alone():
    splits = load("glyphs")
    splits.train_images[:] = 0
    splits.train_labels[:] = 0
    np.testing.assert_array_equal(splits.test_images, GLYPHS.reshape(10, 25))
    np.testing.assert_array_equal(load("glyphs").train_images, GLYPHS.reshape(10, 25))
    assert splits.test_labels[9] == 9
