"""grad_report measures gradients and steps, and finds what vanishes, explodes, is missing, zero or not finite."""

import copy
import math

import numpy as np
import pytest

import minigrad as torch
from minigrad import nn, optim
from minigrad.debug import grad_report
from tests.minigrad.debug.healthy import OPTIMIZERS, mlp, runs


def stack(activation, depth=10, gain=None):
    torch.manual_seed(0)
    layers = [layer for _ in range(depth) for layer in (nn.Linear(16, 16), activation())]
    model = nn.Sequential(*layers)
    if gain is not None:
        for p in model.parameters():
            if p.ndim == 2:
                nn.init.normal_(p, std=gain / 4)
    model(torch.randn(32, 16)).square().sum().backward()
    return model


def test_the_numbers_are_those_of_the_arrays():
    model, optimizer, loss = mlp(4)
    loss().backward()
    report = grad_report(model, optimizer)
    before = {name: p.array.copy() for name, p in model.named_parameters()}
    grads = {name: p.grad.array.astype(np.float64) for name, p in model.named_parameters()}
    optimizer.step()
    for layer, (name, p) in zip(report.layers, model.named_parameters(), strict=True):
        w, g = before[name].astype(np.float64), grads[name]
        assert (layer.name, layer.shape) == (name, p.shape)
        assert layer.weight == pytest.approx(np.sqrt((w * w).mean()))
        assert layer.grad == pytest.approx(np.sqrt((g * g).mean()))
        assert layer.zeros == pytest.approx((g == 0).mean())
        assert layer.ratio == pytest.approx(np.linalg.norm(p.array - w) / np.linalg.norm(w), rel=1e-4)
    assert report.norm == pytest.approx(math.sqrt(sum((g * g).sum() for g in grads.values())))


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_the_trial_step_changes_nothing(make):
    model, _, loss = mlp(1)
    optimizer = make(model.parameters())
    for _ in range(2):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    state = copy.deepcopy(optimizer.state_dict())
    before = [p.array.copy() for p in model.parameters()]
    grads = [p.grad.array.copy() for p in model.parameters()]
    grad_report(model, optimizer)
    for p, w, g in zip(model.parameters(), before, grads, strict=True):
        np.testing.assert_array_equal(p.array, w)
        np.testing.assert_array_equal(p.grad.array, g)
    assert str(optimizer.state_dict()) == str(state)


def test_the_ratio_of_plain_descent_needs_only_the_learning_rate():
    model, _, loss = mlp(2)
    loss().backward()
    by_step = grad_report(model, optim.SGD(model.parameters(), lr=0.05))
    by_rate = grad_report(model, lr=0.05)
    for a, b in zip(by_step.layers, by_rate.layers, strict=True):
        assert a.ratio == pytest.approx(b.ratio, rel=1e-3)
    assert all(layer.ratio is None for layer in grad_report(model).layers)


def test_parameters_of_another_optimizer_have_no_ratio():
    model, _, loss = mlp(1)
    loss().backward()
    report = grad_report(model, optim.SGD(model[0].parameters(), lr=0.1))
    assert [layer.ratio is not None for layer in report.layers] == [
        layer.name.startswith("0.") for layer in report.layers
    ]
    assert report.findings == {}


def test_weights_that_start_at_zero_are_no_large_step():
    model, _, loss = mlp(1)
    nn.init.zeros_(model[-1].weight)
    loss().backward()
    report = grad_report(model, optim.Adam(model.parameters(), lr=1e-3))
    assert report.layers[-2].ratio is None
    assert "fast" not in report.findings


def test_vanishing_gradients_are_named_with_both_ends():
    model = stack(nn.Sigmoid)
    report = grad_report(model)
    first, last = (
        math.sqrt((p.grad.array.astype(np.float64) ** 2).mean()) for p in (model[0].weight, model[18].weight)
    )
    assert set(report.findings) == {"vanishing"}
    assert report.spread == pytest.approx(first / last)
    assert f"|g| is {last:.1e} at 18.weight and {first:.1e} at 0.weight" in str(report)
    # each sigmoid passes on at most a quarter, and the weights somewhat less than they get
    assert 0.05 < report.factor < 0.25


def test_exploding_gradients_are_named():
    report = grad_report(stack(nn.Tanh, depth=14, gain=12))
    assert set(report.findings) == {"exploding"}
    assert report.factor > 1.5
    assert report.spread > 1000
    assert "Exploding: |g| is" in str(report)


def test_weights_that_start_too_large_are_named_by_the_norm():
    report = grad_report(stack(nn.ReLU, gain=3))
    assert set(report.findings) == {"large"}
    assert f"the norm of all gradients is {report.norm:.1e}" in str(report)


def test_a_relu_network_with_the_usual_initialisation_is_quiet():
    assert grad_report(stack(nn.ReLU, gain=math.sqrt(2))).findings == {}


@pytest.mark.parametrize(("lr", "code"), [(3.0, "fast"), (1e-9, "slow")])
def test_a_learning_rate_far_off_is_named(lr, code):
    model, _, loss = mlp(3)
    loss().backward()
    report = grad_report(model, optim.Adam(model.parameters(), lr=lr))
    assert set(report.findings) == {code}
    weights = [layer for layer in report.layers if layer.matrix]
    assert f"{weights[0].name} by {weights[0].ratio:.1e}" in str(report)


def test_missing_and_zero_gradients_are_named():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), nn.Linear(2, 2))
    with torch.no_grad():
        model[0].bias.fill_(-100.0)
    model[2](model[1](model[0](torch.ones(5, 3)))).sum().backward()
    report = grad_report(model)
    assert set(report.findings) == {"none", "zero"}
    assert "No gradient: 3.weight, 3.bias." in str(report)
    assert "All gradients are 0: 0.weight, 0.bias, 2.weight." in str(report)
    assert "5 of 6" not in str(report)
    assert "4 of 6 parameters have a gradient" in str(report)


def test_gradients_that_are_not_finite_are_counted():
    model = nn.Linear(3, 2)
    model(torch.tensor([[1.0, math.nan, 2.0]])).sum().backward()
    report = grad_report(model)
    assert set(report.findings) == {"not_finite"}
    assert "weight (2 of 6)" in str(report)


def test_without_any_gradient_there_is_nothing_to_report():
    with pytest.raises(RuntimeError, match="call it after backward"):
        grad_report(nn.Linear(2, 2))


def test_the_report_reads_as_text_and_as_html():
    model, optimizer, loss = mlp(0)
    loss().backward()
    report = grad_report(model, optimizer)
    assert "Nothing unusual." in str(report)
    assert "0.weight" in report._repr_html_()
    assert report._repr_html_().count("<tr>") == 1 + len(list(model.parameters()))


@pytest.mark.parametrize("make", runs(30))
def test_healthy_training_gives_no_finding(make):
    run = make()
    for _ in range(6):
        for loss, optimizer in zip(run.objectives(), run.optimizers, strict=True):
            run.model.zero_grad()
            loss.backward()
            report = grad_report(run.model, optimizer)
            assert set(report.findings) <= ({"none"} if len(run.optimizers) > 1 else set())
            optimizer.step()
