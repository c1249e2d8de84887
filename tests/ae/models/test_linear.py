"""The linear autoencoder is PCA: trained, it reaches PCA's error on the digits and spans PCA's plane."""

import numpy as np
import pytest

import minigrad
from ae.data import load
from ae.models import LinearAutoencoder
from minigrad import optim


@pytest.fixture(scope="module")
def images():
    splits = load("digits")
    return np.concatenate([splits.train_images, splits.test_images])


def principal(images, k):
    """The mean, and the first k principal directions `(k, pixels)`."""
    mean = images.mean(0, dtype=np.float64)
    return mean, np.linalg.svd(images - mean, full_matrices=False)[2][:k]


@pytest.mark.parametrize(("k", "expected"), [(2, 0.0524), (8, 0.0239), (10, 0.0192)])
def test_training_reaches_the_error_of_pca_and_its_plane(images, k, expected):
    mean, directions = principal(images, k)
    centred = images - mean
    exact = ((centred - centred @ directions.T @ directions) ** 2).sum(1).mean()
    assert exact / 64 == pytest.approx(expected, abs=5e-5)  # the published figure, per pixel
    minigrad.manual_seed(0)
    model, batch = LinearAutoencoder(64, k), minigrad.from_numpy(images)
    optimizer = optim.Adam(model.parameters(), lr=3e-2)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3000)
    for _ in range(3000):
        optimizer.zero_grad()
        model.loss(batch[minigrad.randint(len(batch), (400,))]).total.backward()
        optimizer.step()
        schedule.step()
    error = model.loss(batch).total.item()
    assert exact <= error * (1 + 1e-6)
    assert error == pytest.approx(exact, rel=1e-3)
    plane = np.linalg.qr(model.decoder.weight.detach().numpy())[0]
    cosines = np.linalg.svd(directions @ plane)[1]
    assert np.degrees(np.arccos(cosines.clip(-1, 1))).max() < 2


def test_the_loss_is_the_sum_of_squares_over_pixels_and_the_mean_over_images(images):
    model, batch = LinearAutoencoder(64, 3), minigrad.from_numpy(images[:7])
    by_hand = ((model.reconstruct(batch).detach().numpy() - images[:7]) ** 2).sum(1).mean()
    assert model.loss(batch).total.item() == pytest.approx(by_hand, rel=1e-6)
