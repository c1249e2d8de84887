"""The pictures of known factors are all combinations, each the glyph in its place and brightness."""

import numpy as np
import pytest

from ae.data import GLYPHS, glyph_factors, load


@pytest.mark.parametrize(
    ("shape", "counts"), [((5, 5), [10, 4]), ((8, 8), [10, 4, 4, 4]), ((28, 28), [10, 4, 5, 5]), ((5, 7), [10, 4, 3])]
)
def test_the_pictures_are_all_combinations_of_the_factors(shape, counts):
    factors = glyph_factors(shape)
    assert [len(np.unique(values)) for values in factors.values.values()] == counts
    assert factors.images.shape == (np.prod(counts), np.prod(shape))
    assert len(np.unique(factors.images, axis=0)) == len(factors.images)
    assert factors.images.dtype == np.float32


def test_a_picture_is_the_glyph_in_its_place_and_brightness():
    factors = glyph_factors((8, 8))
    chosen = (factors.values["digit"] == 7) & (factors.values["brightness"] == 0)
    chosen &= (factors.values["row"] == 1) & (factors.values["column"] == 3)
    (image,) = factors.images[chosen].reshape(-1, 8, 8)
    np.testing.assert_allclose(image[1:6, 3:8], 0.4 * GLYPHS[7])
    assert image.sum() == pytest.approx(0.4 * GLYPHS[7].sum())


def test_a_frame_too_small_for_a_glyph_is_refused():
    with pytest.raises(ValueError, match="at least 5x5 pixels, got 4x9"):
        glyph_factors((4, 9))


def test_the_moving_glyphs_are_split_by_combinations_of_which_every_value_is_learned():
    splits, factors = load("moving-glyphs"), glyph_factors((8, 8))
    assert (len(splits.train_images), len(splits.test_images), splits.image_shape) == (512, 128, (8, 8))
    pictures = {image.tobytes(): i for i, image in enumerate(factors.images)}
    train, test = ([pictures[image.tobytes()] for image in part] for part in (splits.train_images, splits.test_images))
    assert sorted(train + test) == list(range(640))
    for values in factors.values.values():
        for rows in (train, test):
            counts = np.unique(values[rows], return_counts=True)[1]
            assert len(counts) == len(np.unique(values))
            assert counts.min() > 0.7 * counts.max()
    assert (factors.values["digit"][test] == splits.test_labels).all()
