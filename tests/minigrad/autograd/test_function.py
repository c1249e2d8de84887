"""autograd.Function against PyTorch's."""

import gc

import pytest
import torch

import minigrad as mg

BOTH = pytest.mark.parametrize("module", [mg, torch])


def double(module, values=(1.0, 2.0, 3.0)):
    return module.tensor(list(values), dtype=module.float64, requires_grad=True)


def power_class(module):
    class Power(module.autograd.Function):
        @staticmethod
        def forward(ctx, x, n):
            ctx.n = n
            ctx.save_for_backward(x)
            return x**n

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * ctx.n * x ** (ctx.n - 1), None

    return Power


@BOTH
def test_the_rule_of_the_user_is_used_to_any_order(module):
    x = double(module)
    y = power_class(module).apply(x, 3)
    assert y.grad_fn.name() == "PowerBackward"
    (g,) = module.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = module.autograd.grad(g.sum(), x)
    assert g.tolist() == [3.0, 12.0, 27.0]
    assert h.tolist() == [6.0, 12.0, 18.0]


@BOTH
def test_a_saved_output_is_differentiated_through(module):
    class Exp(module.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    x = double(module, (0.0, 1.0))
    (g,) = module.autograd.grad(Exp.apply(x).sum(), x, create_graph=True)
    (h,) = module.autograd.grad(g.sum(), x)
    assert h.tolist() == pytest.approx([1.0, 2.718281828459045])


@BOTH
def test_several_outputs_share_one_backward(module):
    calls = []

    class Both(module.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y, x * 2, 7

        @staticmethod
        def backward(ctx, a, b, c):
            calls.append((a.tolist(), b.tolist(), c))
            return a + 2 * b, a

    x, y = double(module), double(module)
    first, second, seven = Both.apply(x, y)
    assert seven == 7
    (first.sum() + 3 * second.sum()).backward()
    assert calls == [([1.0] * 3, [3.0] * 3, None)]
    assert (x.grad.tolist(), y.grad.tolist()) == ([7.0] * 3, [1.0] * 3)


@BOTH
def test_an_unused_output_gets_zeros_or_none(module):
    seen = []

    def make(materialize):
        class Two(module.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.set_materialize_grads(materialize)
                return x * 1, x * 2

            @staticmethod
            def backward(ctx, a, b):
                seen.append(b if b is None else b.tolist())
                return a

        return Two

    for materialize in (True, False):
        x = double(module)
        make(materialize).apply(x)[0].sum().backward()
    assert seen == [[0.0, 0.0, 0.0], None]


@BOTH
def test_needs_input_grad_and_non_differentiable_outputs(module):
    seen = []

    class Sorted(module.autograd.Function):
        @staticmethod
        def forward(ctx, x, scale):
            values, order = x.sort()
            ctx.mark_non_differentiable(order)
            ctx.save_for_backward(order)
            seen.append(ctx.needs_input_grad)
            return values * scale, order

        @staticmethod
        def backward(ctx, g, _):
            (order,) = ctx.saved_tensors
            out = module.zeros(3, dtype=module.float64)
            out[order] = g * 2
            return out, None

    x = double(module, (3.0, 1.0, 2.0))
    values, order = Sorted.apply(x, module.tensor(2.0, dtype=module.float64))
    assert not order.requires_grad
    values[0].backward()
    assert x.grad.tolist() == [0.0, 2.0, 0.0]
    assert seen == [(True, False)]


@BOTH
def test_setup_context_apart_from_forward(module):
    class Scale(module.autograd.Function):
        @staticmethod
        def forward(x, k):
            return x * k

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.k = inputs[1]

        @staticmethod
        def backward(ctx, g):
            return g * ctx.k, None

    x = double(module)
    Scale.apply(x, 5.0).sum().backward()
    assert x.grad.tolist() == [5.0] * 3


@BOTH
def test_a_gradient_that_was_not_summed_is_reduced_as_after_broadcasting(module):
    class Add(module.autograd.Function):
        @staticmethod
        def forward(ctx, x, b):
            return x + b

        @staticmethod
        def backward(ctx, g):
            return g, g

    b = module.ones(3, requires_grad=True)
    Add.apply(module.ones(2, 3), b).sum().backward()
    assert b.grad.tolist() == [2.0, 2.0, 2.0]


@BOTH
def test_a_freed_or_changed_saved_tensor_raises(module):
    x = double(module)
    y = power_class(module).apply(x, 2).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()
    inner = x * 1
    z = power_class(module).apply(inner, 2).sum()
    inner.add_(1)
    with pytest.raises(RuntimeError, match="inplace operation"):
        z.backward()


def test_gradients_returned_twice_or_unchanged_are_not_shared():
    class Same(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, g):
            return g, g

    x, y = mg.ones(3, requires_grad=True), mg.ones(3, requires_grad=True)
    Same.apply(x, y).sum().backward()
    x.grad.zero_()
    assert y.grad.tolist() == [1.0, 1.0, 1.0]


def test_a_function_leaves_no_cycle():
    power = power_class(mg)
    x = double(mg)
    power.apply(x, 2).sum().backward()
    gc.collect()
    gc.disable()
    try:
        power.apply(x, 2).sum().backward()
        power.apply(x, 2)
        assert gc.collect() == 0
    finally:
        gc.enable()


def two_outputs(module):
    class Pair(module.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y, x + y

        @staticmethod
        def backward(ctx, g, h):
            x, y = ctx.saved_tensors
            return g * y + h, g * x + h

    return Pair


@BOTH
def test_each_of_several_outputs_shows_the_node_of_the_function(module):
    x, y = double(module), double(module)
    product, total = two_outputs(module).apply(x, y)
    for output in (product, total):
        assert output.grad_fn.name() == "PairBackward"
        assert repr(output).endswith("grad_fn=<PairBackward>)")
        assert all("AccumulateGrad" in node.name() for node, _ in output.grad_fn.next_functions)
    (product.sum() + (total * total).sum()).backward()
    assert x.grad.tolist() == [5.0, 10.0, 15.0]


def doubling(module):
    class Double_(module.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    return Double_


@BOTH
def test_an_input_marked_dirty_is_returned_with_the_history_of_the_function(module):
    x = double(module)
    y = x * 3
    z = doubling(module).apply(y)
    assert z is y
    assert y.grad_fn.name() == "Double_Backward"
    assert y.tolist() == [6.0, 12.0, 18.0]
    y.sum().backward()
    assert x.grad.tolist() == [6.0, 6.0, 6.0]


@BOTH
def test_a_value_saved_before_a_function_dirtied_it_is_refused(module):
    x = double(module)
    y = x * 3
    square = y * y
    doubling(module).apply(y)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        square.sum().backward()


@BOTH
def test_a_leaf_cannot_be_marked_dirty(module):
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        doubling(module).apply(double(module))


@BOTH
def test_without_gradients_the_dirtied_input_comes_back_itself(module):
    x = double(module).detach()
    assert doubling(module).apply(x) is x
    assert x.tolist() == [2.0, 4.0, 6.0]
