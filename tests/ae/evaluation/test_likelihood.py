"""The estimate of log p(x) meets the exact one of a linear-Gaussian model, in bounded memory."""

import math
import tracemalloc

import numpy as np
import pytest

import minigrad
from ae import losses
from ae.evaluation import active_units, kl_per_unit, log_likelihood, seeded, unit_variances
from ae.models import VAE, Autoencoder, ConditionalVAE, build

RNG = np.random.default_rng(0)
W, B, NOISE = RNG.normal(size=(6, 2)), RNG.normal(size=6), 0.7


class LinearGaussian:
    """z ~ N(0, I), x ~ N(W z + b, s^2 I); codes are drawn from the exact posterior, or from one `wider` than that."""

    def __init__(self, wider=1.0):
        precision = np.eye(2) + W.T @ W / NOISE**2
        self.covariance = np.linalg.inv(precision)
        self.gain = self.covariance @ W.T / NOISE**2
        self.wider, self.largest = wider, 0

    def log_weights(self, images, samples=1, labels=None):
        x = images.numpy()
        self.largest = max(self.largest, samples * len(x))
        root = np.linalg.cholesky(self.covariance) * self.wider
        noise = minigrad.randn(samples, len(x), 2, dtype=minigrad.float64).numpy()
        z = (x - B) @ self.gain.T + noise @ root.T
        log_q = -0.5 * np.square(noise).sum(-1) - np.log(np.diag(root)).sum() - math.log(2 * math.pi)
        log_p = -0.5 * np.square(z).sum(-1) - math.log(2 * math.pi)
        error = (x - (z @ W.T + B)) / NOISE
        log_x = -0.5 * np.square(error).sum(-1) - 6 * math.log(NOISE) - 3 * math.log(2 * math.pi)
        return minigrad.from_numpy(log_x + log_p - log_q)


def exact(x):
    covariance = W @ W.T + NOISE**2 * np.eye(6)
    away = x - B
    quadratic = (away @ np.linalg.inv(covariance) * away).sum(1)
    return -0.5 * (quadratic + np.linalg.slogdet(2 * math.pi * covariance)[1])


X = RNG.normal(size=(9, 2)) @ W.T + B + NOISE * RNG.normal(size=(9, 6))


def test_one_code_from_the_exact_posterior_gives_the_exact_likelihood():
    np.testing.assert_allclose(log_likelihood(LinearGaussian(), X, 1), exact(X), rtol=1e-10)


def test_many_codes_from_a_wrong_posterior_come_close_and_few_stay_below():
    minigrad.manual_seed(0)
    few, many = (log_likelihood(LinearGaussian(wider=1.7), X, count) for count in (1, 20_000))
    np.testing.assert_allclose(many, exact(X), atol=0.03)
    assert few.mean() < exact(X).mean() - 0.1


def test_the_estimate_does_not_depend_on_the_blocks():
    answers = []
    for budget in (6, 60, 100_000):
        minigrad.manual_seed(0)
        answers.append(log_likelihood(LinearGaussian(), X, 30, budget=budget))
    np.testing.assert_allclose(answers, [exact(X)] * 3, rtol=1e-10)


def test_blocks_keep_to_the_budget():
    model = LinearGaussian()
    log_likelihood(model, X, 1000, budget=600)
    assert model.largest <= 100


def test_memory_does_not_grow_with_the_samples():
    minigrad.manual_seed(0)
    model, images = VAE(64, 32, 4).eval(), RNG.uniform(0, 1, (20, 64)).astype(np.float32)
    peaks = []
    for samples in (200, 4000):
        tracemalloc.start()
        log_likelihood(model, images, samples, budget=20 * 20 * 64)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_more_samples_raise_a_vaes_estimate_above_its_elbo():
    minigrad.manual_seed(0)
    model, images = VAE(64, 32, 4).eval(), RNG.uniform(0, 1, (50, 64)).astype(np.float32)
    one, many = (log_likelihood(model, images, count).mean() for count in (1, 500))
    assert many > one


def test_a_conditional_vae_is_given_the_labels():
    minigrad.manual_seed(0)
    model = ConditionalVAE(9, 5, 2, classes=3).eval()
    images, labels = RNG.uniform(0, 1, (4, 9)).astype(np.float32), np.array([0, 1, 2, 0])
    given, others = (log_likelihood(model, images, 2000, of) for of in (labels, (labels + 1) % 3))
    assert np.abs(given - others).min() > 1e-3


def test_no_samples_are_refused():
    with pytest.raises(ValueError, match="at least one sample, got 0"):
        log_likelihood(LinearGaussian(), X, 0)


def test_active_units_are_those_that_vary():
    codes = np.column_stack((RNG.normal(size=5000), 0.05 * RNG.normal(size=5000), np.full(5000, 3.0)))
    np.testing.assert_allclose(unit_variances(codes), np.var(codes, axis=0))
    assert active_units(codes) == 1
    assert active_units(codes, threshold=0.001) == 2


def test_kl_per_unit_adds_up_to_the_kl_and_is_told_of_gaussian_clouds_only():
    minigrad.manual_seed(0)
    model, images = VAE(9, 5, 3), RNG.uniform(0, 1, (8, 9)).astype(np.float32)
    mu, logvar = model.encode(minigrad.from_numpy(images))
    found = kl_per_unit(model, images)
    assert found.shape == (3,)
    assert found.sum() == pytest.approx(losses.kl(mu, logvar).item(), rel=1e-5)
    assert kl_per_unit(ConditionalVAE(9, 5, 3), images, np.zeros(8, dtype=np.int64)).shape == (3,)
    for other in (Autoencoder(9, 3), build("vamp-vae", 9, (5,), 3), build("iaf-vae", 9, (5,), 3)):
        assert kl_per_unit(other, images) is None


def test_what_is_drawn_under_a_seed_leaves_the_generator_as_it_was():
    minigrad.manual_seed(3)
    expected = minigrad.rand(2).tolist()
    minigrad.manual_seed(3)
    with seeded(0):
        first = minigrad.rand(5).tolist()
    assert minigrad.rand(2).tolist() == expected
    with seeded(0):
        assert minigrad.rand(5).tolist() == first
