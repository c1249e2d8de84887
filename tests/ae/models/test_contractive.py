"""The Jacobian's price: the closed form, double backward and the Jacobian itself agree, and paying it contracts."""

import numpy as np
import pytest

import minigrad
from ae.data import load
from ae.models.contractive import ContractiveAutoencoder, DeepContractive, jacobian_norm
from minigrad import nn, optim


def images(count, pixels=9):
    return minigrad.from_numpy(np.random.default_rng(0).uniform(0, 1, (count, pixels)))


def by_jacobian(encode, batch):
    """The mean of |J|^2, from each image's whole Jacobian."""
    norms = [minigrad.autograd.functional.jacobian(encode, row).square().sum().item() for row in batch.split(1)]
    return np.mean(norms)


def test_the_closed_form_the_double_backward_and_the_jacobian_agree():
    minigrad.manual_seed(0)
    model, batch = ContractiveAutoencoder(9, 14).double(), images(6)
    closed, double = model.contraction(batch), jacobian_norm(model.encode, batch)[1]
    assert double.item() == pytest.approx(closed.item(), rel=1e-13)
    assert closed.item() == pytest.approx(by_jacobian(model.encode, batch), rel=1e-13)


def test_the_gradient_of_the_closed_form_is_that_of_double_backward():
    minigrad.manual_seed(0)
    model, batch = ContractiveAutoencoder(9, 14).double(), images(6)
    parameters = list(model.encoder.parameters())
    closed = minigrad.autograd.grad(model.contraction(batch), parameters)
    double = minigrad.autograd.grad(jacobian_norm(model.encode, batch)[1], parameters)
    for one, other in zip(closed, double, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-11, atol=1e-15)


def test_the_loss_is_the_same_by_either_way_for_one_sigmoid_layer():
    minigrad.manual_seed(0)
    flat, deep, batch = ContractiveAutoencoder(9, 14).double(), DeepContractive(9, (), 14).double(), images(6)
    deep.encoder[0].load_state_dict(flat.encoder.state_dict())
    deep.decoder.load_state_dict(flat.decoder.state_dict())
    ours, theirs = flat.loss(batch), deep.loss(batch)
    assert ours.total.item() == pytest.approx(theirs.total.item(), rel=1e-13)
    for one, other in zip(
        minigrad.autograd.grad(ours.total, list(flat.parameters())),
        minigrad.autograd.grad(theirs.total, list(deep.parameters())),
        strict=True,
    ):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-10, atol=1e-14)


def test_a_deep_encoders_price_is_that_of_its_whole_jacobian():
    minigrad.manual_seed(0)
    model, batch = DeepContractive(9, (7, 6), 5).double(), images(4)
    assert model.contraction(batch).item() == pytest.approx(by_jacobian(model.encode, batch), rel=1e-12)


def test_a_deep_encoders_price_has_the_gradient_of_finite_differences():
    minigrad.manual_seed(0)
    model, batch = DeepContractive(5, (4,), 3).double(), images(3, 5)
    weight = next(iter(model.encoder.parameters()))
    (gradient,) = minigrad.autograd.grad(model.contraction(batch), [weight])
    for i, j in ((0, 0), (2, 3), (3, 4)):
        sides = []
        for step in (1e-5, -1e-5):
            with minigrad.no_grad():
                weight[i, j] += step
                sides.append(model.contraction(batch).item())
                weight[i, j] -= step
        assert gradient[i, j].item() == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-6)


def test_without_a_graph_the_price_is_the_same_number():
    model, batch = DeepContractive(9, (7,), 5).double(), images(4)
    with_graph = model.contraction(batch)
    with minigrad.no_grad():
        without = model.contraction(batch)
    assert with_graph.requires_grad
    assert not without.requires_grad
    assert without.item() == with_graph.item()


@pytest.mark.parametrize("kind", ["closed", "deep"])
def test_the_higher_the_price_the_smaller_the_jacobian(kind):
    batch = minigrad.from_numpy(load("digits").train_images[:100])
    norms = []
    for weight in (0.0, 0.1, 1.0):
        minigrad.manual_seed(0)
        model = (
            ContractiveAutoencoder(64, 30, weight=weight)
            if kind == "closed"
            else DeepContractive(64, (30,), 8, weight=10 * weight)
        )
        optimizer = optim.Adam(model.parameters(), lr=0.02)
        for _ in range(120):
            optimizer.zero_grad()
            model.loss(batch).total.backward()
            optimizer.step()
        norms.append(model.contraction(batch).item())
    assert norms[0] > 1.5 * norms[1] > 1.5 * norms[2]


def test_the_jacobian_of_a_linear_map_is_its_weight():
    layer = nn.Linear(4, 3).double()
    norm = jacobian_norm(layer, images(5, 4))[1]
    assert norm.item() == pytest.approx(layer.weight.detach().square().sum().item(), rel=1e-14)
