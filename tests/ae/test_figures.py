"""The pictures of a run show what its model says of the images, told their labels."""

from pathlib import Path

import numpy as np
import pytest

from ae import figures
from ae.data import load
from ae.models import ConditionalVAE, Model


class Labelled(Model):
    """Draws every image as its label, in tenths of white."""

    def reconstruct(self, images, labels=None):
        return images * 0 + labels.unsqueeze(1) / 10


def test_reconstructions_are_drawn_below_their_images_and_of_their_labels():
    glyphs = load("glyphs")
    figure = figures.reconstructions(Labelled(), glyphs.test_images, glyphs.test_labels, (5, 5))
    canvas = figure.axes[0].images[0].get_array()
    for label in range(10):
        left = 1 + 6 * label
        assert np.array_equal(canvas[1:6, left : left + 5], glyphs.test_images[label].reshape(5, 5))
        np.testing.assert_allclose(canvas[7:12, left : left + 5], label / 10, rtol=1e-6)


def test_a_conditional_model_need_not_guess_the_labels(tmp_path, monkeypatch):
    glyphs, model = load("glyphs"), ConditionalVAE(25, 8, 2)
    monkeypatch.setattr(model, "classify", lambda images: pytest.fail("it guessed"))
    figures.draw_all(tmp_path, model, [], glyphs.test_images, glyphs.test_labels, (5, 5))
    assert {path.name for path in tmp_path.iterdir()} == {"reconstructions.png", "samples.png"}


def test_a_disk_that_fills_up_leaves_no_half_picture(tmp_path, monkeypatch):
    def full(path, content):
        with path.open("wb") as file:
            file.write(content[:100])
        raise OSError(28, "No space left on device")

    glyphs = load("glyphs")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"No space left.*reconstructions\.png"):
        figures.draw_all(tmp_path, ConditionalVAE(25, 8, 2), [], glyphs.test_images, glyphs.test_labels, (5, 5))
    assert not list(tmp_path.iterdir())
