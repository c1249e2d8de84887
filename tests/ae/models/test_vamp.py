"""The VampPrior: a mixture of posteriors, normalized, drawn from as it is scored, and better than N(0, 1) for its data."""

import math

import numpy as np
import pytest
import torch

import minigrad
from ae.data import load
from ae.models import VampVAE
from ae.train import Config, train


def small(latent=2, components=4):
    minigrad.manual_seed(0)
    return VampVAE(9, 7, latent, components=components).double()


def test_the_prior_is_pytorchs_mixture_of_the_posteriors_of_made_up_images():
    model = small()
    mu, logvar = (torch.tensor(value.detach().numpy()) for value in model.encode(model.pseudo.sigmoid()))
    parts = torch.distributions.Independent(torch.distributions.Normal(mu, (0.5 * logvar).exp()), 1)
    mixture = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(torch.ones(4)), parts)
    codes = np.random.default_rng(0).normal(size=(3, 5, 2))
    found = model.log_prior(minigrad.tensor(codes)).detach().numpy()
    np.testing.assert_allclose(found, mixture.log_prob(torch.tensor(codes)).numpy(), rtol=1e-6)


def test_the_prior_integrates_to_1():
    model = small(latent=1)
    grid = minigrad.linspace(-20, 20, 20001, dtype=minigrad.float64).unsqueeze(1)
    density = np.exp(model.log_prior(grid).detach().numpy())
    assert np.trapezoid(density, grid.numpy()[:, 0]) == pytest.approx(1, abs=1e-9)


def test_the_loss_is_the_bound_with_that_prior():
    model, images = small(), minigrad.rand(6, 9, dtype=minigrad.float64)
    minigrad.manual_seed(1)
    loss = model.loss(images)
    minigrad.manual_seed(1)
    codes, log_q = model.posterior(images)
    kl = (log_q - model.log_prior(codes)).mean()
    assert loss.parts["kl"].item() == pytest.approx(kl.item(), rel=1e-12)
    assert loss.total.item() == pytest.approx((loss.parts["reconstruction"] + kl).item(), rel=1e-12)


def test_samples_come_from_all_parts_of_the_prior_alike(monkeypatch):
    model, centres = small(latent=1), minigrad.tensor([[-50.0], [0.0], [50.0]])
    monkeypatch.setattr(model, "components", lambda: (centres, minigrad.zeros(3, 1)))
    monkeypatch.setattr(model, "decode", lambda codes: codes)
    minigrad.manual_seed(0)
    codes = model.sample(3000).numpy()
    nearest = np.abs(codes - centres.numpy().T).argmin(1)
    np.testing.assert_allclose(np.bincount(nearest, minlength=3) / 3000, 1 / 3, atol=0.03)
    spread = codes[:, 0] - centres.numpy()[nearest, 0]
    assert spread.std() == pytest.approx(1, abs=0.05)


def test_a_learned_prior_costs_less_than_the_standard_one():
    totals = []
    for name in ("vamp-vae", "vae"):
        config = Config(name, "digits", 64, (64,), 6, epochs=40, batch_size=32, lr=2e-3, seed=0)
        totals.append(list(train(config.build(), load("digits"), config))[-1].test_loss)
    assert totals[0] < totals[1]
    assert math.isfinite(totals[0])
