"""What decoders say is what PyTorch's distributions say, per image and as a mean, and a variance can be learned."""

import numpy as np
import pytest
import torch

import minigrad
from ae.data import load
from ae.models import VAE
from ae.models.likelihood import Bernoulli, Gaussian
from minigrad import optim


def outputs_and_images(samples=3):
    rng = np.random.default_rng(0)
    return rng.normal(0, 3, (samples, 5, 7)), rng.uniform(0, 1, (5, 7)).round()


def test_bernoullis_log_probability_is_pytorchs():
    outputs, images = outputs_and_images()
    found = Bernoulli().log_prob(minigrad.tensor(outputs), minigrad.tensor(images)).numpy()
    coins = torch.distributions.Bernoulli(logits=torch.tensor(outputs))
    np.testing.assert_allclose(found, coins.log_prob(torch.tensor(images)).sum(-1).numpy(), rtol=1e-10)


@pytest.mark.parametrize("logvar", [0.0, -3.0, 1.5])
def test_gaussians_log_probability_is_pytorchs(logvar):
    outputs, images = outputs_and_images()
    likelihood = Gaussian().double()
    likelihood.logvar.data = minigrad.tensor(logvar, dtype=minigrad.float64)
    found = likelihood.log_prob(minigrad.tensor(outputs), minigrad.tensor(images)).detach().numpy()
    normal = torch.distributions.Normal(torch.tensor(outputs).sigmoid(), float(np.exp(logvar / 2)))
    np.testing.assert_allclose(found, normal.log_prob(torch.tensor(images)).sum(-1).numpy(), rtol=1e-10)


@pytest.mark.parametrize("likelihood", [Bernoulli(), Gaussian()])
def test_the_cost_of_a_batch_is_the_mean_over_its_images(likelihood):
    outputs, images = (minigrad.tensor(value) for value in outputs_and_images(1))
    mean = -likelihood.log_prob(outputs[0], images).mean().item()
    assert likelihood.nll(outputs[0], images).item() == pytest.approx(mean, rel=1e-12)


def test_a_logit_knows_the_price_of_being_sure_and_wrong():
    logits = minigrad.tensor([[200.0, -200.0]], requires_grad=True)
    cost = Bernoulli().nll(logits, minigrad.tensor([[0.0, 1.0]]))
    cost.backward()
    assert cost.item() == 400
    assert logits.grad.tolist() == [[1.0, -1.0]]


def test_the_learned_variance_is_the_mean_squared_error():
    """At the best variance its derivative is 0: that is the maximum-likelihood estimate."""
    minigrad.manual_seed(0)
    model, images = VAE(64, 64, 8, likelihood="gaussian"), minigrad.from_numpy(load("digits").train_images[:300])
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(300):
        optimizer.zero_grad()
        model.loss(images).total.backward()
        optimizer.step()
    errors = [((model(images)[0] - images) ** 2).mean().item() for _ in range(20)]
    assert model.likelihood.logvar.exp().item() == pytest.approx(np.mean(errors), rel=0.1)
    assert model.loss(images).total.item() < 0  # a density above 1: nats below 0
