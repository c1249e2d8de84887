"""The models: their layers, shapes, what they refuse, and that noise leaves a way for the gradient."""

import numpy as np
import pytest

import minigrad
from ae.models import NAMES, VAE, Autoencoder, DeepAutoencoder, build

HIDDEN = {"autoencoder": (), "deep": (7, 5), "vae": (7,)}


def shapes(model):
    return [tuple(value.shape) for value in model.parameters()]


def images(count, pixels):
    return minigrad.from_numpy(np.random.default_rng(0).uniform(0, 1, (count, pixels)).astype(np.float32))


def test_the_first_autoencoder_is_25_10_25():
    assert shapes(Autoencoder()) == [(10, 25), (10,), (25, 10), (25,)]


def test_a_deep_autoencoder_mirrors_its_sizes():
    assert shapes(DeepAutoencoder((9, 6, 2))) == [(6, 9), (6,), (2, 6), (2,), (6, 2), (6,), (9, 6), (9,)]


def test_a_deep_autoencoders_code_takes_both_signs():
    minigrad.manual_seed(0)
    codes = DeepAutoencoder((9, 6, 4)).encoder(images(50, 9)).detach().numpy()
    assert codes.min() < 0 < codes.max()


def test_a_deep_autoencoder_needs_an_image_and_a_code():
    with pytest.raises(ValueError, match=r"sizes of the image and of the code, got \(9,\)"):
        DeepAutoencoder([9])


def test_the_vae_is_784_400_20_unless_told():
    weights = [shape for shape in shapes(VAE()) if len(shape) == 2]
    assert weights == [(400, 784), (20, 400), (20, 400), (400, 20), (784, 400)]


@pytest.mark.parametrize("name", NAMES)
def test_reconstructions_are_probabilities_of_the_images_shape(name):
    model = build(name, 9, HIDDEN[name], 3)
    copies = model.reconstruct(images(4, 9)).detach().numpy()
    assert copies.shape == (4, 9)
    assert ((copies > 0) & (copies < 1)).all()


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_gets_a_gradient(name):
    minigrad.manual_seed(0)
    model = build(name, 9, HIDDEN[name], 3)
    reconstruction, kl = model.losses(images(8, 9))
    (reconstruction + kl).backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize("name", ["autoencoder", "deep"])
def test_a_code_without_noise_costs_no_divergence(name):
    assert build(name, 9, HIDDEN[name], 3).losses(images(2, 9))[1] == 0.0


def test_the_vae_draws_codes_with_the_mean_and_deviation_it_was_given():
    minigrad.manual_seed(0)
    mu, logvar = minigrad.full((20000, 2), 3.0), minigrad.full((20000, 2), float(np.log(0.25)))
    codes = VAE(9, 5, 2).draw(mu, logvar).numpy()
    assert codes.mean() == pytest.approx(3.0, abs=0.02)
    assert codes.std() == pytest.approx(0.5, abs=0.02)


def test_the_vae_draws_anew_at_every_call_but_reconstructs_without_noise():
    model, batch = VAE(9, 5, 2), images(3, 9)
    assert (model(batch)[0] != model(batch)[0]).any()
    assert (model.reconstruct(batch) == model.reconstruct(batch)).all()


def test_the_vae_draws_new_images():
    assert VAE(9, 5, 2).sample(6).shape == (6, 9)


@pytest.mark.parametrize(
    ("name", "hidden", "advice"),
    [
        ("autoencoder", (5,), "take the model deep"),
        ("vae", (), "got none"),
        ("vae", (5, 4), "got 5 4"),
        ("vea", (5,), "there are autoencoder, deep, vae"),
    ],
)
def test_build_says_what_a_model_needs(name, hidden, advice):
    with pytest.raises(ValueError, match=advice):
        build(name, 9, hidden, 2)
