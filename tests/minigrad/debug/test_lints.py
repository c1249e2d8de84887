"""lint tells of mistakes in a training loop, with step, line and numbers, and is silent on healthy ones."""

import math
import warnings

import pytest

import minigrad as torch
from minigrad import nn, optim
from minigrad.debug import LintWarning, lint
from tests.minigrad.debug.healthy import mlp, runs


def setup():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    return model, optim.SGD(model.parameters(), lr=0.1), torch.randn(8, 3)


def loss_of(model, x):
    return model(x).square().mean()


def test_a_forgotten_zero_grad_is_told_at_the_second_step():
    model, optimizer, x = setup()
    with lint(model, optimizer, warn=False) as found:
        for _ in range(3):
            loss_of(model, x).backward()
            optimizer.step()
    (finding,) = found.findings
    assert (finding.code, finding.step) == ("zero_grad", 2)
    assert len(finding.names) == 4
    line = test_a_forgotten_zero_grad_is_told_at_the_second_step.__code__.co_firstlineno + 5
    assert f"test_lints.py:{line}: optimizer.step()" in str(finding)
    assert "4 of 4 parameters still had its gradient" in str(found)


def test_the_norms_in_the_text_are_those_of_the_gradients():
    model, optimizer, x = setup()

    def norm():
        return math.sqrt(sum((p.grad.array.astype(float) ** 2).sum() for p in model.parameters()))

    with lint(model, optimizer, warn=False) as found:
        loss_of(model, x).backward()
        first = norm()
        optimizer.step()
        loss_of(model, x).backward()
        second = norm()
        optimizer.step()
    assert f"of norm {first:.3g}" in found.findings[0].text
    assert f"norm now {second:.3g}" in found.findings[0].text


def test_a_step_before_backward_is_told():
    model, optimizer, _ = setup()
    with lint(model, optimizer, warn=False) as found:
        optimizer.step()
    assert [f.code for f in found.findings] == ["all_none"]
    assert "all 4 gradients of the optimizer are None" in str(found)


def test_zero_grad_between_backward_and_step_is_told():
    model, optimizer, x = setup()
    with lint(model, optimizer, warn=False) as found:
        loss_of(model, x).backward()
        optimizer.zero_grad()
        optimizer.step()
    assert [f.code for f in found.findings] == ["cleared"]
    assert "not between backward and step" in str(found)


def test_parameters_without_a_gradient_are_named():
    model, optimizer, x = setup()
    with lint(model, optimizer, warn=False) as found:
        model[0](x).sum().backward()
        optimizer.step()
    (finding,) = found.findings
    assert (finding.code, finding.names) == ("none", ("2.weight", "2.bias"))
    assert "2 of 4 gradients are None, and the step skips them silently: 2.weight, 2.bias" in str(finding)


def test_parameters_in_no_optimizer_are_named():
    model, _, x = setup()
    optimizer = optim.SGD(model[2].parameters(), lr=0.1)
    with lint(model, optimizer, warn=False) as found:
        loss_of(model, x).backward()
        optimizer.step()
    (finding,) = found.findings
    assert (finding.code, finding.names) == ("not_in_optimizer", ("0.weight", "0.bias"))


def test_an_optimizer_of_a_former_model_is_told():
    _, optimizer, x = setup()
    model, _, _ = setup()
    with lint(model, optimizer, warn=False) as found:
        loss_of(model, x).backward()
        optimizer.step()
    assert {f.code for f in found.findings} == {"all_none", "not_in_optimizer", "foreign"}
    assert (
        "4 of 4 tensors in the optimizer are not parameters of the model: of shape (4, 3), (4,), (2, 4), (2,)"
        in str(found)
    )


def test_a_gradient_that_is_not_finite_is_told():
    model, optimizer, x = setup()
    with lint(model, optimizer, warn=False) as found:
        (loss_of(model, x) * math.nan).backward()
        optimizer.step()
    assert [f.code for f in found.findings] == ["not_finite"]
    assert f"{sum(p.numel() for p in model.parameters())} entries of the gradients" in str(found)


def test_training_in_eval_mode_is_told_if_it_matters():
    model = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
    for network, codes in ((model, ["eval_mode"]), (model[0], [])):
        network.eval()
        optimizer = optim.SGD(network.parameters(), lr=0.1)
        with lint(network, optimizer, warn=False) as found:
            network(torch.ones(4, 3)).sum().backward()
            optimizer.step()
        assert [f.code for f in found.findings] == codes


def test_a_closure_that_forgets_zero_grad_is_told():
    model, optimizer, x = setup()

    def closure():
        loss = loss_of(model, x)
        loss.backward()
        return loss

    with lint(model, optimizer, warn=False) as found:
        optimizer.step(closure)
        optimizer.step(closure)
    assert [f.code for f in found.findings] == ["zero_grad"]


def test_findings_warn_once_when_they_happen():
    model, optimizer, x = setup()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with lint(model, optimizer):
            for _ in range(4):
                loss_of(model, x).backward()
                optimizer.step()
    assert [w.category for w in caught] == [LintWarning]
    assert caught[0].filename == __file__
    assert "zero_grad() was not called" in str(caught[0].message)


def test_afterwards_nothing_is_left_behind():
    model, optimizer, x = setup()
    with lint(model, optimizer) as found:
        pass
    for _ in range(3):
        loss_of(model, x).backward()
        optimizer.step()
    assert not found
    assert found.steps == 0
    assert "nothing found" in str(found)


def test_an_optimizer_is_needed():
    with pytest.raises(ValueError, match=r"lint\(model, optimizer\)"):
        lint(nn.Linear(1, 1))


@pytest.mark.parametrize("make", runs(20))
def test_healthy_training_is_quiet_and_the_same(make):
    expected = make().train(4)
    run = make()
    with lint(run.model, *run.optimizers) as found:
        assert run.train(4) == expected
    assert found.findings == []
    assert found.steps == 4 * len(run.optimizers)


# Loops that look unusual and are right


def accumulating(model, optimizer, x):
    for _ in range(3):
        optimizer.zero_grad()
        for part in x.chunk(4):
            (loss_of(model, part) / 4).backward()
        optimizer.step()


def accumulating_on_zeros(model, optimizer, x):
    for _ in range(3):
        optimizer.zero_grad(set_to_none=False)
        for part in x.chunk(4):
            (loss_of(model, part) / 4).backward()
        optimizer.step()


def zeroed_in_place(model, optimizer, x):
    for _ in range(3):
        optimizer.zero_grad(set_to_none=False)
        loss_of(model, x).backward()
        optimizer.step()


def zeroed_by_the_model(model, optimizer, x):
    for _ in range(3):
        loss_of(model, x).backward()
        optimizer.step()
        model.zero_grad()


def clipped(model, optimizer, x):
    for _ in range(3):
        optimizer.zero_grad()
        loss_of(model, x).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1e-3)
        optimizer.step()


def by_grad(model, optimizer, x):
    for _ in range(3):
        for p, g in zip(
            model.parameters(), torch.autograd.grad(loss_of(model, x), list(model.parameters())), strict=True
        ):
            p.grad = g
        optimizer.step()


def frozen(model, optimizer, x):
    model[0].requires_grad_(False)
    for _ in range(3):
        optimizer.zero_grad()
        loss_of(model, x).backward()
        optimizer.step()


@pytest.mark.parametrize(
    "loop", [accumulating, accumulating_on_zeros, zeroed_in_place, zeroed_by_the_model, clipped, by_grad, frozen]
)
def test_unusual_but_right_loops_are_quiet(loop):
    model, optimizer, x = setup()
    with lint(model, optimizer) as found:
        loop(model, optimizer, x)
    assert found.findings == []


def test_adversarial_training_with_two_optimizers_is_quiet():
    torch.manual_seed(0)
    model = nn.ModuleDict({"g": nn.Linear(2, 3), "d": nn.Linear(3, 1)})
    make, judge = (optim.Adam(model[k].parameters(), lr=1e-2) for k in "gd")
    with lint(model, make, judge) as found:
        for _ in range(4):
            judge.zero_grad()
            fake = model["g"](torch.randn(8, 2))
            model["d"](torch.randn(8, 3)).mean().backward()
            (-model["d"](fake.detach()).mean()).backward()
            judge.step()
            make.zero_grad()
            model["d"](fake).mean().backward()
            make.step()
    assert found.findings == []


def test_every_kind_of_optimizer_is_watched():
    for seed in range(5):
        model, optimizer, loss = mlp(seed)
        with lint(model, optimizer, warn=False) as found:
            for _ in range(2):
                loss().backward()
                optimizer.step()
        assert [f.code for f in found.findings] == ["zero_grad"]
