"""autograd.functional and minigrad.func against PyTorch's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.autograd import functional as ours

theirs = torch.autograd.functional


def mixed(x, y):
    return (x * y.sin()).cumsum(0), (x.exp() * y[0]).sum()


def scalar(x, y):
    return (x * x * y.tanh()).sum() + (x[0] * y).prod()


def flat(value):
    if isinstance(value, (tuple, list)):
        return [part for v in value for part in flat(v)]
    return [np.asarray(value.detach() if hasattr(value, "detach") else value)]


def same(a, b):
    pairs = list(zip(flat(a), flat(b), strict=True))
    for x, y in pairs:
        assert x.shape == y.shape
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-11)


values = st.lists(st.floats(0.25, 2).flatmap(lambda x: st.sampled_from([x, -x])), min_size=3, max_size=3)


def inputs(module, *lists):
    return tuple(module.tensor(v, dtype=module.float64) for v in lists)


@settings(max_examples=25, deadline=None)
@given(values, values, values)
def test_products_agree_with_torch(a, b, v):
    for name in ("vhp", "hvp"):
        same(
            getattr(ours, name)(scalar, inputs(mg, a, b), inputs(mg, v, a)),
            getattr(theirs, name)(scalar, inputs(torch, a, b), inputs(torch, v, a)),
        )
    same(
        ours.jvp(mixed, inputs(mg, a, b), inputs(mg, v, a)), theirs.jvp(mixed, inputs(torch, a, b), inputs(torch, v, a))
    )
    same(
        ours.vjp(mixed, inputs(mg, a, b), (mg.tensor(v, dtype=mg.float64), mg.tensor(2.0, dtype=mg.float64))),
        theirs.vjp(
            mixed, inputs(torch, a, b), (torch.tensor(v, dtype=torch.float64), torch.tensor(2.0, dtype=torch.float64))
        ),
    )


@settings(max_examples=15, deadline=None)
@given(values, values)
def test_matrices_agree_with_torch(a, b):
    expected = theirs.jacobian(mixed, inputs(torch, a, b))
    for strategy in ("reverse-mode", "forward-mode"):
        same(ours.jacobian(mixed, inputs(mg, a, b), strategy=strategy), expected)
    same(ours.hessian(scalar, inputs(mg, a, b)), theirs.hessian(scalar, inputs(torch, a, b)))


def test_a_single_input_and_output_give_a_single_matrix():
    x = mg.tensor([[1.0, 2.0], [3.0, 4.0]])
    found = ours.jacobian(lambda x: x.sum(0) * 2, x)
    assert found.shape == (2, 2, 2)
    assert not found.requires_grad


def test_jacobian_with_create_graph_can_be_differentiated():
    for module, where in ((mg, ours), (torch, theirs)):
        x = module.tensor([1.0, 2.0], requires_grad=True)
        where.jacobian(lambda x: x**3, x, create_graph=True).sum().backward()
        assert x.grad.tolist() == [6.0, 12.0]


def test_arrays_in_arrays_out():
    x = np.array([1.0, 2.0])
    value, row = ours.vjp(lambda x: x * x, x, np.array([1.0, 10.0]))
    assert type(value) is np.ndarray
    assert row.tolist() == [2.0, 40.0]
    assert mg.func.grad(lambda x: (x**2).sum())(x).tolist() == [2.0, 4.0]
    assert mg.func.jacrev(lambda x: x * x)(x).tolist() == [[2.0, 0.0], [0.0, 4.0]]
    assert mg.func.jacfwd(lambda x: x * x)(x).tolist() == [[2.0, 0.0], [0.0, 4.0]]
    assert mg.func.hessian(lambda x: (x**3).sum())(x).tolist() == [[6.0, 0.0], [0.0, 12.0]]
    assert x.tolist() == [1.0, 2.0]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # raised inside torch.func.jvp
def test_func_nests_and_chooses_arguments():
    for module in (mg, torch):
        f = module.func
        x, y = module.tensor(2.0), module.tensor(3.0)
        assert f.grad(f.grad(f.grad(lambda x: x**4)))(x).item() == 48.0
        assert f.grad(lambda x, y: x * y * y, argnums=1)(x, y).item() == 12.0
        assert [g.item() for g in f.grad(lambda x, y: x * y * y, argnums=(0, 1))(x, y)] == [9.0, 12.0]
        gradient, (value, aux) = f.grad_and_value(lambda x: (x * x, x + 1), has_aux=True)(x)
        assert (gradient.item(), value.item(), aux.item()) == (4.0, 4.0, 3.0)
        value, pull = f.vjp(lambda x: x * 3, x)
        assert (value.item(), pull(module.tensor(2.0))[0].item()) == (6.0, 6.0)
        assert [v.item() for v in f.jvp(lambda x: x * x, (x,), (module.tensor(1.0),))] == [4.0, 4.0]


def test_a_function_with_several_values_has_no_hessian():
    with pytest.raises(RuntimeError, match=r"single element.*\.sum\(\)"):
        ours.hessian(lambda x: x * 2, mg.ones(3))
    with pytest.raises(RuntimeError, match="wrong shape"):
        ours.vjp(lambda x: x * 2, mg.ones(3), mg.ones(2))
    with pytest.raises(TypeError, match="must return tensors"):
        ours.jacobian(lambda x: 3.0, mg.ones(3))
