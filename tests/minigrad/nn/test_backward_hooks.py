"""Hooks on the gradients of whole modules, beside PyTorch's."""

import pytest
import torch

import minigrad

BOTH = pytest.mark.parametrize("m", [minigrad, torch])


def network(m):
    m.manual_seed(0)
    return m.nn.Sequential(m.nn.Linear(3, 4), m.nn.Tanh(), m.nn.Linear(4, 2))


def listed(gradients):
    return [None if g is None else [round(v, 5) for v in g.flatten().tolist()] for g in gradients]


def trace(m, run):
    """What every hook of ``run`` saw, and the gradients at the end."""
    seen = []

    def watch(name):
        return lambda module, grad_input, grad_output: seen.append((name, listed(grad_input), listed(grad_output)))

    leaves = run(m, watch)
    return seen, listed([leaf.grad for leaf in leaves])


def on_every_layer(m, watch):
    net, x = network(m), m.ones(2, 3, requires_grad=True)
    for name, layer in net.named_modules():
        layer.register_full_backward_hook(watch(name))
    net(x).square().sum().backward()
    return [x, *net.parameters()]


def without_an_input_that_needs_a_gradient(m, watch):
    net = network(m)
    net[0].register_full_backward_hook(watch("first"))
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        net(m.ones(2, 3)).sum().backward()
    return list(net.parameters())


def with_some_inputs_and_outputs_left_out(m, watch):
    class Both(m.nn.Module):
        def forward(self, x, scale, name):
            return x * scale, x + 1, name

    x = m.ones(3, requires_grad=True)
    both = Both()
    both.register_full_backward_hook(watch("both"))
    product, _, name = both(x, m.full((3,), 2.0), "text")
    assert name == "text"
    product.sum().backward()
    return [x]


def replaced_on_both_sides(m, watch):
    net, x = network(m), m.ones(2, 3, requires_grad=True)
    net[1].register_full_backward_pre_hook(lambda module, grad_output: (grad_output[0] * 2,))
    net[1].register_full_backward_hook(lambda module, grad_input, grad_output: (grad_input[0] * 10,))
    net[1].register_full_backward_hook(watch("tanh"))
    net[1].register_full_backward_hook(watch("before all others"), prepend=True)
    net(x).sum().backward()
    return [x, *net.parameters()]


def removed(m, watch):
    net, x = network(m), m.ones(2, 3, requires_grad=True)
    handle = net[1].register_full_backward_hook(watch("never"))
    handle.remove()
    net(x).sum().backward()
    return [x]


RUNS = [
    on_every_layer,
    without_an_input_that_needs_a_gradient,
    with_some_inputs_and_outputs_left_out,
    replaced_on_both_sides,
    removed,
]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.__name__)
def test_hooks_see_and_change_what_torchs_do(run):
    seen, gradients = trace(minigrad, run)
    expected, expected_gradients = trace(torch, run)
    assert [s[0] for s in seen] == [e[0] for e in expected]
    assert close(seen, expected)
    assert close(gradients, expected_gradients)


def close(a, b):
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(close(x, y) for x, y in zip(a, b, strict=True))
    return a == b if isinstance(a, str) or a is None or b is None else abs(a - b) < 1e-4


@BOTH
def test_a_hook_that_returns_too_many_gradients_is_refused(m):
    layer = m.nn.Tanh()
    layer.register_full_backward_hook(lambda module, grad_input, grad_output: (grad_output[0], grad_output[0]))
    with pytest.raises(RuntimeError, match="invalid number of grad_input, got 2, but expected 1"):
        layer(m.ones(2, requires_grad=True)).sum().backward()


@BOTH
def test_assigned_state_becomes_the_modules_own(m):
    net = network(m)
    net[2].weight.requires_grad_(False)
    state = {name: m.zeros(*tensor.shape, dtype=m.float64) for name, tensor in net.state_dict().items()}
    net.load_state_dict(state, assign=True)
    assert net[0].weight.dtype == m.float64
    assert isinstance(net[0].weight, m.nn.Parameter)
    assert [p.requires_grad for p in net.parameters()] == [True, True, False, True]
    with m.no_grad():
        state["0.weight"].fill_(3)
    assert net[0].weight.tolist() == [[3.0] * 3] * 4
