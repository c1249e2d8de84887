"""Dice that can be learned: the Gumbel noise draws exactly, cold rolls are rolls, and the KL is the dice's own."""

import math

import numpy as np
import pytest
import torch

import minigrad
from ae.data import load
from ae.models import CategoricalVAE
from ae.models.categorical import gumbel, gumbel_softmax
from minigrad import optim
from minigrad.nn import functional as F

LOGITS = [[1.0, -1.0, 0.5, 2.0]]


def many(count):
    minigrad.manual_seed(0)
    return minigrad.tensor(LOGITS).expand(count, 4)


def test_gumbel_noise_has_its_mean_and_variance():
    noise = gumbel(many(50000)).numpy()
    assert noise.mean() == pytest.approx(0.5772, abs=0.01)
    assert noise.var() == pytest.approx(math.pi**2 / 6, abs=0.03)
    assert np.isfinite(noise).all()


def test_the_largest_of_noisy_logits_is_a_draw_from_their_softmax():
    draws = np.bincount((many(40000) + gumbel(many(40000))).argmax(1).numpy(), minlength=4) / 40000
    np.testing.assert_allclose(draws, np.exp(LOGITS[0]) / np.exp(LOGITS[0]).sum(), atol=0.01)


def test_a_soft_roll_is_one_hot_when_cold_and_even_when_hot():
    cold, hot = gumbel_softmax(many(2000), 1e-3).numpy(), gumbel_softmax(many(2000), 1e3).numpy()
    for roll in (cold, hot):
        np.testing.assert_allclose(roll.sum(1), 1, rtol=1e-5)
    assert (cold.max(1) > 0.999).mean() > 0.99
    np.testing.assert_allclose(hot, 0.25, atol=0.01)


def test_cold_rolls_fall_as_the_softmax_says():
    rolls = gumbel_softmax(many(40000), 1e-3).numpy().mean(0)
    np.testing.assert_allclose(rolls, np.exp(LOGITS[0]) / np.exp(LOGITS[0]).sum(), atol=0.01)


def test_the_kl_is_pytorchs_of_each_die_from_a_fair_one():
    minigrad.manual_seed(0)
    model, images = CategoricalVAE(9, (7,), 3, faces=5).double(), minigrad.rand(6, 9, dtype=minigrad.float64)
    logits = torch.tensor(model.encode(images).detach().numpy())
    dice = torch.distributions.Categorical(logits=logits)
    fair = torch.distributions.Categorical(logits=torch.zeros_like(logits))
    expected = torch.distributions.kl_divergence(dice, fair).sum(1).mean().item()
    assert model.loss(images).parts["kl"].item() == pytest.approx(expected, rel=1e-12)


def test_rolls_are_soft_in_training_and_hard_in_evaluation():
    model, images = CategoricalVAE(9, (7,), 3, faces=5), minigrad.rand(6, 9)
    logits = model.encode(images)
    soft = model.roll(logits).detach().numpy()
    hard = model.eval().roll(logits).numpy()
    assert ((soft > 0) & (soft < 1)).all()
    assert set(np.unique(hard)) == {0.0, 1.0}
    assert (hard.sum(-1) == 1).all()


def test_the_temperature_falls_step_by_step_to_its_lowest():
    model, images = CategoricalVAE(9, (7,), 3, cooling=0.2, coldest=0.5), minigrad.rand(6, 9)
    found = []
    for _ in range(6):
        found.append(model.temperature().item())
        model.loss(images)
    assert found == pytest.approx([max(0.5, math.exp(-0.2 * step)) for step in range(6)], rel=1e-6)
    model.eval().loss(images)
    assert model.step.item() == 6


def test_the_gradient_of_a_soft_roll_is_that_of_finite_differences():
    logits = minigrad.tensor(LOGITS, dtype=minigrad.float64, requires_grad=True)
    weights = minigrad.tensor([1.0, 2.0, -1.0, 0.5], dtype=minigrad.float64)

    def value(at):
        minigrad.manual_seed(3)
        return (gumbel_softmax(at, 0.7) * weights).sum()

    value(logits).backward()
    for j in range(4):
        step = minigrad.zeros(1, 4, dtype=minigrad.float64)
        step[0, j] = 1e-6
        slope = (value(logits.detach() + step) - value(logits.detach() - step)).item() / 2e-6
        assert logits.grad[0, j].item() == pytest.approx(slope, rel=1e-6, abs=1e-9)


def test_training_lowers_the_bound_of_the_discrete_model():
    minigrad.manual_seed(0)
    model, images = CategoricalVAE(64, (64,), 8), minigrad.from_numpy(load("digits").train_images)
    optimizer = optim.Adam(model.parameters(), lr=3e-3)

    def bound():
        with minigrad.no_grad():
            value = model.eval().loss(images).total.item()
        model.train()
        return value

    first = bound()
    for _ in range(800):
        optimizer.zero_grad()
        model.loss(images[minigrad.randint(len(images), (64,))]).total.backward()
        optimizer.step()
    assert bound() < 0.65 * first


def test_weights_of_rolls_estimate_the_likelihood_that_a_sum_over_all_rolls_gives():
    minigrad.manual_seed(0)
    model, images = (
        CategoricalVAE(9, (7,), 2, faces=3).double().eval(),
        minigrad.rand(4, 9, dtype=minigrad.float64).round(),
    )
    rolls = minigrad.stack([F.one_hot(minigrad.tensor([i, j]), 3).double() for i in range(3) for j in range(3)])
    with minigrad.no_grad():
        each = [model.likelihood.log_prob(model.outputs(roll.expand(4, 2, 3)), images) for roll in rolls]
        exact = minigrad.stack(each).logsumexp(0) - math.log(9)
        estimate = model.log_weights(images, 20000).logsumexp(0) - math.log(20000)
    np.testing.assert_allclose(estimate.numpy(), exact.numpy(), atol=0.02)
