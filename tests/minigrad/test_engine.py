"""The engine: recording, the walk, what is saved, and what is freed."""

import gc
import threading
import tracemalloc

import numpy as np
import pytest
import torch

import minigrad as mg
from minigrad.engine import Primitive


def both(values, **kwargs):
    return mg.tensor(values, **kwargs), torch.tensor(values, **kwargs)


def test_shared_use_adds_up():
    for x in both([1.0, 2.0, 3.0], requires_grad=True):
        (x * x + x).sum().backward()
        assert x.grad.tolist() == [3.0, 5.0, 7.0]


def test_second_backward_adds_into_the_same_grad_object():
    for x in both([1.0, 2.0], requires_grad=True):
        x.sum().backward()
        first = x.grad
        (x * 2).sum().backward()
        assert x.grad is first
        assert first.tolist() == [3.0, 3.0]


def test_gradients_of_a_sum_are_distinct_arrays():
    x, y = mg.ones(3, requires_grad=True), mg.ones(3, requires_grad=True)
    (x + y).sum().backward()
    assert not np.shares_memory(x.grad.array, y.grad.array)
    g, h = mg.autograd.grad((x + y).sum(), (x, y))
    assert not np.shares_memory(g.array, h.array)


def test_the_gradient_given_is_never_changed_nor_kept():
    x, g = mg.ones(3, requires_grad=True), mg.ones(3)
    x.clone().backward(g)
    x.clone().backward(g)
    assert g.tolist() == [1.0, 1.0, 1.0]
    assert x.grad.tolist() == [2.0, 2.0, 2.0]
    assert not np.shares_memory(x.grad.array, g.array)


def test_third_derivative_of_a_power():
    for module in (mg, torch):
        x = module.tensor(2.0, dtype=module.float64, requires_grad=True)
        y = x**5
        for factor in (5 * 16, 20 * 8, 60 * 4, 120 * 2):
            (y,) = module.autograd.grad(y, x, create_graph=True)
            assert y.item() == pytest.approx(factor, rel=1e-12)


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")  # torch warns of a cycle that minigrad does not make
def test_create_graph_makes_a_new_grad_object():
    for x in both([1.0, 2.0], requires_grad=True):
        (x**2).sum().backward(create_graph=True)
        first = x.grad
        assert first.requires_grad
        (x**2).sum().backward(create_graph=True)
        assert x.grad is not first


def test_stacked_diamonds_are_walked_once_each():
    x = mg.tensor(1.0, dtype=mg.float64, requires_grad=True)
    y = x
    for _ in range(300):
        y = y + y
    calls = []
    y.grad_fn.hooks = {0: lambda g: calls.append(1) or g}
    y.backward()
    assert calls == [1]
    assert x.grad.item() == 2.0**300


def test_a_chain_of_a_hundred_thousand_operations_needs_no_recursion_and_little_memory():
    x = mg.tensor(1.0, requires_grad=True)
    tracemalloc.start()
    y = x
    for _ in range(100_000):
        y = y.sin()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held / 100_000 < 1024
    y.backward()
    del y
    assert np.isfinite(x.grad.item())


def test_training_leaves_nothing_for_the_cycle_collector():
    w = mg.rand(20, 20).requires_grad_()
    data = mg.rand(5, 20)

    def step():
        loss = ((data @ w).sigmoid().log() * 2).mean()
        loss.backward()
        with mg.no_grad():
            w.sub_(w.grad, alpha=0.1)
        w.grad = None

    step()
    gc.collect()
    gc.disable()
    try:
        for _ in range(50):
            step()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_graph_with_double_backward_leaves_no_cycle():
    x = mg.rand(3).requires_grad_()

    def once():
        (g,) = mg.autograd.grad((x.exp() * x.tanh()).sum(), x, create_graph=True)
        return mg.autograd.grad((g * g).sum(), x)[0].sum().item()

    once()
    gc.collect()
    gc.disable()
    try:
        once()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_backward_twice_names_the_fix():
    x = mg.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        y.backward()


def test_retain_graph_allows_a_second_walk():
    for x in both([1.0, 2.0], requires_grad=True):
        y = (x * x).sum()
        y.backward(retain_graph=True)
        y.backward()
        assert x.grad.tolist() == [4.0, 8.0]


def test_a_graph_that_saved_nothing_can_be_walked_again():
    for x in both([1.0, 2.0], requires_grad=True):
        y = (x + 1).sum()
        y.backward()
        y.backward()
        assert x.grad.tolist() == [2.0, 2.0]


def test_backward_needs_a_gradient_unless_one_element():
    for x in both([[2.0]], requires_grad=True):
        (x * x).backward()
        assert x.grad.tolist() == [[4.0]]
    x = mg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"scalar outputs.*\[2\]"):
        (x * x).backward()
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        (x * x).backward(mg.ones(3))


def test_backward_without_history_says_why():
    with pytest.raises(RuntimeError, match="does not require grad"):
        mg.ones(1).backward()


def test_integers_cannot_require_grad():
    for module in (mg, torch):
        with pytest.raises(RuntimeError, match="floating point"):
            module.tensor([1, 2], requires_grad=True)


def test_backward_into_chosen_inputs_only():
    for module in (mg, torch):
        x, y = module.ones(2, requires_grad=True), module.ones(2, requires_grad=True)
        z = x * y
        (z * 2).sum().backward(inputs=[x])
        assert x.grad.tolist() == [2.0, 2.0]
        assert y.grad is None


def test_grad_of_an_inner_tensor():
    for x in both([1.0, 2.0], requires_grad=True):
        module = mg if isinstance(x, mg.Tensor) else torch
        y = x * 3
        (g,) = module.autograd.grad((y * y).sum(), y)
        assert g.tolist() == [6.0, 12.0]
        assert x.grad is None


def test_unused_input_raises_or_gives_none():
    for module in (mg, torch):
        x, y = module.ones(2, requires_grad=True), module.ones(2, requires_grad=True)
        with pytest.raises(RuntimeError, match="allow_unused=True"):
            module.autograd.grad(x.sum(), [x, y])
        assert module.autograd.grad(x.sum(), [x, y], allow_unused=True)[1] is None
        assert module.autograd.grad(x.sum(), [x, y], materialize_grads=True)[1].tolist() == [0.0, 0.0]


def test_gradient_keeps_its_leafs_type_and_shape():
    for module in (mg, torch):
        x = module.ones(3, dtype=module.float32, requires_grad=True)
        y = module.ones((2, 1), dtype=module.float64, requires_grad=True)
        z = module.tensor(2.0, requires_grad=True)
        (x * y * z).sum().backward()
        assert (str(x.grad.dtype), tuple(x.grad.shape)) == ("torch.float32", (3,))
        assert (str(y.grad.dtype), tuple(y.grad.shape)) == ("torch.float64", (2, 1))
        assert tuple(z.grad.shape) == ()


def test_hooks_see_the_sum_once_and_may_replace_it():
    for x in both([1.0, 2.0], requires_grad=True):
        seen = []
        y = x * 2
        y.register_hook(lambda g, seen=seen: seen.append(g.tolist()))
        handle = x.register_hook(lambda g: g * 10)
        (y + y).sum().backward()
        assert seen == [[2.0, 2.0]]
        assert x.grad.tolist() == [40.0, 40.0]
        handle.remove()
        x.grad = None
        (x * 2).sum().backward()
        assert x.grad.tolist() == [2.0, 2.0]


def test_retain_grad_keeps_the_gradient_of_an_inner_tensor():
    for x in both([1.0, 2.0], requires_grad=True):
        y = x * 2
        y.retain_grad()
        (y * y).sum().backward()
        assert y.grad.tolist() == [4.0, 8.0]


def test_the_class_of_a_node_is_called_as_its_operation():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = (x * 2).exp() + x
    kinds = [type(y.grad_fn), *(type(node) for node, _ in y.grad_fn.next_functions)]
    assert [kind.__name__ for kind in kinds] == ["AddBackward0", "ExpBackward0", "AccumulateGrad"]
    assert type((x + 1).grad_fn) is kinds[0]
    y.sum().backward()  # also over nodes that have been looked at
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.exp([2.0, 4.0]) + 1, 1e-6)


def test_next_functions_lead_to_the_leaves():
    for module in (mg, torch):
        x = module.ones(2, requires_grad=True)
        y = (x * 2).exp()
        assert y.grad_fn.name() == "ExpBackward0"
        assert y.grad_fn.next_functions[0][0].name() == "MulBackward0"
        assert len(y.grad_fn.next_functions[0][0].next_functions) == 2
        leaf = y.grad_fn.next_functions[0][0].next_functions[0][0]
        assert "AccumulateGrad" in leaf.name()
        assert leaf.variable is x


def test_a_rule_saves_only_what_it_names():
    @Primitive
    def cube(x):
        return x * x * x

    cube.vjp(x=lambda g, x: g * (x * x * 3))
    x = mg.tensor([2.0], dtype=mg.float64, requires_grad=True)
    (g,) = mg.autograd.grad(cube(x), x, create_graph=True)
    (h,) = mg.autograd.grad(g, x)
    assert (g.item(), h.item()) == (12.0, 12.0)
    node = (x + 1).grad_fn
    assert node.saved() == node.values == []


def test_a_gradient_of_an_impossible_shape_is_refused():
    @Primitive
    def wrong(x):
        return x.sum()

    wrong.vjp(x=lambda g: np.ones((4, 7)))
    with pytest.raises(RuntimeError, match=r"\(4, 7\).*\(3,\)"):
        wrong(mg.ones(3, requires_grad=True)).backward()


def test_recording_is_switched_per_thread():
    seen = {}

    def other():
        seen["other"] = mg.is_grad_enabled()

    with mg.no_grad():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        seen["here"] = mg.is_grad_enabled()
    assert seen == {"other": True, "here": False}


@pytest.mark.parametrize("module", [mg, torch])
def test_grad_modes_as_contexts_and_decorators(module):
    x = module.ones(2, requires_grad=True)

    @module.no_grad()
    def frozen():
        return x * 2

    @module.inference_mode()
    def inference():
        return x * 2

    assert not frozen().requires_grad
    assert inference().is_inference()
    with module.no_grad():
        assert not (x * 2).requires_grad
        with module.enable_grad():
            assert (x * 2).requires_grad
        with module.set_grad_enabled(True):
            assert (x * 2).requires_grad
    with module.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_detach_shares_memory_and_has_no_history():
    for x in both([1.0, 2.0], requires_grad=True):
        y = (x * 2).detach()
        assert y.is_leaf
        assert not y.requires_grad
        (y * x).sum().backward()
        assert x.grad.tolist() == [2.0, 4.0]
