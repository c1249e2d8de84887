"""The importance-weighted bound: with one code the VAE's, higher with more, and close to log p(x) where that is known."""

import math

import numpy as np
import pytest

import minigrad
from ae import losses
from ae.data import load
from ae.models import IWAE, VAE
from ae.models.iwae import importance_bound
from minigrad import optim


def digits(count):
    return minigrad.from_numpy(load("digits").test_images[:count].astype(np.float64)).round()


def trained(k):
    minigrad.manual_seed(0)
    model, batch = IWAE(64, 32, 6, k=k).double(), digits(100)
    optimizer = optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(150):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        optimizer.step()
    return model


@pytest.fixture(scope="module")
def model():
    """A VAE, trained a little, under the name of an IWAE with one code."""
    return trained(1)


def test_one_code_gives_the_vaes_bound_with_the_kl_of_that_code(model):
    batch = digits(30)
    minigrad.manual_seed(3)
    loss = model.loss(batch)
    minigrad.manual_seed(3)
    mu, logvar = model.encode(batch)
    codes = model.draw(mu, logvar)
    reconstruction = losses.bernoulli(model.outputs(codes), batch)
    kl = (losses.log_normal(codes, mu, logvar) - losses.log_standard_normal(codes)).sum(1).mean()
    assert loss.total.item() == pytest.approx((reconstruction + kl).item(), rel=1e-12)
    assert loss.parts["reconstruction"].item() == pytest.approx(reconstruction.item(), rel=1e-12)


def test_one_code_gives_the_vaes_bound_on_average(model):
    batch, vae = digits(30), VAE(64, 32, 6).double()
    vae.load_state_dict(model.state_dict())
    with minigrad.no_grad():
        ours = np.array([model.loss(batch).total.item() for _ in range(400)])
        theirs = np.array([vae.loss(batch).total.item() for _ in range(400)])
    error = math.hypot(ours.std(), theirs.std()) / 20
    assert error < 0.1
    assert ours.mean() == pytest.approx(theirs.mean(), abs=4 * error)


def test_the_gradient_of_one_code_is_the_vaes_on_average(model):
    batch, vae = digits(30), VAE(64, 32, 6).double()
    vae.load_state_dict(model.state_dict())
    means = []
    for one in (model, vae):
        draws = np.array([minigrad.autograd.grad(one.loss(batch).total, one.mu.bias)[0].numpy() for _ in range(600)])
        means.append((draws.mean(0), draws.std(0) / math.sqrt(600)))
    (ours, error), (theirs, other_error) = means
    assert (np.abs(ours - theirs) < 5 * np.hypot(error, other_error)).all()


def test_the_bound_rises_with_the_number_of_codes(model):
    batch, bounds = digits(100), []
    with minigrad.no_grad():
        for k in (1, 2, 5, 20, 100):
            minigrad.manual_seed(4)
            draws = [importance_bound(model.log_weights(batch, k)).mean().item() for _ in range(20)]
            bounds.append(np.mean(draws))
    assert bounds == sorted(bounds)
    assert bounds[-1] > bounds[0] + 0.3


def test_more_codes_train_a_better_bound():
    scores = []
    for k in (1, 6):
        model = trained(k)
        with minigrad.no_grad():
            minigrad.manual_seed(5)
            scores.append(importance_bound(model.log_weights(digits(100), 100)).mean().item())
    assert scores[1] > scores[0]


def test_many_codes_find_the_likelihood_of_a_model_where_it_is_known():
    """A decoder that ignores its code: p(x) is its product of coins, whatever q is."""
    minigrad.manual_seed(0)
    model, batch = IWAE(9, 5, 2).double(), minigrad.rand(4, 9, dtype=minigrad.float64).round()
    with minigrad.no_grad():
        model.output.weight.zero_()
        exact = model.likelihood.log_prob(model.outputs(minigrad.zeros(4, 2, dtype=minigrad.float64)), batch)
        estimate = importance_bound(model.log_weights(batch, 20000))
    np.testing.assert_allclose(estimate.numpy(), exact.numpy(), atol=0.02)


def test_the_bound_of_weights_is_the_log_of_their_mean_however_small_they_are():
    weights = np.array([[0.1, 3.0], [0.5, 1.0], [0.3, 2.0]])
    logs = minigrad.tensor(np.log(weights))
    np.testing.assert_allclose(importance_bound(logs).numpy(), np.log(weights.mean(0)), rtol=1e-12)
    np.testing.assert_allclose(importance_bound(logs - 2000).numpy(), np.log(weights.mean(0)) - 2000, rtol=1e-12)


def test_the_parts_add_up_to_one_codes_bound_and_the_total_is_no_worse(model):
    with minigrad.no_grad():
        loss = IWAE.loss(model, digits(50))
        five = IWAE(64, 32, 6, k=5).double()
        five.load_state_dict(model.state_dict())
        many = five.loss(digits(50))
    assert loss.total.item() == pytest.approx(sum(float(value) for value in loss.parts.values()), rel=1e-12)
    assert many.total.item() < sum(float(value) for value in many.parts.values())
