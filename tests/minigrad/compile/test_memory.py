"""Memory that arguments, parameters, gradients and results share: a replay shares it as the step itself does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad
from minigrad import nn, optim
from minigrad.nn import functional as F
from tests.minigrad.compile.alike import check


def used(step: Callable[..., Any], inputs: Any = None) -> list[Any]:
    """Results, each looked at before and after its first part is changed in place."""
    found = []
    for k in range(8):
        x = minigrad.rand(3, 4) if inputs is None else inputs(k)
        results = step(x)
        found.append(repr(results))
        results[0].add_(1.0)
        found.append((list(results), x))
    return found


def results_twice(compiled: Any) -> Any:
    def step(x: Any) -> Any:
        y = x * 2
        return y, y, y[0], y.numpy(), y.t()

    return used(compiled(step))


def view_of_an_argument(compiled: Any) -> Any:
    return used(compiled(lambda x: (x.view(-1), x.detach(), x.numpy(), x + 1)))


def view_without_history(compiled: Any) -> Any:
    @compiled
    def step(x: Any) -> Any:
        with minigrad.no_grad():
            return x[1], x.numpy()[:, 1], x * 2

    return used(step)


def view_of_a_tensor_around_the_step(compiled: Any) -> Any:
    weight = minigrad.rand(4, 3)
    return used(compiled(lambda x: (weight[0], weight.t(), x @ weight)))


def view_of_a_parameter(compiled: Any) -> Any:
    weight = nn.Parameter(minigrad.rand(4, 3))
    step = compiled(lambda x: (weight.t(), x @ weight))
    found = []
    for _ in range(8):
        weight.grad = None
        view, y = step(minigrad.rand(2, 4))
        (view.sum() * y.sum()).backward()
        found.append((view, y, weight.grad))
    return found


def loss_and_its_detached_twin(compiled: Any) -> Any:
    weight = nn.Parameter(minigrad.rand(4))

    @compiled
    def step(x: Any) -> Any:
        loss = (x * weight).sum()
        return loss, loss.detach()

    found = []
    for _ in range(8):
        weight.grad = None
        loss, twin = step(minigrad.rand(3, 4))
        loss.backward()
        found.append((twin.add_(1.0), weight.grad))
    return found


def argument_that_is_a_parameter_now_and_then(compiled: Any) -> Any:
    weight = nn.Parameter(minigrad.rand(3))
    optimizer = optim.SGD([weight], 0.1)

    @compiled
    def step(x: Any) -> Any:
        optimizer.zero_grad()
        loss = (x * weight).sum()
        loss.backward()
        optimizer.step()
        return loss.item(), x * 2

    return [(step(weight.detach() if k > 5 else minigrad.rand(3)), weight.detach().clone()) for k in range(10)]


def argument_with_gaps(compiled: Any) -> Any:
    step = compiled(lambda x: x @ x)
    return [step([x, x.t(), x[::2, ::2]][k % 3]) for k in range(18) for x in [minigrad.rand(6, 6)]]


def argument_that_runs_backwards(compiled: Any) -> Any:
    step = compiled(lambda x: x * 2)
    return [step(minigrad.from_numpy(np.arange(k, k + 4.0)[::-1].copy()[::-1])) for k in range(8)]


def gradient_of_an_argument_that_is_used_again(compiled: Any) -> Any:
    @compiled
    def step(x: Any) -> float:
        loss = (x**2).sum()
        loss.backward()
        return loss.item()

    def fresh() -> Any:
        return minigrad.rand(3).requires_grad_()

    xs = [fresh() for _ in range(5)]
    return [(step(x), x.grad.clone()) for x in xs] + [(step(x), x.grad.clone()) for x in [fresh() for _ in range(4)]]


def constant_gradient_that_adds_up(compiled: Any) -> Any:
    layer = nn.Linear(3, 2)
    step = compiled(lambda x: layer(x).sum().backward())
    return [(step(minigrad.rand(4, 3)), [p.grad.clone() for p in layer.parameters()]) for _ in range(8)]


def gradient_added_to_and_then_dropped(compiled: Any) -> Any:
    first, second = nn.Linear(3, 3), nn.Linear(3, 1)
    optimizers = optim.Adam(first.parameters()), optim.Adam(second.parameters())

    @compiled
    def step(x: Any) -> None:
        for optimizer, loss in zip(
            optimizers, (second(first(x)).mean(), second(first(x).detach()).mean()), strict=True
        ):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return [(step(minigrad.rand(4, 3)), [p.detach().clone() for p in second.parameters()]) for _ in range(10)]


def views_changed_in_place(compiled: Any) -> Any:
    weight = nn.Parameter(minigrad.rand(3, 4))

    @compiled
    def step(x: Any) -> float:
        weight.grad = None
        y = weight * x
        y[0].mul_(2)
        y.view(-1)[3:5].add_(x[0, :2])
        y.t().tanh_()
        y.diagonal().mul_(3)
        y.reshape(4, 3)[1].exp_()
        loss = y.sum()
        loss.backward()
        return loss.item()

    return [(step(minigrad.rand(3, 4)), weight.grad.clone()) for _ in range(8)]


def running_mean_as_plain_average(compiled: Any) -> Any:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, momentum=None), nn.Tanh())
    optimizer = optim.Adam(model.parameters())

    @compiled
    def step(x: Any) -> float:
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    return [(step(minigrad.rand(5, 3)), {k: v.clone() for k, v in model.state_dict().items()}) for _ in range(12)]


def constant_result_that_is_changed(compiled: Any) -> Any:
    return used(compiled(lambda x: (minigrad.ones(3), minigrad.tensor([1.0, 2.0]), x * 2)))


def scalars_of_numpy(compiled: Any) -> Any:
    step = compiled(lambda x: (x.numpy().sum(), x.numpy().max(), x.numpy().argmax(), x.numpy() @ x.numpy().T))
    return [step(minigrad.rand(2, 3)) for _ in range(6)]


SHARING = [
    results_twice, view_of_an_argument, view_without_history, view_of_a_tensor_around_the_step, view_of_a_parameter,
    loss_and_its_detached_twin, argument_that_is_a_parameter_now_and_then, argument_with_gaps,
    argument_that_runs_backwards, gradient_of_an_argument_that_is_used_again, constant_gradient_that_adds_up,
    gradient_added_to_and_then_dropped, views_changed_in_place, running_mean_as_plain_average, scalars_of_numpy,
    constant_result_that_is_changed,
]  # fmt: skip


@pytest.mark.parametrize("program", SHARING, ids=lambda program: program.__name__)
def test_replay_shares_memory_as_the_step_does(program: Any) -> None:
    check(program)


def optimizer_state_exchanged(compiled: Any) -> Any:
    layer = nn.Linear(3, 2)
    optimizer = optim.Adam(layer.parameters(), 0.1)

    @compiled
    def step(x: Any) -> None:
        optimizer.zero_grad()
        F.mse_loss(layer(x), x[:, :2]).backward()
        optimizer.step()

    found = []
    for k in range(24):
        if k == 6:
            [state["exp_avg"].zero_() for state in optimizer.state.values()]
        if k == 9:
            optimizer.state[layer.bias]["exp_avg"] = minigrad.ones(2)
        if k == 13:
            optimizer.state.clear()
        if k == 18:
            optimizer.state[layer.weight]["step"].fill_(1.0)
        step(minigrad.rand(4, 3))
        found.append([p.detach().clone() for p in layer.parameters()])
    return found


def group_added(compiled: Any) -> Any:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2))
    optimizer = optim.Adam(model[0].parameters(), 0.1)

    @compiled
    def step(x: Any) -> None:
        optimizer.zero_grad()
        F.mse_loss(model(x), x[:, :2]).backward()
        optimizer.step()

    found = []
    for k in range(16):
        if k == 6:
            optimizer.add_param_group({"params": list(model[1].parameters()), "lr": 0.01})
        step(minigrad.rand(4, 3))
        found.append([p.detach().clone() for p in model.parameters()])
    return found


@pytest.mark.parametrize("program", [optimizer_state_exchanged, group_added], ids=lambda program: program.__name__)
def test_change_of_an_optimizer_is_seen(program: Any) -> None:
    check(program)


REFUSED = [
    (lambda x: x * float(np.sqrt(x.sum().item())), "Python uses the value"),
    (lambda x: minigrad.tensor([x.sum().item()]), "Python uses the value"),
    (lambda x: minigrad.from_numpy(np.asarray(x) * 2), "np.asarray"),
    (lambda x: minigrad.from_numpy(np.array(x) * 2), "np.asarray"),
]


@pytest.mark.parametrize(("step", "named"), REFUSED)
def test_value_that_leaves_the_capture_is_noticed(step: Any, named: str) -> None:
    check(lambda compiled: [compiled(step)(x) for x in [minigrad.ones(2)]] and _several(compiled, step), named)


def _several(compiled: Any, step: Any) -> Any:
    run = compiled(step)
    return [run(minigrad.ones(2) * (1 if k < 6 else k)) for k in range(10)]


def test_backward_into_what_was_before_the_step_runs_as_it_is() -> None:
    def program(compiled: Any) -> Any:
        step = compiled(lambda x: (x**2).sum().backward())
        found = []
        for k in range(16):
            weight = minigrad.rand(3).requires_grad_()
            step(weight if k < 8 else weight * 2)
            found.append(weight.grad)
        return found

    check(program, "before the step")


def test_parameter_changed_before_the_way_back_raises_only_if_it_is_read_there() -> None:
    first, second = nn.Linear(2, 3), nn.Linear(3, 1)
    compiled = minigrad.compile(lambda x: second(first(x).tanh()))
    for _ in range(5):
        compiled(minigrad.rand(4, 2)).sum().backward()
    y = compiled(minigrad.rand(4, 2))
    with minigrad.no_grad():
        first.weight.mul_(2.0)
    y.sum().backward()
    y = compiled(minigrad.rand(4, 2))
    with minigrad.no_grad():
        second.weight.mul_(2.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
