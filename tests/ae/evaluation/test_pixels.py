"""Errors of pictures agree with PyTorch's, and the floor of grey pixels with the published figure's formula."""

import numpy as np
import pytest
import torch

import minigrad
from ae.data import load
from ae.evaluation import cross_entropy, denoising, grey_floor, squared_error
from ae.models import Model

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(0, 1, (7, 9)).astype(np.float32)
COPIES = RNG.uniform(0, 1, (7, 9)).astype(np.float32)


class Copying(Model):
    """A model that gives back what it sees."""

    def reconstruct(self, images, labels=None):
        return images


class Mending(Model):
    """A model that knows the images by heart."""

    def __init__(self, images):
        super().__init__()
        self.images = minigrad.from_numpy(images)

    def reconstruct(self, images, labels=None):
        return self.images


def test_squared_error_is_pytorchs_summed_over_pixels():
    expected = torch.nn.functional.mse_loss(torch.tensor(COPIES), torch.tensor(IMAGES), reduction="sum") / 7
    assert squared_error(COPIES, IMAGES) == pytest.approx(expected.item(), rel=1e-6)


def test_cross_entropy_is_pytorchs_summed_over_pixels_also_at_the_edges():
    probabilities = COPIES.copy()
    probabilities[0, :2] = 0, 1
    expected = torch.nn.functional.binary_cross_entropy(
        torch.tensor(probabilities).double(), torch.tensor(IMAGES).double(), reduction="sum"
    )
    assert cross_entropy(probabilities, IMAGES) == pytest.approx(expected.item() / 7, rel=1e-6)


def test_cross_entropy_refuses_what_is_no_probability():
    with pytest.raises(ValueError, match=r"probabilities lie in \[0, 1\], got values from .* to 2"):
        cross_entropy(np.full((1, 3), 2.0), IMAGES[:1, :3])


def test_arrays_of_two_shapes_are_refused():
    with pytest.raises(ValueError, match=r"one shape \(N, pixels\), got \(7, 9\) and \(6, 9\)"):
        squared_error(COPIES, IMAGES[:6])


def test_the_floor_is_the_entropy_of_the_greys():
    assert grey_floor(np.array([[0.0, 1.0, 0.5, 0.5]])) == pytest.approx(2 * np.log(2))
    assert str(grey_floor(load("glyphs").test_images)) == "0.0"


def test_a_copy_undoes_no_noise_and_a_model_that_knows_the_images_all():
    images = load("glyphs").test_images
    minigrad.manual_seed(0)
    assert all(after == before > 0 for before, after in denoising(Copying(), images).values())
    assert all(after == 0 < before for before, after in denoising(Mending(images), images).values())


def test_noise_costs_what_its_formula_says():
    images = np.tile(load("digits").test_images, (20, 1))
    minigrad.manual_seed(1)
    before = {name: one for name, (one, _) in denoising(Copying(), images, level=0.3).items()}
    assert before["masking"] == pytest.approx(0.3 * np.square(images).sum(1).mean(), rel=0.02)
    assert before["gaussian"] == pytest.approx(0.09 * 64, rel=0.02)
    both = np.square(images) + np.square(1 - images)
    assert before["salt-and-pepper"] == pytest.approx(0.15 * both.sum(1).mean(), rel=0.02)
