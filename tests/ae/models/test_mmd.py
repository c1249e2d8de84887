"""The MMD is what its formula says, near zero for equal heaps, unbiased, and has the right gradient; training matches heaps."""

import numpy as np
import pytest

import minigrad
from ae.data import load
from ae.models import WAE, InfoVAE
from ae.models.mmd import mmd
from minigrad import optim


def heap(count, latent=3, shift=0.0, seed=0):
    return np.random.default_rng(seed).normal(shift, 1, (count, latent))


def by_hand(x, y):
    def k(a, b):
        return 2 * len(a) / (2 * len(a) + ((a - b) ** 2).sum())

    n = len(x)
    own = sum(k(z[i], z[j]) for z in (x, y) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    return own - 2 * sum(k(a, b) for a in x for b in y) / n**2


def test_it_is_the_formula_written_out():
    x, y = heap(5), heap(5, shift=1, seed=1)
    assert mmd(minigrad.tensor(x), minigrad.tensor(y)).item() == pytest.approx(by_hand(x, y), rel=1e-12)


def test_equal_heaps_are_near_zero_and_it_grows_with_the_shift():
    x = minigrad.tensor(heap(300))
    found = [mmd(x, minigrad.tensor(heap(300, shift=shift, seed=1))).item() for shift in (0, 0.5, 1, 3)]
    assert abs(found[0]) < 8e-3
    assert found == sorted(found)
    assert found[2] > 0.1


def test_the_same_points_twice_are_as_near_as_an_unbiased_estimate_lets_them_be():
    x = minigrad.tensor(heap(300))
    assert mmd(x, x).item() == pytest.approx(0, abs=8e-3)


def test_it_is_unbiased_for_small_heaps_of_one_distribution():
    rng = np.random.default_rng(0)
    draws = [mmd(*(minigrad.tensor(rng.normal(size=(4, 2))) for _ in range(2))).item() for _ in range(2000)]
    assert np.mean(draws) == pytest.approx(0, abs=4 * np.std(draws) / np.sqrt(len(draws)))


def test_its_gradient_is_that_of_finite_differences():
    x, y = heap(4), heap(4, shift=0.5, seed=1)
    leaf = minigrad.tensor(x, requires_grad=True)
    mmd(leaf, minigrad.tensor(y)).backward()
    for i, j in np.ndindex(*x.shape):
        step = np.zeros_like(x)
        step[i, j] = 1e-5
        slope = (by_hand(x + step, y) - by_hand(x - step, y)) / 2e-5
        assert leaf.grad[i, j].item() == pytest.approx(slope, rel=1e-5, abs=1e-9)


def test_two_heaps_of_one_point_each_can_be_compared():
    assert mmd(minigrad.zeros(1, 2), minigrad.zeros(1, 2)).item() == pytest.approx(-2)


def test_heaps_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="as many points"):
        mmd(minigrad.zeros(3, 2), minigrad.zeros(4, 2))


@pytest.fixture(scope="module")
def digits():
    return minigrad.from_numpy(load("digits").train_images[:150])


def trained(model, batch, steps=150):
    optimizer = optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        optimizer.step()
    return model


def test_its_weight_brings_the_codes_of_an_autoencoder_to_the_prior(digits):
    found = []
    for weight in (0.0, 100.0):
        minigrad.manual_seed(0)
        model = trained(WAE(64, (32,), 4, weight=weight), digits)
        codes = model.embed(digits).detach()
        found.append((mmd(codes, minigrad.randn_like(codes)).item(), codes.numpy().std(0)))
    (free, _), (held, deviations) = found
    assert held < 0.1 * free
    assert abs(deviations - 1).max() < 0.4


def test_info_vae_at_its_ends_is_the_vae_and_the_vae_without_kl(digits):
    minigrad.manual_seed(0)
    model = InfoVAE(64, 32, 4, alpha=0.0, weight=1.0)
    loss = model.loss(digits)
    assert loss.total.item() == pytest.approx((loss.parts["reconstruction"] + loss.parts["kl"]).item(), rel=1e-6)
    model = InfoVAE(64, 32, 4, alpha=1.0, weight=7.0)
    loss = model.loss(digits)
    assert loss.total.item() == pytest.approx((loss.parts["reconstruction"] + 7 * loss.parts["mmd"]).item(), rel=1e-6)


def test_info_vaes_codes_tell_more_than_a_vaes_at_the_same_prior(digits):
    rates = []
    for alpha in (0.0, 0.9):
        minigrad.manual_seed(0)
        rates.append(trained(InfoVAE(64, 32, 4, alpha=alpha, weight=100.0), digits).loss(digits).parts["kl"].item())
    assert rates[1] > 1.5 * rates[0]
