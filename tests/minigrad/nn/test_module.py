"""Module: registration, the tree, state, hooks and errors, each beside PyTorch's."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
import torch

import minigrad
from tests.minigrad.nn.twins import close, same_error

LIBRARIES = (minigrad, torch)


def network(m, seed=0):
    """A module with a child in a container, a shared child, a bare parameter, and buffers of both kinds."""
    nn = m.nn
    m.manual_seed(seed)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(m.ones(2))
            self.body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU())
            self.head = nn.Linear(4, 2, bias=False)
            self.again = self.head
            self.register_buffer("steps", m.tensor(0))
            self.register_buffer("scratch", m.zeros(1), persistent=False)
            self.register_buffer("nothing", None)
            self.unused = None

        def forward(self, x):
            return self.head(self.body(x)) * self.scale

    return Net()


def names(pairs):
    return [(name, type(value).__name__) for name, value in pairs]


@pytest.mark.parametrize(
    "listing",
    [
        lambda net: names(net.named_parameters()),
        lambda net: names(net.named_parameters(prefix="top", recurse=False)),
        lambda net: names(net.named_parameters(remove_duplicate=False)),
        lambda net: [name for name, _ in net.named_buffers()],
        lambda net: names(net.named_modules()),
        lambda net: names(net.named_modules(prefix="top", remove_duplicate=False)),
        lambda net: names(net.named_children()),
        lambda net: [type(m).__name__ for m in net.modules()],
        lambda net: [type(m).__name__ for m in net.children()],
        lambda net: [tuple(p.shape) for p in net.parameters()],
        lambda net: [tuple(b.shape) for b in net.buffers()],
        lambda net: list(net.state_dict()),
        lambda net: list(net.state_dict(prefix="top.")),
        lambda net: type(net.state_dict()).__name__,
        lambda net: type(net.get_submodule("body.0")).__name__,
        lambda net: tuple(net.get_parameter("body.0.weight").shape),
        lambda net: tuple(net.get_buffer("body.1.running_mean").shape),
        lambda net: sum(p.numel() for p in net.parameters() if p.requires_grad),
        lambda net: repr(net),
        lambda net: repr(net.eval()) + str([m.training for m in net.modules()]),
        lambda net: hasattr(net, "scale") and not hasattr(net, "missing"),
        lambda net: net.unused,
    ],
)
def test_the_tree_is_listed_as_in_pytorch(listing):
    ours, theirs = (listing(network(m)) for m in LIBRARIES)
    assert ours == theirs


def test_a_network_computes_and_learns_as_in_pytorch():
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    gradients = []
    for m in LIBRARIES:
        net = network(m)
        (net(m.tensor(x)) ** 2).mean().backward()
        gradients.append([p.grad for p in net.parameters()] + list(net.buffers()))
    for ours, theirs in zip(*gradients, strict=True):
        close(ours, theirs)


def test_parameters_print_as_in_pytorch():
    ours, theirs = (m.nn.Parameter(m.tensor([[1.0, 2.5], [3.0, 4.0]])) for m in LIBRARIES)
    assert repr(ours) == repr(theirs)
    assert repr(ours * 2) == repr(theirs * 2)


def test_a_parameter_shares_memory_with_its_data_and_can_be_frozen():
    data = minigrad.zeros(2)
    parameter = minigrad.nn.Parameter(data, requires_grad=False)
    data += 1
    assert parameter.tolist() == [1.0, 1.0]
    assert not parameter.requires_grad
    assert isinstance(parameter, minigrad.Tensor)
    assert parameter.is_leaf


def test_state_travels_between_networks():
    source, target = network(minigrad, 1), network(minigrad, 2)
    result = target.load_state_dict(source.state_dict())
    assert repr(result) == "<All keys matched successfully>"
    for a, b in zip(source.parameters(), target.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
        assert a is not b


def test_a_state_dict_shares_memory_and_needs_no_gradient():
    net = minigrad.nn.Linear(2, 1)
    state = net.state_dict()
    assert not state["weight"].requires_grad
    with minigrad.no_grad():
        net.weight.fill_(7.0)
    assert state["weight"].tolist() == [[7.0, 7.0]]


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.pop("0.bias"),
        lambda state: state.update(extra=state["0.bias"]),
        lambda state: state.update({"0.weight": state["0.bias"]}),
        lambda state: (state.pop("0.bias"), state.update(extra=state["0.weight"], more=state["0.weight"])),
        lambda state: state.update({"0.weight": [1.0]}),
    ],
)
def test_a_state_that_does_not_fit_raises_the_same_message(change):
    messages = []
    for m in LIBRARIES:
        net = m.nn.Sequential(m.nn.Linear(2, 3))
        before = [p.tolist() for p in net.parameters()]
        state = net.state_dict()
        change(state)
        with pytest.raises(RuntimeError) as raised:
            net.load_state_dict(state)
        messages.append(str(raised.value).replace("minigrad", "torch").split(" but received")[0])
        if m is minigrad:
            assert [p.tolist() for p in net.parameters()] == before
    assert messages[0] == messages[1]


def test_loading_without_strict_reports_what_differs():
    results = []
    for m in LIBRARIES:
        net = m.nn.Linear(2, 3)
        state = net.state_dict()
        state["extra"] = state.pop("bias")
        results.append(net.load_state_dict(state, strict=False))
    assert tuple(results[0]) == tuple(results[1])
    assert results[0].missing_keys == ["bias"]
    assert repr(results[0]) == repr(results[1])


def with_extra_state(m):
    class Counting(m.nn.Linear):
        count = 0

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    return m.nn.Sequential(Counting(1, 1), m.nn.ReLU())


@pytest.mark.parametrize("assign", [False, True])
def test_a_modules_extra_state_travels_too(assign):
    found = []
    for m in LIBRARIES:
        source, target = with_extra_state(m), with_extra_state(m)
        source[0].count = 7
        state = source.state_dict()
        result = target.load_state_dict(state, assign=assign)
        del state["0._extra_state"]
        found.append(
            [list(source.state_dict()), target[0].count, repr(result), target.load_state_dict(state, strict=False)]
        )
    assert str(found[0]) == str(found[1])
    assert found[0][1] == 7


def test_a_module_without_extra_state_says_so():
    for m in LIBRARIES:
        for call in (lambda net: net.get_extra_state(), lambda net: net.set_extra_state(1)):
            with pytest.raises(RuntimeError):
                call(m.nn.ReLU())


def test_loading_converts_to_the_type_of_the_parameter():
    net = minigrad.nn.Linear(2, 1, bias=False)
    net.load_state_dict({"weight": minigrad.ones(1, 2, dtype=minigrad.float64)})
    assert net.weight.dtype == minigrad.float32


MISTAKES = {
    "parameter before super().__init__()": (
        lambda m: bare(m)().assign(m.nn.Parameter(m.ones(1))),
        r"super\(\).__init__\(\)",
    ),
    "module before super().__init__()": (lambda m: bare(m)().assign(m.nn.ReLU()), r"super\(\).__init__\(\)"),
    "buffer before super().__init__()": (lambda m: bare(m)().assign(m.nn.Buffer(m.ones(1))), r"super\(\).__init__\(\)"),
    "tensor for a parameter": (
        lambda m: setattr(m.nn.Linear(1, 1), "weight", m.ones(1, 1)),
        "torch.nn.Parameter or None",
    ),
    "number for a child": (lambda m: setattr(m.nn.Sequential(m.nn.ReLU()), "0", 3), "child module '0'"),
    "number for a buffer": (lambda m: setattr(m.nn.BatchNorm1d(1), "running_mean", 3), "buffer 'running_mean'"),
    "result for a parameter": (
        lambda m: m.nn.Linear(1, 1).register_parameter("p", m.nn.Parameter(m.ones(1)) * 2),
        "torch.nn.Parameter or None required",
    ),
    "name with a dot": (lambda m: m.nn.ReLU().register_parameter("a.b", None), "a.b"),
    "empty name": (lambda m: m.nn.ReLU().register_buffer("", None), "empty string"),
    "name that is no string": (lambda m: m.nn.ReLU().register_buffer(3, None), "should be a string"),
    "name that is taken": (lambda m: m.nn.Linear(1, 1).register_buffer("weight", None), "already exists"),
    "buffer for an attribute": (
        lambda m: setattr(m.nn.Linear(1, 1), "in_features", m.nn.Buffer(m.ones(1))),
        "already exists",
    ),
    "buffer that is no tensor": (lambda m: m.nn.ReLU().register_buffer("b", 3), "torch Tensor or None required"),
    "child that is no module": (lambda m: m.nn.ReLU().add_module("b", 3), "is not a Module subclass"),
    "missing attribute": (lambda m: m.nn.Linear(1, 1).wieght, "'Linear' object has no attribute 'wieght'"),
    "missing submodule": (lambda m: m.nn.Sequential().get_submodule("3"), "has no attribute `3`"),
    "no forward": (lambda m: m.nn.Module()(1), "forward"),
    "integer data": (lambda m: m.nn.Parameter(m.tensor([1])), "floating point"),
    "mode that is no bool": (lambda m: m.nn.ReLU().train("yes"), "boolean"),
    "integer network": (lambda m: m.nn.Linear(1, 1).to(m.int64), "floating point"),
    "state that is no dict": (lambda m: m.nn.Linear(1, 1).load_state_dict([1]), "dict-like"),
    "deletion of nothing": (lambda m: delattr(m.nn.Linear(1, 1), "nothing"), "nothing"),
    "unknown module": (lambda m: m.nn.Linaer, "Linaer"),
    "wrong keyword": (lambda m: m.nn.Linear(1, 1, biass=True), "biass"),
}


def bare(m):
    class Bare(m.nn.Module):
        def __init__(self):
            pass

        def assign(self, value):
            self.value = value

    return Bare


@pytest.mark.parametrize("case", list(MISTAKES))
def test_mistakes_raise_as_in_pytorch(case):
    same_error(*MISTAKES[case])


def test_an_attribute_changes_its_kind_without_a_trace():
    outcomes = []
    for m in LIBRARIES:
        net = m.nn.Module()
        net.a = 3
        net.a = m.nn.Parameter(m.ones(1))
        first = [name for name, _ in net.named_parameters()], "a" in net.__dict__
        net.a = None
        second = list(net.parameters()), net.a
        net.a = m.nn.Parameter(m.ones(2))
        del net.a
        net.a = m.nn.ReLU()
        third = list(net.named_parameters()), [name for name, _ in net.named_children()]
        net.b = m.nn.Buffer(m.zeros(1), persistent=False)
        fourth = [name for name, _ in net.named_buffers()], list(net.state_dict())
        outcomes.append((first, second, third, fourth))
    assert outcomes[0] == outcomes[1]


def test_apply_reaches_children_first():
    orders = []
    for m in LIBRARIES:
        seen = []
        net = network(m)
        assert net.apply(lambda module, seen=seen: seen.append(type(module).__name__)) is net
        orders.append(seen)
    assert orders[0] == orders[1]


def test_zero_grad_forgets_or_zeroes():
    net = minigrad.nn.Linear(2, 1)
    net(minigrad.ones(1, 2)).sum().backward()
    kept = net.weight.grad
    net.zero_grad(set_to_none=False)
    assert kept.tolist() == [[0.0, 0.0]]
    net.zero_grad()
    assert net.weight.grad is None


def test_requires_grad_freezes_a_network():
    net = network(minigrad).requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())
    assert net(minigrad.ones(2, 3)).grad_fn is None


@pytest.mark.parametrize(
    "convert", [lambda m, n: n.double(), lambda m, n: n.to(m.float64), lambda m, n: n.to("cpu", m.float64)]
)
def test_conversion_keeps_the_parameters_and_leaves_integers(convert):
    for m in LIBRARIES:
        net = network(m)
        before = list(net.parameters())
        net(m.ones(2, 3)).sum().backward()
        assert convert(m, net) is net
        assert all(a is b for a, b in zip(before, net.parameters(), strict=True))
        assert {str(p.dtype) for p in net.parameters()} == {"torch.float64"}
        assert {str(p.grad.dtype) for p in net.parameters()} == {"torch.float64"}
        assert str(net.steps.dtype) == "torch.int64"
        net.zero_grad()
        net(m.ones(2, 3).double()).sum().backward()
        assert str(net.scale.grad.dtype) == "torch.float64"


def test_devices_that_do_not_exist_are_refused():
    net = minigrad.nn.Linear(1, 1)
    assert net.to("cpu") is net
    for call in (lambda: net.to("cuda"), net.cuda, lambda: minigrad.nn.Linear(1, 1, device="cuda")):
        with pytest.raises(NotImplementedError, match=r"CPU|cpu"):
            call()


# Hooks


def test_hooks_see_and_replace_arguments_and_results_in_order():
    logs = []
    for m in LIBRARIES:
        log = []
        net = m.nn.Linear(2, 2)
        with m.no_grad():
            net.weight.copy_(m.eye(2))
            net.bias.fill_(0)
        net.register_forward_pre_hook(lambda module, args, log=log: log.append(("pre", args[0].tolist())))
        net.register_forward_pre_hook(lambda module, args: args[0] * 2)
        net.register_forward_pre_hook(
            lambda module, args, kwargs, log=log: log.append(sorted(kwargs)), with_kwargs=True
        )
        net.register_forward_hook(lambda module, args, y, log=log: log.append(("after", args[0].tolist(), y.tolist())))
        handle = net.register_forward_hook(lambda module, args, y: y + 1)
        net.register_forward_hook(lambda module, args, y, log=log: log.append("first"), prepend=True)
        log.append(net(m.ones(1, 2)).tolist())
        handle.remove()
        log.append(net(m.ones(1, 2)).tolist())
        logs.append(log)
    assert logs[0] == logs[1]


# Copies


def test_a_deep_copy_is_independent_and_keeps_sharing():
    net = network(minigrad)
    net(minigrad.ones(2, 3)).sum().backward()
    twin = copy.deepcopy(net)
    assert twin.again is twin.head
    assert twin.head is not net.head
    assert twin.scale.grad.tolist() == net.scale.grad.tolist()
    with minigrad.no_grad():
        twin.scale.fill_(5)
    assert net.scale.tolist() == [1.0, 1.0]
    twin(minigrad.ones(2, 3)).sum().backward()


def test_pickle_restores_a_network():
    net = minigrad.nn.Sequential(minigrad.nn.Linear(3, 4), minigrad.nn.BatchNorm1d(4), minigrad.nn.Dropout(0.1))
    back = pickle.loads(pickle.dumps(net))
    assert repr(back) == repr(net)
    assert isinstance(back[0].weight, minigrad.nn.Parameter)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(back.state_dict()[name].numpy(), value.numpy())


def test_a_network_is_freed_without_the_collector():
    gc.collect()
    gc.disable()
    try:
        net = network(minigrad)
        net(minigrad.ones(2, 3)).sum().backward()
        gone = weakref.ref(net)
        del net
        assert gone() is None
    finally:
        gc.enable()
