"""What a compiled step takes for granted is watched: a change of it is noticed, and nothing is silently frozen."""

from __future__ import annotations

import math
import random
import warnings
from typing import Any

import pytest

import minigrad
from minigrad import nn
from minigrad.nn import functional as F


def tensor(seed: int, *shape: int) -> minigrad.Tensor:
    generator = minigrad.Generator().manual_seed(seed)
    return minigrad.rand(*shape, generator=generator)


def replaying(step: Any) -> int:
    """How many plans a compiled function has."""
    return sum(len(kind.plans) for kind in getattr(step, "_compiled", step)._kinds.values())


def warm(step: Any, *args: Any) -> Any:
    for _ in range(4):
        step(*args)
    assert replaying(step) == 1
    return step


def test_argument_with_other_values_is_used() -> None:
    step = warm(minigrad.compile(lambda x: (x * 2).sum().item()), tensor(0, 3))
    x = tensor(1, 3)
    assert step(x) == (x * 2).sum().item()


def test_argument_of_another_shape_is_captured_anew() -> None:
    step = warm(minigrad.compile(lambda x: x.sum(0)), tensor(0, 3, 2))
    for seed in range(4):
        x = tensor(seed, 5, 2)
        assert minigrad.equal(step(x), x.sum(0))
    assert replaying(step) == 2


def test_number_as_argument_is_part_of_the_kind_of_call() -> None:
    step = minigrad.compile(lambda x, scale: (x * scale).sum())
    for scale in (1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0):
        x = tensor(3, 4)
        assert step(x, scale).item() == (x * scale).sum().item()
    assert replaying(step) == 2


def test_ever_new_numbers_end_in_a_warning_that_names_them() -> None:
    step = minigrad.compile(lambda x, scale: x * scale)
    with pytest.warns(UserWarning, match=r"kinds of arguments.*0\.8"):
        found = [step(tensor(k, 2), k / 10) for k in range(10)]
    for k in range(10):
        assert minigrad.equal(found[k], tensor(k, 2) * (k / 10))


def test_variable_around_the_step_is_watched() -> None:
    scale = 2.0

    def step(x: Any) -> Any:
        return x * scale

    compiled = warm(minigrad.compile(step), tensor(0, 3))
    scale = 5.0
    assert minigrad.equal(compiled(tensor(1, 3)), tensor(1, 3) * 5.0)


def test_tensor_around_the_step_may_be_another() -> None:
    other = tensor(1, 3)

    def step(x: Any) -> Any:
        return x * other

    compiled = warm(minigrad.compile(step), tensor(0, 3))
    other = tensor(2, 3)
    assert minigrad.equal(compiled(tensor(4, 3)), tensor(4, 3) * tensor(2, 3))


def test_tensor_around_the_step_may_change_in_place() -> None:
    other = tensor(1, 3)
    compiled = warm(minigrad.compile(lambda x: x * other), tensor(0, 3))
    other.mul_(3.0)
    assert minigrad.equal(compiled(tensor(4, 3)), tensor(4, 3) * other)


def test_entry_of_a_dict_around_the_step_is_watched() -> None:
    options = {"scale": 2.0, "shifts": [1.0, 2.0]}
    compiled = warm(minigrad.compile(lambda x: x * options["scale"] + options["shifts"][0]), tensor(0, 3))
    options["scale"] = 3.0
    options["shifts"][0] = 5.0
    assert minigrad.equal(compiled(tensor(1, 3)), tensor(1, 3) * 3.0 + 5.0)


def test_attribute_of_an_object_among_the_arguments_is_watched() -> None:
    class Options:
        def __init__(self) -> None:
            self.scale = 2.0

        def factor(self) -> float:
            return self.scale * 2

    def step(x: Any, options: Any) -> Any:
        return x * options.factor()

    options = Options()
    compiled = warm(minigrad.compile(step), tensor(0, 3), options)
    options.scale = 5.0
    assert minigrad.equal(compiled(tensor(1, 3), options), tensor(1, 3) * 10.0)


def test_shapes_that_depend_on_values_end_in_a_warning() -> None:
    def step(x: Any) -> Any:
        return x[x > 0.5].sum()

    compiled = minigrad.compile(step)
    with pytest.warns(UserWarning, match="shapes that depend on values"):
        found = [compiled(tensor(k % 4 + 1, 40)).item() for k in range(60)]
    assert found == [step(tensor(k % 4 + 1, 40)).item() for k in range(60)]


def test_random_numbers_of_python_are_not_frozen() -> None:
    draws = random.Random(0)
    compiled = minigrad.compile(lambda x: x * draws.random())
    with pytest.warns(UserWarning, match="runs as it is"):
        found = [compiled(minigrad.ones(1)).item() for _ in range(20)]
    assert len(set(found)) == 20


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(3, 3)
        self.drop = nn.Dropout(0.5)
        self.beta = 1.0

    def forward(self, x: Any) -> Any:
        return self.drop(self.inner(x)) * self.beta


def test_attribute_of_a_module_is_watched() -> None:
    module = Scaled().eval()
    compiled = warm(minigrad.compile(module), tensor(0, 2, 3))
    module.beta = 3.0
    x = tensor(1, 2, 3)
    assert minigrad.equal(compiled(x), module(x))


def test_mode_of_a_module_is_watched() -> None:
    module = Scaled()
    compiled = warm(minigrad.compile(module), tensor(0, 2, 3))
    compiled.eval()
    x = tensor(1, 2, 3)
    assert minigrad.equal(compiled(x), module(x))
    compiled.train()
    minigrad.manual_seed(3)
    expected = module(x)
    minigrad.manual_seed(3)
    assert minigrad.equal(compiled(x), expected)


def test_exchanged_parameter_is_watched() -> None:
    module = Scaled().eval()
    compiled = warm(minigrad.compile(module), tensor(0, 2, 3))
    module.inner.weight = nn.Parameter(tensor(8, 3, 3))
    x = tensor(1, 2, 3)
    assert minigrad.equal(compiled(x), module(x))


def test_python_counter_in_the_step_is_not_frozen() -> None:
    count = 0

    def step(x: Any) -> Any:
        nonlocal count
        count += 1
        return x * count

    compiled = minigrad.compile(step)
    with pytest.warns(UserWarning, match="runs as it is"):
        found = [compiled(tensor(k, 2)) for k in range(1, 12)]
    for k in range(1, 12):
        assert minigrad.equal(found[k - 1], tensor(k, 2) * k)


def test_tensor_kept_by_the_step_is_not_frozen() -> None:
    class Model(nn.Module):
        def forward(self, x: Any) -> Any:
            self.hidden = x * 2
            return self.hidden + 1

    model = Model()
    compiled = minigrad.compile(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in range(12):
            compiled(tensor(k, 2))
            assert minigrad.equal(model.hidden, tensor(k, 2) * 2)


def test_number_kept_by_the_step_is_not_frozen() -> None:
    losses: list[float] = []
    compiled = minigrad.compile(lambda x: losses.append(x.sum().item()))
    compiled(tensor(0, 2))
    with pytest.warns(UserWarning, match="return it instead"):
        compiled(tensor(1, 2))
    for k in range(2, 6):
        compiled(tensor(k, 2))
    assert losses == [tensor(k, 2).sum().item() for k in range(6)]
    assert all(type(loss) is float for loss in losses)


@pytest.mark.parametrize(
    "read",
    [
        lambda x: 1.0 if x.sum() > 1 else 0.0,
        lambda x: 1.0 if x.sum().item() > 1 else 0.0,
        lambda x: float(math.isfinite(x.sum().item())),
        lambda x: float(f"{x.sum().item():.3f}"),
        lambda x: float(x.sum()),
        lambda x: x.tolist(),
        lambda x: int(x.sum() * 10),
        lambda x: repr(x),
        lambda x: x.numpy().sum() > 1 and 2.0,
        lambda x: (x * x.sum().item()).tolist(),
    ],
)
def test_control_flow_on_values_runs_as_it_is_and_names_the_line(read: Any) -> None:
    compiled = minigrad.compile(read)
    with pytest.warns(UserWarning, match=r"test_guards\.py:\d+"):
        found = [compiled(tensor(k, 4) * (k + 1)) for k in range(6)]
    assert found == [read(tensor(k, 4) * (k + 1)) for k in range(6)]


def test_fullgraph_raises_at_control_flow() -> None:
    compiled = minigrad.compile(lambda x: 1 if x.sum() > 0 else 0, fullgraph=True)
    compiled(tensor(0, 2))
    with pytest.raises(RuntimeError, match=r"test_guards\.py:\d+"):
        compiled(tensor(0, 2))


def test_numbers_returned_are_calculated_anew() -> None:
    def step(x: Any) -> Any:
        total = x.sum().item()
        return {"loss": 2 * total / len(x) + 1, "parts": (total, -total), "count": x.argmax().item()}

    compiled = warm(minigrad.compile(step), tensor(0, 5))
    for k in range(3):
        assert compiled(tensor(k, 5)) == step(tensor(k, 5))
    assert type(compiled(tensor(1, 5))["loss"]) is float


def test_failed_check_raises_and_leaves_all_as_it_was() -> None:
    layer = nn.BatchNorm1d(3)
    optimizer = minigrad.optim.Adam(layer.parameters(), lr=0.1)

    def step(x: Any, target: Any) -> float:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy(x, target) + (F.dropout(layer(x)) ** 2).sum()
        loss.backward()
        optimizer.step()
        return loss.item()

    compiled = minigrad.compile(step)
    for k in range(5):
        compiled(tensor(k, 4, 3), tensor(9, 4, 3))
    assert replaying(compiled) == 1
    state = {name: value.clone() for name, value in layer.state_dict().items()}
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        compiled(tensor(0, 4, 3) * 3 - 1, tensor(9, 4, 3))
    for name in ("weight", "bias"):
        assert minigrad.equal(layer.state_dict()[name], state[name])


def test_failed_check_leaves_the_gradients_as_they_were() -> None:
    weight = nn.Parameter(tensor(0, 3))

    def step(x: Any) -> None:
        loss = F.binary_cross_entropy(x, x) * weight.sum()
        weight.grad = None
        loss.backward()

    compiled = warm(minigrad.compile(step), tensor(1, 3))
    compiled(tensor(2, 3))
    before = weight.grad.clone()
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        compiled(tensor(2, 3) + 1)
    assert weight.grad is not None
    assert minigrad.equal(weight.grad, before)


def test_class_out_of_range_raises_as_ever() -> None:
    step = warm(minigrad.compile(F.cross_entropy), tensor(0, 4, 3), minigrad.tensor([0, 1, 2, 1]))
    with pytest.raises(IndexError, match="out of bounds"):
        step(tensor(1, 4, 3), minigrad.tensor([0, 1, 2, 3]))
    x = tensor(2, 4, 3)
    target = minigrad.tensor([2, 2, 0, 1])
    assert step(x, target).item() == F.cross_entropy(x, target).item()


def test_changed_options_of_an_optimizer_are_used() -> None:
    def trained(compiled: bool) -> list[float]:
        weight = nn.Parameter(tensor(0, 5))
        optimizer = minigrad.optim.SGD([weight], lr=0.1)

        def step() -> float:
            optimizer.zero_grad()
            loss = (weight**2).sum()
            loss.backward()
            optimizer.step()
            return loss.item()

        run = minigrad.compile(step) if compiled else step
        found = []
        for k in range(20):
            group = optimizer.param_groups[0]
            group["lr"] = 0.1 / (k + 1)
            if k == 6:
                group["weight_decay"] = 0.1
            if k == 10:
                group["momentum"] = 0.9
            if k == 15:
                optimizer.load_state_dict(optimizer.state_dict())
            found.append(run())
        return found

    assert trained(True) == trained(False)


def test_result_that_is_kept_is_not_overwritten() -> None:
    step = warm(minigrad.compile(lambda x: x * 2), tensor(0, 3))
    kept = [step(tensor(k, 3)) for k in range(4)]
    views = [step(tensor(k, 3)).numpy()[1:] for k in range(4)]
    for k in range(4):
        assert minigrad.equal(kept[k], tensor(k, 3) * 2)
        assert (views[k] == (tensor(k, 3) * 2).numpy()[1:]).all()


def test_gradient_that_is_kept_is_not_overwritten() -> None:
    weight = nn.Parameter(tensor(0, 3))

    def step(x: Any) -> None:
        weight.grad = None
        (weight * x).sum().backward()

    compiled = warm(minigrad.compile(step), tensor(0, 3))
    kept = []
    for k in range(6):
        compiled(tensor(k, 3))
        kept.append(weight.grad if k % 2 else weight.grad.numpy())
    for k, gradient in enumerate(kept):
        assert minigrad.equal(minigrad.as_tensor(gradient), tensor(k, 3))


def test_second_call_before_the_way_back_of_the_first() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    compiled = minigrad.compile(module)
    for _ in range(4):
        compiled(tensor(0, 2, 3)).sum().backward()
    module.zero_grad()
    (compiled(tensor(1, 2, 3)).sum() * compiled(tensor(2, 2, 3)).sum()).backward()
    found = [p.grad.clone() for p in module.parameters()]
    module.zero_grad()
    (module(tensor(1, 2, 3)).sum() * module(tensor(2, 2, 3)).sum()).backward()
    assert all(minigrad.equal(a, p.grad) for a, p in zip(found, module.parameters(), strict=True))


def test_two_derivatives_of_a_compiled_call_raise_with_advice() -> None:
    weight = nn.Parameter(tensor(0, 3))
    compiled = minigrad.compile(lambda x: (weight * x).tanh().sum())
    for _ in range(4):
        compiled(tensor(1, 3)).backward()
    with pytest.raises(RuntimeError, match="without compile"):
        minigrad.autograd.grad(compiled(tensor(1, 3)), weight, create_graph=True)


def test_version_of_a_changed_tensor_is_counted_up() -> None:
    layer = nn.BatchNorm1d(3)
    compiled = minigrad.compile(layer)
    for _ in range(4):
        compiled(tensor(0, 4, 3)).sum().backward()
    before = layer.running_mean._version
    compiled(tensor(1, 4, 3))
    assert layer.running_mean._version == before + 1


def test_compile_takes_what_torch_compile_takes() -> None:
    @minigrad.compile(fullgraph=True, dynamic=False, mode="reduce-overhead", backend="inductor", options={})
    def double(x: Any) -> Any:
        "Twice x."
        return x * 2

    @minigrad.compile
    def triple(x: Any) -> Any:
        return x * 3

    assert (double.__name__, double.__doc__) == ("double", "Twice x.")
    assert triple(tensor(0, 1)).item() == tensor(0, 1).item() * 3
    same = minigrad.compile(triple, disable=True)
    assert same is triple


def test_compiled_module_stands_for_the_module() -> None:
    module = Scaled()
    compiled = minigrad.compile(module)
    assert compiled.beta == 1.0
    assert compiled.inner is module.inner
    assert list(map(id, compiled.parameters())) == list(map(id, module.parameters()))
    assert list(compiled.state_dict()) == ["_orig_mod.inner.weight", "_orig_mod.inner.bias"]
    compiled.eval()
    assert not module.training
