"""The losses against their definitions written out and against PyTorch's distributions, in nats per image."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minigrad
from ae import losses


def test_reconstruction_of_a_coin_toss_costs_log_2_nats_a_pixel_of_each_image():
    probabilities = minigrad.full((7, 25), 0.5)
    images = minigrad.zeros(7, 25)
    assert losses.reconstruction(probabilities, images).item() == pytest.approx(25 * math.log(2))


def test_reconstruction_sums_over_pixels_and_averages_over_images():
    rng = np.random.default_rng(0)
    p, x = rng.uniform(0.01, 0.99, (5, 9)), rng.uniform(0, 1, (5, 9))
    by_hand = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1).mean()
    assert losses.reconstruction(minigrad.tensor(p), minigrad.tensor(x)).item() == pytest.approx(by_hand)


def test_a_perfect_copy_of_grey_still_costs_its_entropy():
    grey = minigrad.full((1, 4), 0.25)
    entropy = -4 * (0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert losses.reconstruction(grey, grey).item() == pytest.approx(entropy)


def test_reconstruction_refuses_images_of_another_shape():
    with pytest.raises(ValueError, match=r"(?s)25.*24|24.*25"):
        losses.reconstruction(minigrad.full((2, 25), 0.5), minigrad.zeros(2, 24))


@pytest.mark.parametrize("wrong", [-0.1, 1.1])
def test_reconstruction_refuses_what_is_no_probability(wrong):
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        losses.reconstruction(minigrad.full((2, 3), wrong), minigrad.zeros(2, 3))


def test_reconstruction_tells_nan_from_what_is_no_probability():
    with pytest.raises(ArithmeticError, match="nan"):
        losses.reconstruction(minigrad.full((2, 3), float("nan")), minigrad.zeros(2, 3))


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_kl_is_that_of_pytorchs_distributions(count, latent, seed):
    rng = np.random.default_rng(seed)
    mu, logvar = rng.normal(0, 2, (count, latent)), rng.normal(0, 2, (count, latent))
    codes = torch.distributions.Normal(torch.tensor(mu), torch.tensor(np.exp(logvar / 2)))
    expected = torch.distributions.kl_divergence(codes, torch.distributions.Normal(0.0, 1.0)).sum(1).mean().item()
    assert losses.kl(minigrad.tensor(mu), minigrad.tensor(logvar)).item() == pytest.approx(expected, rel=1e-9)


def test_kl_of_the_prior_itself_is_zero_and_its_gradient_too():
    mu, logvar = minigrad.zeros(3, 2, requires_grad=True), minigrad.zeros(3, 2, requires_grad=True)
    loss = losses.kl(mu, logvar)
    loss.backward()
    assert loss.item() == 0
    assert mu.grad.tolist() == logvar.grad.tolist() == [[0.0, 0.0]] * 3


def test_kl_refuses_shapes_that_would_broadcast():
    with pytest.raises(ValueError, match=r"\(4, 2\) and \(4, 1\)"):
        losses.kl(minigrad.zeros(4, 2), minigrad.zeros(4, 1))


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_the_cost_of_logits_is_that_of_their_probabilities(count, pixels, seed):
    rng = np.random.default_rng(seed)
    logits, images = (
        minigrad.tensor(rng.normal(0, 3, (count, pixels))),
        minigrad.tensor(rng.uniform(0, 1, (count, pixels))),
    )
    expected = losses.reconstruction(logits.sigmoid(), images).item()
    assert losses.bernoulli(logits, images).item() == pytest.approx(expected, rel=1e-9)


def test_the_squared_error_is_a_gaussians_nats_less_a_constant():
    rng = np.random.default_rng(0)
    copies, images = (minigrad.tensor(rng.uniform(0, 1, (4, 9))) for _ in range(2))
    normal = torch.distributions.Normal(torch.tensor(copies.numpy()), math.sqrt(0.5))
    nats = -normal.log_prob(torch.tensor(images.numpy())).sum(1).mean().item()
    assert losses.squared_error(copies, images).item() == pytest.approx(nats - 4.5 * math.log(math.pi), rel=1e-10)


@pytest.mark.parametrize("loss", [losses.bernoulli, losses.squared_error])
def test_images_of_another_shape_are_refused(loss):
    with pytest.raises(ValueError, match=r"25.*24|24.*25"):
        loss(minigrad.zeros(2, 25), minigrad.zeros(2, 24))


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_log_densities_are_those_of_pytorchs_distributions(count, seed):
    rng = np.random.default_rng(seed)
    x, mu, logvar = (rng.normal(0, 2, size) for size in ((3, count), (count,), (count,)))
    expected = torch.distributions.Normal(torch.tensor(mu), torch.tensor(np.exp(logvar / 2))).log_prob(torch.tensor(x))
    found = losses.log_normal(*map(minigrad.tensor, (x, mu, logvar))).numpy()
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-9)
    standard = torch.distributions.Normal(0.0, 1.0).log_prob(torch.tensor(x))
    np.testing.assert_allclose(losses.log_standard_normal(minigrad.tensor(x)).numpy(), standard.numpy(), rtol=1e-9)
