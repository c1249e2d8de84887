"""Sparse codes are sparse: k-sparse keeps exactly k, lifetime its share of images, and penalties do what they ask for."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minigrad
from ae.data import load
from ae.models.sparse import KLSparse, KSparse, L1Sparse, LifetimeSparse, keep_largest, kl_of_coins
from minigrad import optim


def images(count, pixels=9, seed=0):
    return minigrad.from_numpy(np.random.default_rng(seed).uniform(0, 1, (count, pixels)).astype(np.float32))


@given(st.integers(1, 7), st.integers(1, 9), st.data())
def test_keep_largest_keeps_the_largest_and_passes_their_gradient_only(rows, columns, data):
    dim = data.draw(st.integers(0, 1))
    count = data.draw(st.integers(1, (rows, columns)[dim]))
    values = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1))).permutation(rows * columns)
    values = values.reshape(rows, columns).astype(np.float64) - 20
    codes = minigrad.tensor(values, requires_grad=True)
    kept = keep_largest(codes, count, dim)
    limit = np.sort(values, axis=dim).take([-count], axis=dim)
    winners = values >= limit
    assert np.array_equal(kept.detach().numpy(), np.where(winners, values, 0))
    (3 * kept).sum().backward()
    assert np.array_equal(codes.grad.numpy(), 3.0 * winners)


@pytest.mark.parametrize("k", [1, 3, 12])
def test_k_sparse_keeps_exactly_k_numbers_of_each_image(k):
    minigrad.manual_seed(0)
    model = KSparse(9, 12, k=k)
    assert ((model.encode(images(20)) != 0).sum(1) == k).all()


def test_k_sparse_may_let_more_speak_in_evaluation():
    model = KSparse(9, 12, k=4, test_factor=1.5).eval()
    assert ((model.embed(images(20)) != 0).sum(1) == 6).all()
    assert ((KSparse(9, 12, k=4, test_factor=9).eval().embed(images(20)) != 0).sum(1) == 12).all()


def test_lifetime_sparsity_gives_every_unit_its_share_of_the_batch():
    minigrad.manual_seed(0)
    model = LifetimeSparse(9, 12, rate=0.25)
    model.encoder[0].bias.data = minigrad.full((12,), 5.0)  # all active, so that winning alone decides
    assert ((model.winners(images(20)) != 0).sum(0) == 5).all()
    assert (model.encode(images(20)) > 0).all()


def test_the_penalty_of_l1_is_the_sum_of_magnitudes_for_each_image():
    model, batch = L1Sparse(9, 12, weight=0.5), images(6)
    loss = model.loss(batch)
    by_hand = np.abs(model.encode(batch).detach().numpy()).sum(1).mean()
    assert loss.parts["l1"].item() == pytest.approx(by_hand, rel=1e-6)
    assert loss.total.item() == pytest.approx(loss.parts["reconstruction"].item() + 0.5 * by_hand, rel=1e-6)


@pytest.mark.parametrize("target", [0.05, 0.5, 0.9])
def test_the_divergence_of_coins_is_pytorchs_and_least_at_the_target(target):
    rates = np.array([0.01, 0.3, target, 0.99])
    coins = torch.distributions.Bernoulli
    expected = torch.distributions.kl_divergence(coins(torch.tensor(target)), coins(torch.tensor(rates)))
    found = kl_of_coins(target, minigrad.tensor(rates)).numpy()
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5, atol=1e-7)
    assert found[2] == pytest.approx(0, abs=1e-12)


def trained(model, steps=300, lr=0.01):
    batch = minigrad.from_numpy(load("digits").train_images[:200])
    optimizer = optim.Adam(model.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        optimizer.step()
    return model, batch


def test_a_price_on_activations_makes_them_fewer_and_smaller():
    sums = []
    for weight in (0.0, 0.3, 3.0):
        minigrad.manual_seed(0)
        model, batch = trained(L1Sparse(64, 96, weight=weight))
        sums.append(model.encode(batch).detach().numpy().sum(1).mean())
    assert sums[0] > 2 * sums[1] > 4 * sums[2]


def test_units_reach_the_share_of_images_they_are_asked_to_be_active_in():
    minigrad.manual_seed(0)
    model, batch = trained(KLSparse(64, 96, target=0.1, weight=10.0))
    rates = model.encode(batch).detach().numpy().mean(0)
    assert rates.mean() == pytest.approx(0.1, abs=0.02)
    assert model.loss(batch).parts["sparsity"].item() < 96 * kl_of_coins(0.1, minigrad.tensor(0.15)).item()


def test_a_sparsity_that_is_reached_costs_nothing():
    model = KLSparse(9, 12, target=0.2, weight=7.0)
    with minigrad.no_grad():
        model.encoder[0].weight.zero_()
        model.encoder[0].bias.fill_(math.log(0.2 / 0.8))
    assert model.loss(images(5)).parts["sparsity"].item() == pytest.approx(0, abs=1e-5)
