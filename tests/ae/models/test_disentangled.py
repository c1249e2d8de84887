"""The KL taken apart adds up again, measures dependence where it is known, and the discriminator finds the same."""

import math

import numpy as np
import pytest

import minigrad
from ae import losses
from ae.data import load
from ae.models import VAE, BetaTCVAE, FactorVAE
from ae.models.adversary import tell_apart
from ae.models.base import stack
from ae.models.disentangled import decompose_kl, shuffle_columns
from minigrad import optim


def clouds(count, latent, seed=0):
    rng = np.random.default_rng(seed)
    mu, logvar = rng.normal(0, 1.5, (count, latent)), rng.normal(-1, 0.5, (count, latent))
    codes = mu + np.exp(logvar / 2) * rng.normal(size=mu.shape)
    return minigrad.tensor(codes), minigrad.tensor(mu), minigrad.tensor(logvar)


@pytest.mark.parametrize(("count", "latent"), [(1, 3), (7, 1), (20, 4)])
def test_the_three_parts_add_up_to_the_kl_of_the_same_codes(count, latent):
    codes, mu, logvar = clouds(count, latent)
    sampled = (losses.log_normal(codes, mu, logvar) - losses.log_standard_normal(codes)).sum(1).mean()
    assert sum(decompose_kl(codes, mu, logvar)).item() == pytest.approx(sampled.item(), rel=1e-12)


def test_the_three_parts_add_up_to_the_closed_form_on_average():
    _, mu, logvar = clouds(20, 3)
    model = VAE(9, 5, 3)
    minigrad.manual_seed(0)
    draws = [sum(decompose_kl(model.draw(mu, logvar), mu, logvar)).item() for _ in range(500)]
    error = np.std(draws) / math.sqrt(len(draws))
    assert np.mean(draws) == pytest.approx(losses.kl(mu, logvar).item(), abs=4 * error)


def test_the_parts_are_their_definitions_written_out():
    codes, mu, logvar = (value.numpy() for value in clouds(6, 2))
    density = np.exp(-0.5 * ((codes[:, None] - mu) ** 2 / np.exp(logvar) + logvar + np.log(2 * np.pi)))  # [n, m, j]
    given = density[np.arange(6), np.arange(6)].prod(1)
    joint, product = density.prod(2).mean(1), density.mean(1).prod(1)
    prior = np.exp(-0.5 * (codes**2 + np.log(2 * np.pi))).prod(1)
    expected = [np.log(given / joint).mean(), np.log(joint / product).mean(), np.log(product / prior).mean()]
    found = decompose_kl(*clouds(6, 2))
    assert [value.item() for value in found] == pytest.approx(expected, rel=1e-10)


def test_one_latent_has_no_total_correlation_and_two_copies_have_much():
    codes, mu, logvar = clouds(200, 1)
    assert decompose_kl(codes, mu, logvar)[1].item() == pytest.approx(0, abs=1e-12)
    twice = [minigrad.cat((value, value), dim=1) for value in (mu, mu, logvar - 4)]
    assert decompose_kl(*twice)[1].item() > 1


def test_clouds_far_apart_tell_all_there_is_to_tell():
    mu = minigrad.arange(8).double().unsqueeze(1) * 100
    information, _, _ = decompose_kl(mu, mu, minigrad.zeros_like(mu))
    assert information.item() == pytest.approx(math.log(8), abs=1e-12)


def test_equal_weights_give_the_vaes_loss_with_the_kl_of_its_codes():
    minigrad.manual_seed(0)
    model, images = BetaTCVAE(9, 7, 3, beta=1.0).double(), minigrad.rand(8, 9, dtype=minigrad.float64)
    minigrad.manual_seed(1)
    loss = model.loss(images)
    minigrad.manual_seed(1)
    assert loss.total.item() == pytest.approx(model.sampled_loss(images).total.item(), rel=1e-12)
    three = [loss.parts[name].item() for name in ("mutual_information", "total_correlation", "dimension_kl")]
    assert loss.parts["kl"].item() == pytest.approx(sum(three), rel=1e-12)


def test_weighing_the_total_correlation_lowers_it():
    batch = minigrad.from_numpy(load("digits").train_images[:200])
    found = []
    for beta in (0.0, 3.0):
        minigrad.manual_seed(0)
        model = BetaTCVAE(64, 32, 6, alpha=0.1, beta=beta, gamma=0.1)
        optimizer = optim.Adam(model.parameters(), lr=5e-3)
        for _ in range(250):
            optimizer.zero_grad()
            model.loss(batch).total.backward()
            optimizer.step()
        found.append(model.loss(batch).parts["total_correlation"].item())
    assert found[1] < 0.5 * found[0]


def test_shuffled_columns_are_the_same_numbers_in_other_rows():
    minigrad.manual_seed(0)
    codes = minigrad.arange(300).reshape(100, 3).double()
    shuffled = shuffle_columns(codes)
    assert (shuffled.sort(dim=0).values == codes).all()
    moved = [(shuffled[:, j] != codes[:, j]).double().mean().item() for j in range(3)]
    assert min(moved) > 0.9
    assert (shuffled[:, 0] - codes[:, 0] != shuffled[:, 1] - codes[:, 1]).any()


def test_telling_apart_costs_log_2_by_guessing_and_nothing_by_knowing():
    guesses, sure = minigrad.zeros(5, 1), minigrad.full((5, 1), 50.0)
    assert tell_apart(guesses, guesses).item() == pytest.approx(math.log(2))
    assert tell_apart(sure, -sure).item() == pytest.approx(0, abs=1e-12)
    assert tell_apart(-sure, sure).item() == pytest.approx(50)


def test_a_trained_discriminator_finds_the_total_correlation_of_a_gaussian():
    """Of two numbers with correlation r it is -log(1 - r^2) / 2."""
    minigrad.manual_seed(0)
    correlation, network = 0.8, stack((2, 32, 32, 1))
    optimizer = optim.Adam(network.parameters(), lr=3e-3)

    def draw(count):
        noise = minigrad.randn(count, 2)
        second = correlation * noise[:, 0] + math.sqrt(1 - correlation**2) * noise[:, 1]
        return minigrad.stack((noise[:, 0], second), dim=1)

    for _ in range(400):
        codes = draw(256)
        optimizer.zero_grad()
        tell_apart(network(codes), network(shuffle_columns(codes))).backward()
        optimizer.step()
    estimate = network(draw(10000)).mean().item()
    assert estimate == pytest.approx(-0.5 * math.log(1 - correlation**2), abs=0.1)


def test_the_two_players_of_factor_vae_step_on_their_own_objectives_only():
    minigrad.manual_seed(0)
    model, images = FactorVAE(9, 7, 3), minigrad.rand(16, 9)
    ours, theirs = model.optimizers(0.01)
    loss = model.loss(images)
    theirs.zero_grad()
    loss.objectives[1].backward()
    touched = {name for name, value in model.named_parameters() if value.grad is not None}
    assert touched == {name for name, _ in model.named_parameters() if name.startswith("discriminator")}
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    theirs.step()
    changed = {name for name, value in model.named_parameters() if (value != before[name]).any()}
    assert changed == touched
    ours.zero_grad()
    model.loss(images).total.backward()
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    ours.step()
    changed = {name for name, value in model.named_parameters() if (value != before[name]).any()}
    assert changed == before.keys() - touched
