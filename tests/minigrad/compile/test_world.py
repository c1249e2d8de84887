"""Whatever a step reads of Python's world may change between two calls: the step sees it, compiled or not."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

import minigrad
from minigrad import nn, optim
from tests.minigrad.compile.alike import check

FACTOR = 2.0


def scaled(x: Any) -> Any:
    return x * FACTOR


def doubled(x: Any) -> Any:
    return x * 2


class Plain:
    shared = 2.0

    def __init__(self) -> None:
        self.own = 3.0


class Slots:
    __slots__ = ("own",)


class Late(nn.Module):
    def forward(self, x: Any) -> Any:
        return x * (self.late if hasattr(self, "late") else 1.0)


def calls(step: Callable[..., Any], change: Callable[[int], None], *args: Any) -> list[Any]:
    """The results of twelve calls, before each of which something changes."""
    found = []
    for k in range(12):
        change(k)
        found.append(step(minigrad.ones(2) * k, *args))
    return found


def global_of_a_helper(compiled: Any) -> Any:
    def change(k: int) -> None:
        globals()["FACTOR"] = 5.0 if k > 6 else 2.0

    return calls(compiled(lambda x: scaled(x)), change)


def helper_exchanged(compiled: Any) -> Any:
    former = doubled

    def tripled(x: Any) -> Any:
        return x * 3

    def change(k: int) -> None:
        globals()["doubled"] = tripled if k > 6 else former

    found = calls(compiled(lambda x: doubled(x)), change)
    change(0)
    return found


def default_of_a_parameter(compiled: Any) -> Any:
    options, more = [1.0], {"b": 1.0}

    @compiled
    def step(x: Any, a: Any = options, *, b: Any = more) -> Any:
        return x * a[0] + b["b"]

    def change(k: int) -> None:
        options[0] = 3.0 if k > 5 else 1.0
        more["b"] = 3.0 if k > 8 else 1.0

    return calls(step, change)


def entry_of_a_long_list(compiled: Any) -> Any:
    table = [float(k) for k in range(100)]
    return calls(compiled(lambda x: x * table[50]), lambda k: table.__setitem__(50, 3.0 if k > 6 else 1.0))


def entry_of_a_long_dict(compiled: Any) -> Any:
    table = {str(k): float(k) for k in range(100)}
    return calls(compiled(lambda x: x * table["50"]), lambda k: table.__setitem__("50", 3.0 if k > 6 else 1.0))


def attribute_of_a_class(compiled: Any) -> Any:
    thing = Plain()
    return calls(compiled(lambda x: x * thing.shared), lambda k: setattr(Plain, "shared", 5.0 if k > 6 else 2.0))


def attribute_of_a_class_by_name(compiled: Any) -> Any:
    return calls(compiled(lambda x: x * Plain.shared), lambda k: setattr(Plain, "shared", 5.0 if k > 6 else 2.0))


def attribute_that_hides_that_of_the_class(compiled: Any) -> Any:
    thing = Plain()
    return calls(compiled(lambda x: x * thing.shared), lambda k: setattr(thing, "shared", 5.0) if k > 6 else None)


def attribute_of_an_argument(compiled: Any) -> Any:
    thing = Plain()
    return calls(compiled(lambda x, t: x * t.own), lambda k: setattr(thing, "own", 5.0 if k > 6 else 2.0), thing)


def attribute_in_slots(compiled: Any) -> Any:
    thing = Slots()
    return calls(compiled(lambda x: x * thing.own), lambda k: setattr(thing, "own", 5.0 if k > 6 else 2.0))


def variable_of_a_python_module(compiled: Any) -> Any:
    settings = types.ModuleType("settings")
    return calls(compiled(lambda x: x * settings.rate), lambda k: setattr(settings, "rate", 5.0 if k > 6 else 2.0))


def attribute_that_comes_later(compiled: Any) -> Any:
    module = Late()
    return calls(compiled(module), lambda k: setattr(module, "late", 5.0) if k > 6 else None)


def hooks_come_and_go(compiled: Any) -> Any:
    layer = nn.Linear(2, 3)
    handles: list[Any] = []

    def change(k: int) -> None:
        if k == 5:
            handles.append(layer.register_forward_hook(lambda module, args, out: out * 2))
            handles.append(layer.register_forward_pre_hook(lambda module, args: (args[0] * 3,)))
        if k == 9:
            [handle.remove() for handle in handles]

    return calls(compiled(lambda x: layer(x).detach()), change)


def hook_on_a_gradient_comes_and_goes(compiled: Any) -> Any:
    weight = nn.Parameter(minigrad.ones(2))
    handles: list[Any] = []

    @compiled
    def step(x: Any) -> Any:
        weight.grad = None
        (weight * x).sum().backward()
        return weight.grad

    def change(k: int) -> None:
        if k == 5:
            handles.append(weight.register_hook(lambda g: g * 2))
        if k == 9:
            handles[0].remove()

    return calls(step, change)


def parameter_frozen_and_thawed(compiled: Any) -> Any:
    layer = nn.Linear(2, 2)
    optimizer = optim.Adam(layer.parameters(), 0.1)

    @compiled
    def step(x: Any) -> float:
        optimizer.zero_grad()
        loss = (layer(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    found = []
    for k in range(16):
        layer.weight.requires_grad_(k < 5 or k > 9)
        found.append((step(minigrad.rand(3, 2)), [p.detach().clone() for p in layer.parameters()]))
    return found


def statistics_move_elsewhere(compiled: Any) -> Any:
    norm = nn.BatchNorm1d(2).eval()

    def change(k: int) -> None:
        if k > 6:
            norm.train()(minigrad.rand(4, 2))
            norm.eval()

    return calls(compiled(lambda x: norm(x.reshape(1, 2)).detach()), change)


def tensor_read_through_numpy(compiled: Any) -> Any:
    weight = minigrad.ones(2)
    step = compiled(lambda x: x + minigrad.from_numpy(weight.numpy() * 2))
    return calls(step, lambda k: weight.mul_(2.0) if k > 6 else None)


def odds_of_a_draw(compiled: Any) -> Any:
    odds = minigrad.full((2,), 0.5)
    return calls(compiled(lambda x: x + minigrad.bernoulli(odds)), lambda k: odds.fill_(k / 12))


CHANGES = [
    global_of_a_helper, helper_exchanged, default_of_a_parameter, entry_of_a_long_list, entry_of_a_long_dict,
    attribute_of_a_class, attribute_of_a_class_by_name, attribute_that_hides_that_of_the_class, attribute_of_an_argument,
    attribute_in_slots, variable_of_a_python_module, attribute_that_comes_later, hooks_come_and_go,
    hook_on_a_gradient_comes_and_goes, parameter_frozen_and_thawed, statistics_move_elsewhere, tensor_read_through_numpy,
    odds_of_a_draw,
]  # fmt: skip


@pytest.mark.parametrize("program", CHANGES, ids=lambda program: program.__name__)
def test_change_around_a_step_is_seen(program: Any) -> None:
    check(program)


# What a step does to Python's world would not be done in a replay: it is refused, and what was changed is named.


def counter(compiled: Any) -> Any:
    count = [0]

    @compiled
    def step(x: Any) -> Any:
        count[0] += 1
        return x * 2

    return [(step(minigrad.ones(2)), count[0]) for _ in range(10)]


def scheduler(compiled: Any) -> Any:
    layer = nn.Linear(2, 2)
    optimizer = optim.SGD(layer.parameters(), 0.1)
    schedule = optim.lr_scheduler.StepLR(optimizer, 1, 0.5)

    @compiled
    def step(x: Any) -> float:
        optimizer.zero_grad()
        loss = (layer(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        schedule.step()
        return loss.item()

    return [(step(minigrad.ones(1, 2)), optimizer.param_groups[0]["lr"]) for _ in range(10)]


def learning_rate(compiled: Any) -> Any:
    weight = nn.Parameter(minigrad.ones(2))
    optimizer = optim.SGD([weight], 0.1)

    @compiled
    def step() -> None:
        optimizer.zero_grad()
        (weight**2).sum().backward()
        optimizer.step()
        optimizer.param_groups[0]["lr"] *= 0.5

    return [(step(), weight.detach().clone()) for _ in range(10)]


def queue(compiled: Any) -> Any:
    kept: deque[Any] = deque(maxlen=3)
    step = compiled(lambda x: kept.append(x * 2))
    return [(step(minigrad.ones(2) * k), list(kept)) for k in range(10)]


def names(compiled: Any) -> Any:
    kept: set[int] = set()
    step = compiled(lambda x: kept.add(len(kept)))
    return [(step(minigrad.ones(2)), len(kept)) for _ in range(10)]


def hook_that_keeps(compiled: Any) -> Any:
    layer = nn.Linear(2, 2)
    kept: dict[str, Any] = {}
    layer.register_forward_hook(lambda module, args, out: kept.update(out=out.detach()))
    step = compiled(lambda x: layer(x).detach())
    return [(step(minigrad.ones(2) * k), kept["out"]) for k in range(10)]


EFFECTS = [
    (counter, "list[0]"),
    (scheduler, "it changes what it depends on"),
    (learning_rate, "['lr']"),
    (queue, "deque"),
    (names, "set"),
    (hook_that_keeps, "dict"),
]


@pytest.mark.parametrize(("program", "named"), EFFECTS, ids=[program.__name__ for program, _ in EFFECTS])
def test_effect_of_a_step_on_python_is_named(program: Any, named: str) -> None:
    check(program, named)


def test_training_flag_set_by_the_step_is_set_by_the_replay() -> None:
    def program(compiled: Any) -> Any:
        model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
        optimizer = optim.Adam(model.parameters(), 0.1)

        @compiled
        def learn(x: Any) -> float:
            model.train()
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss.item()

        @compiled
        def judge(x: Any) -> float:
            model.eval()
            with minigrad.no_grad():
                return model(x).mean().item()

        return [((learn if k % 3 else judge)(minigrad.rand(4, 2)), model[2].training) for k in range(30)]

    check(program)
