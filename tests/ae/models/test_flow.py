"""Flows: the log-determinants are those of the whole Jacobian, the density integrates to 1, the order of sight is kept."""

import math

import numpy as np
import pytest

import minigrad
from ae.models import IAFVAE, PlanarVAE
from ae.models.flow import Autoregressive, invertible

CASES = [(PlanarVAE, 1, 1), (PlanarVAE, 3, 4), (PlanarVAE, 5, 2), (IAFVAE, 1, 2), (IAFVAE, 3, 1), (IAFVAE, 5, 3)]


def model_and_images(kind, latent, steps):
    minigrad.manual_seed(0)
    model = kind(9, 7, latent, steps=steps).double()
    with minigrad.no_grad():
        for parameter in model.flow.parameters():
            parameter.mul_(4.0)  # bend strongly
    return model, minigrad.rand(5, 9, dtype=minigrad.float64)


@pytest.mark.parametrize(("kind", "latent", "steps"), CASES)
def test_log_determinants_are_those_of_the_jacobian(kind, latent, steps):
    model, images = model_and_images(kind, latent, steps)
    hidden = model.features(images).detach()
    codes = minigrad.randn(5, latent, dtype=minigrad.float64)
    log_det = model.transform(codes, hidden)[1]
    for n in range(5):
        jacobian = minigrad.autograd.functional.jacobian(
            lambda code, n=n: model.transform(code, hidden[n : n + 1])[0], codes[n : n + 1]
        )
        sign, expected = np.linalg.slogdet(jacobian.reshape(latent, latent).numpy())
        assert sign != 0
        assert log_det[n].item() == pytest.approx(expected, rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("kind", [PlanarVAE, IAFVAE])
def test_the_bent_density_of_one_latent_still_integrates_to_1(kind):
    model, images = model_and_images(kind, 1, 3)
    hidden = model.features(images[:1]).detach()
    grid = minigrad.linspace(-40, 40, 80001, dtype=minigrad.float64).unsqueeze(1)
    bent, log_det = model.transform(grid, hidden)
    density = np.exp(-0.5 * grid[:, 0].numpy() ** 2 - 0.5 * math.log(2 * math.pi) - log_det.detach().numpy())
    points = bent.detach().numpy()[:, 0]
    assert (np.diff(points) > 0).all() or (np.diff(points) < 0).all()
    assert abs(np.trapezoid(density, points)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("kind", [PlanarVAE, IAFVAE])
def test_the_posteriors_density_is_the_gaussians_less_the_log_determinant(kind):
    model, images = model_and_images(kind, 3, 2)
    minigrad.manual_seed(1)
    bent, log_q = model.posterior(images, 4)
    minigrad.manual_seed(1)
    mu, logvar = model.encode(images)
    noise = minigrad.randn(4, 5, 3, dtype=minigrad.float64)
    codes = mu + (0.5 * logvar).exp() * noise
    gaussian = -0.5 * (noise**2 + logvar + math.log(2 * math.pi)).sum(-1)
    expected, log_det = model.transform(codes, model.features(images))
    np.testing.assert_allclose(bent.detach().numpy(), expected.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(log_q.detach().numpy(), (gaussian - log_det).detach().numpy(), rtol=1e-12)


def test_every_planar_step_stays_invertible():
    rng = np.random.default_rng(0)
    u, w = minigrad.tensor(rng.normal(0, 5, (1000, 3))), minigrad.tensor(rng.normal(0, 5, (1000, 3)))
    assert ((u * w).sum(1) < -1).any()
    moved, room = invertible(u, w)
    assert (room > 0).all()
    np.testing.assert_allclose((moved * w).sum(1).numpy() + 1, room.numpy(), rtol=1e-9, atol=1e-9)
    assert np.isfinite(invertible(u, minigrad.zeros_like(w))[0].numpy()).all()


def test_a_planar_step_that_all_but_folds_space_has_a_finite_determinant():
    model = PlanarVAE(9, 7, 2, steps=1)
    u, w = [30.0, 0.0], [-1.0, 0.0]  # u^T w = -30, which float32 moves to -1
    with minigrad.no_grad():
        model.flow.weight.zero_()
        model.flow.bias.copy_(minigrad.tensor([*u, *w, 0.0]))
    log_det = model.transform(minigrad.zeros(1, 2), minigrad.zeros(1, 7))[1].item()
    assert log_det == pytest.approx(-30 + np.log(np.e - 1), rel=1e-5)


def test_a_planar_step_of_a_small_w_is_left_as_it_was():
    u, w = minigrad.tensor([[1.0, -2.0]]).double(), minigrad.tensor([[1e-5, 3e-5]]).double()
    assert (invertible(u, w)[0] - u).abs().max().item() < 3


@pytest.mark.parametrize("latent", [1, 2, 6])
def test_an_autoregressive_network_sees_only_the_numbers_before(latent):
    minigrad.manual_seed(0)
    network = Autoregressive(latent, 16, 4).double()
    codes, context = (minigrad.randn(1, size, dtype=minigrad.float64) for size in (latent, 4))
    for output in (0, 1):
        jacobian = minigrad.autograd.functional.jacobian(
            lambda at, output=output: network(at, context)[output].sum(0), codes
        ).reshape(latent, latent)
        assert (jacobian.triu() == 0).all()
        below = jacobian.numpy()[np.tril_indices(latent, -1)]
        assert (below != 0).mean() > 0.8 if latent > 1 else True


def test_the_context_reaches_every_number():
    minigrad.manual_seed(0)
    network = Autoregressive(4, 64, 3)
    codes = minigrad.zeros(1, 4)
    near, far = network(codes, minigrad.zeros(1, 3))[0], network(codes, minigrad.full((1, 3), 5.0))[0]
    assert (near != far)[0, 1:].all()


@pytest.mark.parametrize("kind", [PlanarVAE, IAFVAE])
def test_the_points_are_the_centres_bent_and_what_is_reconstructed(kind):
    model, images = model_and_images(kind, 3, 2)
    hidden = model.features(images)
    expected = model.transform(model.mu(hidden), hidden)[0]
    assert (model.embed(images) == expected).all()
    assert (model.reconstruct(images) == model.decode(expected)).all()
