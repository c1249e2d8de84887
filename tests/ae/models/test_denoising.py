"""Damage is what it says it is, and the denoising autoencoder repairs it better than one that never saw any."""

import numpy as np
import pytest

import minigrad
from ae.data import load
from ae.models import build
from ae.models.denoising import gaussian, masking, salt_and_pepper
from ae.train import Config, train

GREY = 0.5


@pytest.fixture
def grey():
    minigrad.manual_seed(0)
    return minigrad.full((400, 100), GREY)


def test_masking_sets_a_share_of_the_pixels_to_0_and_leaves_the_others(grey):
    damaged = masking(grey, 0.3).numpy()
    assert set(np.unique(damaged)) == {0.0, GREY}
    assert (damaged == 0).mean() == pytest.approx(0.3, abs=0.01)


def test_gaussian_noise_has_its_deviation_and_mean(grey):
    noise = gaussian(grey, 0.2).numpy() - GREY
    assert noise.std() == pytest.approx(0.2, abs=0.005)
    assert noise.mean() == pytest.approx(0, abs=0.005)


def test_salt_and_pepper_sets_half_a_share_to_0_and_half_to_1(grey):
    damaged = salt_and_pepper(grey, 0.4).numpy()
    assert set(np.unique(damaged)) == {0.0, GREY, 1.0}
    assert (damaged == 0).mean() == pytest.approx(0.2, abs=0.01)
    assert (damaged == 1).mean() == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("noise", [masking, gaussian, salt_and_pepper])
def test_no_noise_changes_nothing(noise, grey):
    assert (noise(grey, 0.0) == grey).all()


def test_images_are_damaged_anew_for_every_loss_and_not_at_all_to_reconstruct():
    model, batch = build("denoising", 64, (16,), 4), minigrad.from_numpy(load("digits").test_images[:5])
    assert model.loss(batch).total.item() != model.loss(batch).total.item()
    assert (model.reconstruct(batch) == model.decode(model.encode(batch))).all()


def cost_of_repair(model, noise, level):
    """Nats per image of the test set, drawn from damaged copies."""
    clean = minigrad.from_numpy(load("digits").test_images)
    minigrad.manual_seed(9)
    with minigrad.no_grad():
        outputs = model.reconstruct(noise(clean, level)).numpy().clip(1e-6, 1 - 1e-6)
    x = clean.numpy()
    return -(x * np.log(outputs) + (1 - x) * np.log(1 - outputs)).sum(1).mean()


@pytest.mark.parametrize(
    ("noise", "name", "level"),
    [(masking, "masking", 0.4), (gaussian, "gaussian", 0.4), (salt_and_pepper, "salt-and-pepper", 0.4)],
)
def test_it_repairs_images_better_than_a_plain_autoencoder(noise, name, level):
    trained = []
    for model, options in (("denoising", {"noise": name, "level": level}), ("deep", {})):
        config = Config(model, "digits", 64, (64,), 16, epochs=15, batch_size=32, lr=2e-3, seed=0, options=options)
        trained.append(config.build())
        for _ in train(trained[-1], load("digits"), config):
            pass
    costs = [cost_of_repair(model.eval(), noise, level) for model in trained]
    assert costs[0] < 0.95 * costs[1]
