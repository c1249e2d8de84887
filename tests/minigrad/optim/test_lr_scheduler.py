"""Every schedule's learning rates, and its momenta, against PyTorch's."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import optim
from minigrad.creation import tensor
from minigrad.optim import lr_scheduler
from minigrad.tensor import Tensor

factors = st.floats(0.1, 1.0)

SCHEDULES = {
    "StepLR": st.fixed_dictionaries({"step_size": st.integers(1, 6), "gamma": factors}),
    "MultiStepLR": st.fixed_dictionaries({"milestones": st.lists(st.integers(1, 15), max_size=5), "gamma": factors}),
    "ExponentialLR": st.fixed_dictionaries({"gamma": factors}),
    "CosineAnnealingLR": st.fixed_dictionaries({"T_max": st.integers(1, 12), "eta_min": st.sampled_from([0.0, 0.01])}),
    "LambdaLR": st.sampled_from(
        [{"lr_lambda": lambda epoch: 0.9**epoch}, {"lr_lambda": [lambda e: 1 / (1 + e), lambda e: e % 3]}]
    ),
    "OneCycleLR": st.fixed_dictionaries(
        {
            "max_lr": st.sampled_from([0.5, [0.5, 0.1]]),
            "total_steps": st.integers(24, 40),
            "pct_start": st.sampled_from([0.2, 0.3, 0.45]),
            "anneal_strategy": st.sampled_from(["cos", "linear"]),
            "cycle_momentum": st.booleans(),
            "div_factor": st.sampled_from([10.0, 25.0]),
            "three_phase": st.booleans(),
        }
    ),
}


def two_groups(module, kind="SGD", lr=0.3):
    make = Tensor.wrap if module is optim else torch.tensor
    params = [make(np.ones(2)).requires_grad_() for _ in range(2)]
    return getattr(module, kind)([{"params": params[:1]}, {"params": params[1:], "lr": 0.7 * lr}], lr=lr)


def run(module, schedulers, name, options, kind, epochs):
    optimizer = two_groups(module, kind)
    scheduler = getattr(schedulers, name)(optimizer, **options)
    found = []
    for _ in range(epochs):
        groups = optimizer.param_groups
        found.append([(g["lr"], g.get("momentum"), g.get("betas")) for g in groups])
        assert scheduler.get_last_lr() == [g["lr"] for g in groups]
        optimizer.step()
        scheduler.step()
    return found


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(sorted(SCHEDULES)).flatmap(lambda n: st.tuples(st.just(n), SCHEDULES[n])),
    st.sampled_from(["SGD", "Adam"]),
)
def test_twenty_epochs_follow_torch_exactly(case, kind):
    name, options = case
    ours = run(optim, lr_scheduler, name, options, kind, 20)
    assert ours == run(torch.optim, torch.optim.lr_scheduler, name, options, kind, 20)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([0.5, 0.9, 0.99999, 1.0, 1.2, float("nan")]), min_size=5, max_size=30),
    st.fixed_dictionaries(
        {
            "mode": st.sampled_from(["min", "max"]),
            "factor": factors.filter(lambda f: f < 1),
            "patience": st.integers(0, 3),
            "threshold": st.sampled_from([1e-4, 0.2]),
            "threshold_mode": st.sampled_from(["rel", "abs"]),
            "cooldown": st.integers(0, 2),
            "min_lr": st.sampled_from([0, 0.05, [0.1, 0.01]]),
            "eps": st.sampled_from([1e-8, 0.02]),
        }
    ),
)
def test_plateau_follows_torch(metrics, options):
    a, b = two_groups(optim), two_groups(torch.optim)
    ours = lr_scheduler.ReduceLROnPlateau(a, **options)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(b, **options)
    for value in metrics:
        ours.step(tensor(value))
        theirs.step(torch.tensor(value))
        assert ours.get_last_lr() == theirs.get_last_lr() == [g["lr"] for g in a.param_groups]
        assert (ours.num_bad_epochs, ours.in_cooldown) == (theirs.num_bad_epochs, theirs.in_cooldown)


EXAMPLES = {
    "StepLR": {"step_size": 2},
    "MultiStepLR": {"milestones": [1, 4]},
    "ExponentialLR": {"gamma": 0.9},
    "CosineAnnealingLR": {"T_max": 5},
    "LambdaLR": {"lr_lambda": lambda epoch: 0.9**epoch},
    "OneCycleLR": {"max_lr": 0.5, "total_steps": 12},
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_schedule_continues_from_its_saved_state(name):
    def advance(optimizer, scheduler, epochs):
        found = []
        for _ in range(epochs):
            optimizer.step()
            scheduler.step()
            found.append(scheduler.get_last_lr())
        return found

    optimizer = two_groups(optim)
    scheduler = getattr(lr_scheduler, name)(optimizer, **EXAMPLES[name])
    advance(optimizer, scheduler, 3)
    other = two_groups(optim)
    resumed = getattr(lr_scheduler, name)(other, **EXAMPLES[name])
    resumed.load_state_dict(scheduler.state_dict())
    other.load_state_dict(optimizer.state_dict())
    assert "optimizer" not in scheduler.state_dict()
    assert advance(other, resumed, 5) == advance(optimizer, scheduler, 5)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_state_dict_has_torchs_keys_and_values(name):
    a, b = two_groups(optim), two_groups(torch.optim)
    ours = getattr(lr_scheduler, name)(a, **EXAMPLES[name]).state_dict()
    theirs = getattr(torch.optim.lr_scheduler, name)(b, **EXAMPLES[name]).state_dict()
    assert ours == theirs


def test_plateau_saves_and_resumes():
    optimizer = two_groups(optim)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    for value in (1.0, 2.0):
        scheduler.step(value)
    resumed = lr_scheduler.ReduceLROnPlateau(optimizer)
    resumed.load_state_dict(scheduler.state_dict())
    resumed.step(2.0)
    assert resumed.get_last_lr() == pytest.approx([0.03, 0.021])


def test_a_callable_objects_attributes_are_saved_with_lambda_lr():
    class Scale:
        factor = 0.5

        def __call__(self, epoch):
            return self.factor**epoch

    f = Scale()
    f.factor = 0.25
    saved = lr_scheduler.LambdaLR(two_groups(optim), f).state_dict()
    other = Scale()
    lr_scheduler.LambdaLR(two_groups(optim), other).load_state_dict(saved)
    assert other.factor == 0.25


@pytest.mark.parametrize("name", [n for n in EXAMPLES if n != "OneCycleLR"])
def test_resuming_by_last_epoch_follows_torch(name):
    def resume(module, schedulers):
        optimizer = two_groups(module)
        with pytest.raises(KeyError, match="initial_lr"):
            getattr(schedulers, name)(optimizer, **EXAMPLES[name], last_epoch=3)
        for group in optimizer.param_groups:
            group["initial_lr"] = 1.0
        return getattr(schedulers, name)(optimizer, **EXAMPLES[name], last_epoch=3).get_last_lr()

    assert resume(optim, lr_scheduler) == resume(torch.optim, torch.optim.lr_scheduler)


@pytest.mark.parametrize("name", EXAMPLES)
def test_jumping_to_an_epoch_warns_and_follows_torch(name):
    def jump(module, schedulers):
        optimizer = two_groups(module)
        scheduler = getattr(schedulers, name)(optimizer, **EXAMPLES[name])
        optimizer.step()
        with pytest.warns(UserWarning, match="epoch parameter"):
            scheduler.step(7)
        return scheduler.get_last_lr()

    assert jump(optim, lr_scheduler) == jump(torch.optim, torch.optim.lr_scheduler)


def test_the_wrong_order_of_steps_is_reported_once():
    optimizer = two_groups(optim)
    scheduler = lr_scheduler.StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        scheduler.step()
    scheduler.step()
    with warnings.catch_warnings():
        right = two_groups(optim)
        scheduler = lr_scheduler.StepLR(right, 2)
        right.step()
        scheduler.step()


def test_a_step_overridden_after_the_schedule_was_made_is_reported():
    optimizer = two_groups(optim)
    scheduler = lr_scheduler.StepLR(optimizer, 2)
    optimizer.step = lambda: None
    with pytest.warns(UserWarning, match="has been overridden"):
        scheduler.step()


def test_asking_get_lr_outside_a_step_is_reported():
    scheduler = lr_scheduler.StepLR(two_groups(optim), 2)
    with pytest.warns(UserWarning, match="get_last_lr"):
        scheduler.get_lr()


def test_two_schedules_multiply_as_in_torch():
    def rates(module, schedulers):
        optimizer = two_groups(module)
        both = [schedulers.ExponentialLR(optimizer, 0.9), schedulers.StepLR(optimizer, 3)]
        found = []
        for _ in range(8):
            optimizer.step()
            for scheduler in both:
                scheduler.step()
            found.append([g["lr"] for g in optimizer.param_groups])
        return found

    assert rates(optim, lr_scheduler) == rates(torch.optim, torch.optim.lr_scheduler)


def test_a_tensor_as_learning_rate_keeps_its_identity():
    lr = tensor(0.5)
    p = Tensor.wrap(np.ones(2)).requires_grad_()
    optimizer = optim.SGD([p], lr=lr)
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] is lr
    assert lr.item() == 0.25
    assert scheduler.base_lrs[0].item() == 0.5


def test_one_cycle_refuses_a_step_after_the_last():
    optimizer = two_groups(optim)
    scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=3)
    for _ in range(3):
        optimizer.step()
        scheduler.step()
    with pytest.raises(ValueError, match="Tried to step 4 times"):
        scheduler.step()


WRONG = [
    (lambda s, o: s.StepLR("no", 1), TypeError),
    (lambda s, o: s.ReduceLROnPlateau("no"), TypeError),
    (lambda s, o: s.OneCycleLR("no", 0.1, 3), TypeError),
    (lambda s, o: s.LambdaLR(o, [abs]), ValueError),
    (lambda s, o: s.OneCycleLR(o, 0.1), ValueError),
    (lambda s, o: s.OneCycleLR(o, 0.1, total_steps=0), ValueError),
    (lambda s, o: s.OneCycleLR(o, 0.1, epochs=2, steps_per_epoch=0), ValueError),
    (lambda s, o: s.OneCycleLR(o, 0.1, epochs=0, steps_per_epoch=2), ValueError),
    (lambda s, o: s.OneCycleLR(o, 0.1, 3, pct_start=1.5), ValueError),
    (lambda s, o: s.OneCycleLR(o, 0.1, 3, anneal_strategy="up"), ValueError),
    (lambda s, o: s.OneCycleLR(o, [0.1], 3), ValueError),
    (lambda s, o: s.ReduceLROnPlateau(o, factor=1.0), ValueError),
    (lambda s, o: s.ReduceLROnPlateau(o, mode="low"), ValueError),
    (lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="x"), ValueError),
    (lambda s, o: s.ReduceLROnPlateau(o, min_lr=[0.1]), ValueError),
]


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_raise_torchs_errors(case):
    make, error = case
    with pytest.raises(error):
        make(torch.optim.lr_scheduler, two_groups(torch.optim))
    with pytest.raises(error):
        make(lr_scheduler, two_groups(optim))


def test_one_cycle_needs_an_optimizer_with_momentum():
    with pytest.raises(ValueError, match="cycle_momentum"):
        lr_scheduler.OneCycleLR(two_groups(optim, "Adagrad"), 0.1, 3)


def test_plateau_asks_for_a_new_min_lr_when_a_group_was_added():
    optimizer = two_groups(optim)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.0, 0.0])
    optimizer.add_param_group({"params": Tensor.wrap(np.ones(1)).requires_grad_()})
    scheduler.step(1.0)
    with pytest.raises(RuntimeError, match="min_lrs"):
        scheduler.step(1.0)
