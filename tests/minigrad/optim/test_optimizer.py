"""Groups, state, hooks and errors of the optimizers, against PyTorch's."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
import torch

from minigrad import optim
from minigrad.creation import tensor
from minigrad.grad_mode import no_grad
from minigrad.tensor import Tensor

NAMES = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"]


def parameter(*shape):
    return Tensor.wrap(np.ones(shape)).requires_grad_()


def reference_parameter(*shape):
    return torch.ones(shape, dtype=torch.float64, requires_grad=True)


def give_gradient(p, value=1.0):
    make = Tensor.wrap if isinstance(p, Tensor) else torch.tensor
    p.grad = make(np.full(tuple(p.shape), value))


@pytest.mark.parametrize("name", NAMES)
def test_repr_is_torchs_to_the_letter(name):
    ours, reference = getattr(optim, name), getattr(torch.optim, name)
    p, q = [parameter(2), parameter(3)], [reference_parameter(2), reference_parameter(3)]
    assert repr(ours(p)) == repr(reference(q))
    groups = [{"params": [x]} for x in p], [{"params": [x]} for x in q]
    groups[0][1]["lr"] = groups[1][1]["lr"] = 0.25
    assert repr(ours(groups[0], lr=0.1)) == repr(reference(groups[1], lr=0.1))
    named = [("a", p[0]), ("b", p[1])], [("a", q[0]), ("b", q[1])]
    assert repr(ours(named[0])) == repr(reference(named[1]))


@pytest.mark.parametrize("name", NAMES)
def test_the_state_dict_has_torchs_layout_before_and_after_a_step(name):
    options = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
    p, q = parameter(2), reference_parameter(2)
    ours, reference = getattr(optim, name)([p], **options), getattr(torch.optim, name)([q], **options)
    for _ in range(2):
        a, b = ours.state_dict(), reference.state_dict()
        assert a["param_groups"] == b["param_groups"]
        assert [list(g) for g in a["param_groups"]] == [list(g) for g in b["param_groups"]]
        assert list(a["state"]) == list(b["state"])
        for key in b["state"]:
            assert {k: str(v.dtype) for k, v in a["state"][key].items()} == {
                k: str(v.dtype) for k, v in b["state"][key].items()
            }
        give_gradient(p)
        give_gradient(q)
        ours.step()
        reference.step()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("how", ["load", "pickle"])
def test_a_run_continues_from_its_saved_state(name, how):
    options = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}

    def train(optimizer, steps):
        for k in steps:
            for p in optimizer.param_groups[0]["params"]:
                give_gradient(p, np.sin(k + 1.0))
            optimizer.step()

    whole = getattr(optim, name)([parameter(3), parameter(2, 2)], lr=0.1, **options)
    train(whole, range(6))
    first = getattr(optim, name)([parameter(3), parameter(2, 2)], lr=0.1, **options)
    train(first, range(3))
    if how == "pickle":
        second = pickle.loads(pickle.dumps(first))
    else:
        second = getattr(optim, name)([Tensor.wrap(p.array.copy()) for p in first.param_groups[0]["params"]])
        second.load_state_dict(copy.deepcopy(first.state_dict()))
    train(second, range(3, 6))
    for p, q in zip(whole.param_groups[0]["params"], second.param_groups[0]["params"], strict=True):
        assert np.array_equal(p.array, q.array)


def test_loaded_state_is_a_copy_in_the_type_of_the_parameter():
    p = parameter(2)
    give_gradient(p)
    first = optim.Adam([p])
    first.step()
    q = Tensor.wrap(np.ones(2, np.float32)).requires_grad_()
    second = optim.Adam([q])
    second.load_state_dict(first.state_dict())
    assert second.state[q]["exp_avg"].array.dtype == np.float32
    assert second.state[q]["step"].item() == 1.0
    q.grad = Tensor.wrap(np.ones(2, np.float32))
    second.step()
    assert first.state[p]["step"].item() == 1.0


def test_a_state_of_adam_stays_decoupled_in_adamw():
    p = parameter(2)
    adamw = optim.AdamW([p])
    adamw.load_state_dict(optim.Adam([p]).state_dict())
    assert adamw.param_groups[0]["decoupled_weight_decay"] is True


def test_loading_a_state_of_other_groups_is_refused():
    one, two = optim.SGD([parameter(2)]), optim.SGD([{"params": parameter(2)}, {"params": parameter(2)}])
    with pytest.raises(ValueError, match="different number of parameter groups: 2, and this optimizer has 1"):
        one.load_state_dict(two.state_dict())
    with pytest.raises(ValueError, match="doesn't match the size"):
        one.load_state_dict(optim.SGD([parameter(2), parameter(2)]).state_dict())


def test_zero_grad_drops_the_gradients_or_fills_them_with_zeros():
    p, q = parameter(2), parameter(2)
    give_gradient(p)
    optimizer = optim.SGD([p, q])
    grad = p.grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is grad
    assert p.grad.tolist() == [0.0, 0.0]
    assert q.grad is None
    optimizer.zero_grad()
    assert p.grad is None


def test_a_closure_is_recorded_even_under_no_grad_and_its_loss_returned():
    w = tensor([3.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert w.item() == pytest.approx(3.0 - 0.6)
    assert optimizer.step() is None


def test_a_step_counts_as_a_change_of_the_parameter():
    w = tensor([3.0], requires_grad=True)
    loss = (w * w).sum()
    w.grad = tensor([1.0])
    optim.SGD([w]).step()
    with pytest.raises(RuntimeError, match=r"SGD\.step\(\)"):
        loss.backward()


def test_an_optimizer_of_ones_own_needs_only_a_step():
    class Sign(optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.data -= group["lr"] * p.grad.sign()

    p = parameter(1)
    give_gradient(p, -5.0)
    optimizer = Sign([p], 0.5)
    optimizer.step()
    assert p.tolist() == [1.5]
    assert repr(optimizer) == "Sign (\nParameter Group 0\n    lr: 0.5\n)"
    with pytest.raises(NotImplementedError, match="step of its own"):
        optimizer.register_step_post_hook(print)


def test_hooks_run_around_the_step_until_removed():
    p = parameter(1)
    give_gradient(p)
    optimizer, seen = optim.SGD([p]), []
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(("before", o is optimizer, p.item())))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(("after", o is optimizer, p.item())))
    optimizer.step()
    before.remove()
    optimizer.step()
    assert seen == [("before", True, 1.0), ("after", True, 0.999), ("after", True, 0.998)]


def test_an_optimizer_is_freed_without_the_cycle_collector():
    p = parameter(2)
    give_gradient(p)
    optimizer = optim.Adam([p])
    scheduler = optim.lr_scheduler.StepLR(optimizer, 2)
    optimizer.step()
    found = weakref.ref(optimizer)
    gc.disable()
    try:
        del optimizer, scheduler
        assert found() is None
    finally:
        gc.enable()


WRONG = [
    ("SGD", {"lr": -1.0}),
    ("SGD", {"momentum": -1.0}),
    ("SGD", {"weight_decay": -1.0}),
    ("SGD", {"nesterov": True}),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
    ("Adam", {"lr": -1.0}),
    ("Adam", {"eps": -1.0}),
    ("Adam", {"betas": (1.0, 0.9)}),
    ("Adam", {"betas": (0.9, -0.1)}),
    ("Adam", {"betas": (0, 0.9)}),
    ("Adam", {"weight_decay": -1.0}),
    ("AdamW", {"lr": float("nan")}),
    ("RMSprop", {"lr": -1.0}),
    ("RMSprop", {"alpha": -1.0}),
    ("RMSprop", {"momentum": -1.0}),
    ("RMSprop", {"eps": -1.0}),
    ("RMSprop", {"weight_decay": -1.0}),
    ("Adagrad", {"lr": -1.0}),
    ("Adagrad", {"lr_decay": -1.0}),
    ("Adagrad", {"initial_accumulator_value": -1.0}),
    ("Adagrad", {"eps": -1.0}),
    ("Adagrad", {"weight_decay": -1.0}),
]


@pytest.mark.parametrize(("name", "options"), WRONG)
def test_options_out_of_range_raise_torchs_message(name, options):
    with pytest.raises(ValueError) as theirs:  # noqa: PT011  # its message is what is compared
        getattr(torch.optim, name)([reference_parameter(1)], **options)
    with pytest.raises(ValueError) as ours:  # noqa: PT011
        getattr(optim, name)([parameter(1)], **options)
    assert str(ours.value).startswith(str(theirs.value))


def test_a_learning_rate_of_many_elements_is_refused():
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        optim.SGD([parameter(1)], lr=tensor([0.1, 0.2]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("flag", ["foreach", "fused", "capturable", "differentiable"])
def test_flags_that_choose_another_implementation_are_refused_unless_default(name, flag):
    if flag not in getattr(torch.optim, name)([reference_parameter(1)]).defaults:
        with pytest.raises(TypeError):
            getattr(optim, name)([parameter(1)], **{flag: True})
        return
    getattr(optim, name)([parameter(1)], **{flag: False})
    with pytest.raises(NotImplementedError, match=f"leave {flag} out"):
        getattr(optim, name)([parameter(1)], **{flag: True})


PARAMETERS = [
    (lambda p: p(2), TypeError),
    (lambda p: [], ValueError),
    (lambda p: [3.0], TypeError),
    (lambda p: [p(2) * 2], ValueError),
    (lambda p: [{"params": {p(2)}}], TypeError),
    (lambda p: [("a", p(2)), p(2)], ValueError),
    (lambda p: [{"params": [("a", p(2))]}, {"params": [p(2)]}], ValueError),
    (lambda p: (lambda x: [{"params": [x]}, {"params": [x]}])(p(2)), ValueError),
    (lambda p: [{"params": [p(1)]}, [p(2)]], TypeError),
]


@pytest.mark.parametrize(("make", "error"), PARAMETERS)
def test_parameters_that_cannot_be_optimized_raise_torchs_errors(make, error):
    with pytest.raises(error):
        torch.optim.SGD(make(reference_parameter))
    with pytest.raises(error):
        optim.SGD(make(parameter))


def test_a_parameter_given_twice_is_reported():
    p = parameter(2)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optim.SGD([p, p])
