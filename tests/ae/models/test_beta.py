"""The price of a nat: beta and its warm-up, the capacity's budget and the free bits' floor do to the KL what they say."""

import numpy as np
import pytest

import minigrad
from ae import losses
from ae.data import load
from ae.models import VAE, BetaVAE, CapacityVAE, FreeBitsVAE
from minigrad import optim


def images(count=16, pixels=9):
    return minigrad.from_numpy(np.random.default_rng(0).uniform(0, 1, (count, pixels)).astype(np.float32))


def same_start(kind, **options):
    """A model with the parameters and the noise that all others of this test have."""
    minigrad.manual_seed(0)
    model = kind(9, 7, 3, **options)
    minigrad.manual_seed(1)
    return model


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (BetaVAE, {"beta": 1.0}),
        (CapacityVAE, {"capacity": 0.0, "gamma": 1.0, "steps": 0}),
        (FreeBitsVAE, {"free": 0.0}),
    ],
)
def test_at_a_fair_price_the_loss_is_the_vaes(kind, options):
    vae, relative = (same_start(one, **given).loss(images()) for one, given in ((VAE, {}), (kind, options)))
    assert relative.total.item() == pytest.approx(vae.total.item(), rel=1e-6)
    assert relative.parts["kl"].item() == pytest.approx(vae.parts["kl"].item(), rel=1e-6)


def test_beta_weighs_the_kl_and_reports_it_unweighed():
    loss = same_start(BetaVAE, beta=3.0).loss(images())
    vae = same_start(VAE).loss(images())
    assert loss.parts["kl"].item() == vae.parts["kl"].item()
    expected = vae.parts["reconstruction"].item() + 3 * vae.parts["kl"].item()
    assert loss.total.item() == pytest.approx(expected, rel=1e-6)


def weight_of_kl(model):
    loss = model.loss(images())
    return ((loss.total - loss.parts["reconstruction"]) / loss.parts["kl"]).item()


def test_the_warm_up_raises_beta_step_by_step_in_training_only():
    model = same_start(BetaVAE, beta=2.0, warmup=4)
    weights = [weight_of_kl(model) for _ in range(6)]
    assert weights == pytest.approx([0, 0.5, 1.0, 1.5, 2.0, 2.0], abs=1e-4)
    early = same_start(BetaVAE, beta=2.0, warmup=4)
    weight_of_kl(early)
    early.eval()
    assert [weight_of_kl(early) for _ in range(3)] == pytest.approx([0.5] * 3, abs=1e-4)


def test_a_saved_warm_up_goes_on_where_it_was():
    model = same_start(BetaVAE, beta=2.0, warmup=4)
    weight_of_kl(model)
    other = same_start(BetaVAE, beta=2.0, warmup=4)
    other.load_state_dict(model.state_dict())
    assert weight_of_kl(other) == pytest.approx(0.5, abs=1e-4)


def trained(model, steps=400, lr=5e-3):
    batch = minigrad.from_numpy(load("digits").train_images[:200])
    optimizer = optim.Adam(model.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        model.loss(batch).total.backward()
        optimizer.step()
    return model, batch


@pytest.mark.parametrize("capacity", [4.0, 12.0])
def test_the_capacity_pulls_the_kl_to_its_budget(capacity):
    minigrad.manual_seed(0)
    model, batch = trained(CapacityVAE(64, 32, 6, capacity=capacity, gamma=20.0, steps=200))
    loss = model.loss(batch)
    assert loss.parts["kl"].item() == pytest.approx(capacity, rel=0.1)
    assert loss.parts["excess"].item() == pytest.approx(abs(loss.parts["kl"].item() - capacity), abs=1e-5)


def test_the_budget_grows_step_by_step():
    model = same_start(CapacityVAE, capacity=8.0, gamma=1.0, steps=4)
    budgets = []
    for _ in range(6):
        loss = model.loss(images())
        budgets.append(loss.parts["kl"].item() + loss.parts["excess"].item())  # an untrained KL is far below
    kl = model.loss(images()).parts["kl"].item()
    assert budgets[1:] == pytest.approx([2.0, 4.0, 6.0, 8.0, 8.0], abs=1e-5)
    assert kl < 2


def test_free_bits_charge_each_latent_its_kl_or_the_allowance_whichever_is_more():
    model = same_start(FreeBitsVAE, free=0.3)
    with minigrad.no_grad():
        model.mu.bias.copy_(minigrad.tensor([0.0, 1.5, -2.0]))
    mu, logvar = model.encode(images())
    units = losses.kl_per_unit(mu, logvar)
    loss = model.loss(images())
    assert units[0] < 0.3 < units[1]
    assert loss.parts["charged"].item() == pytest.approx((0.3 + units[1] + units[2]).item(), rel=1e-6)
    assert loss.parts["kl"].item() == pytest.approx(losses.kl(mu, logvar).item(), rel=1e-6)


def test_a_latent_below_its_allowance_feels_no_pull_to_the_prior():
    mu = minigrad.tensor([[0.1, 3.0], [0.2, 2.0]], requires_grad=True)
    logvar = minigrad.zeros(2, 2)
    losses.kl_per_unit(mu, logvar).clamp(min=0.5).sum().backward()
    assert mu.grad[:, 0].tolist() == [0, 0]
    assert (mu.grad[:, 1] > 0).all()


def test_free_bits_keep_latents_alive_that_a_high_price_would_silence():
    units = []
    for kind, options in ((FreeBitsVAE, {"free": 0.5}), (BetaVAE, {"beta": 4.0})):
        minigrad.manual_seed(0)
        model, batch = trained(kind(64, 32, 6, **options))
        units.append(losses.kl_per_unit(*model.encode(batch)).detach().numpy())
    assert (units[0] > 0.4).all()
    assert (units[1] < 0.4).all()


def test_beta_trades_rate_for_distortion_monotonically():
    rates, distortions = [], []
    for beta in (0.1, 0.5, 1.0, 2.0):
        minigrad.manual_seed(0)
        model, batch = trained(BetaVAE(64, 32, 6, beta=beta))
        parts = model.loss(batch).parts
        rates.append(parts["kl"].item())
        distortions.append(parts["reconstruction"].item())
    assert rates == sorted(rates, reverse=True)
    assert distortions == sorted(distortions)


def test_the_kl_of_the_units_adds_up_to_the_kl():
    rng = np.random.default_rng(0)
    mu, logvar = minigrad.tensor(rng.normal(size=(5, 4))), minigrad.tensor(rng.normal(size=(5, 4)))
    assert losses.kl_per_unit(mu, logvar).sum().item() == pytest.approx(losses.kl(mu, logvar).item(), rel=1e-12)
    with pytest.raises(ValueError, match="one shape"):
        losses.kl_per_unit(mu, logvar[:, :1])
