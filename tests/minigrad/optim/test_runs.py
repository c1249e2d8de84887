"""Small parameters are updated as one array: with the results of one by one, and without cutting any shared memory."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import optim
from minigrad.optim.workspace import BLOCK
from minigrad.tensor import Tensor

ALGORITHMS = {
    "SGD": {"lr": 0.1},
    "SGD with momentum": {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    "Adam": {"lr": 0.1, "amsgrad": True},
    "AdamW": {"lr": 0.1},
    "RMSprop": {"lr": 0.1, "momentum": 0.5, "centered": True},
    "Adagrad": {"lr": 0.1},
}


def both(name, arrays):
    mine = [Tensor.wrap(a.copy()).requires_grad_() for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    kind, options = name.split()[0], ALGORITHMS[name]
    return mine, theirs, getattr(optim, kind)(mine, **options), getattr(torch.optim, kind)(theirs, **options)


def step(mine, theirs, ours, reference, rng, which):
    for i, (p, q) in enumerate(zip(mine, theirs, strict=True)):
        g = rng.standard_normal(p.shape)
        p.grad, q.grad = (Tensor.wrap(g), torch.tensor(g)) if i in which else (None, None)
    ours.step()
    reference.step()


shapes = st.lists(st.sampled_from([(), (0,), (3,), (2, 3), (BLOCK // 2,), (BLOCK + 5,)]), min_size=1, max_size=6)


@pytest.mark.parametrize("name", ALGORITHMS)
@settings(max_examples=25, deadline=None)
@given(shapes=shapes, data=st.data())
def test_whichever_parameters_have_a_gradient_the_steps_follow_torch(name, shapes, data):
    rng = np.random.default_rng(0)
    mine, theirs, ours, reference = both(name, [rng.standard_normal(shape) for shape in shapes])
    held = {i: mine[i].detach() for i in data.draw(st.sets(st.integers(0, len(shapes) - 1)))}
    for _ in range(5):
        step(mine, theirs, ours, reference, rng, data.draw(st.sets(st.integers(0, len(shapes) - 1))))
    for i, (p, q) in enumerate(zip(mine, theirs, strict=True)):
        np.testing.assert_allclose(p.array, q.detach().numpy(), 1e-9, 1e-12)
        assert i not in held or held[i].array is p.array


def test_neighbours_lie_in_one_piece_of_memory_after_a_step():
    rng = np.random.default_rng(0)
    mine, theirs, ours, reference = both("Adam", [rng.standard_normal(5), rng.standard_normal((2, 3))])
    for _ in range(2):
        step(mine, theirs, ours, reference, rng, {0, 1})
    assert mine[0].array.base is mine[1].array.base is not None
    assert len(ours._workspace.runs(ours.param_groups[0], ours.state, None)) == 1


def test_small_parameters_lie_in_one_piece_of_memory_also_if_large_ones_are_between():
    rng = np.random.default_rng(0)
    shapes = [(BLOCK + 1,), (3,), (BLOCK + 2,), (2, 2), (1,)]
    mine, theirs, ours, reference = both("Adam", [rng.standard_normal(shape) for shape in shapes])
    for _ in range(3):
        step(mine, theirs, ours, reference, rng, range(5))
    assert mine[1].array.base is mine[3].array.base is mine[4].array.base is not None
    sizes = [sum(p.numel() for p in run.params) for run in ours._workspace.runs(ours.param_groups[0], ours.state, None)]
    assert sizes == [8, BLOCK + 1, BLOCK + 2]
    for p, q in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(p.array, q.detach().numpy(), 1e-9, 1e-12)


def holders(p):
    yield p.detach()
    yield p.T
    yield p.view(-1)
    yield p.data
    yield p.detach().numpy()
    yield p[0]


@pytest.mark.parametrize("which", range(6))
def test_a_view_taken_before_the_first_step_sees_every_later_one(which):
    rng = np.random.default_rng(0)
    mine, theirs, ours, reference = both("SGD", [rng.standard_normal((2, 2)), rng.standard_normal(3)])
    view = list(holders(mine[0]))[which]
    step(mine, theirs, ours, reference, rng, {0, 1})
    found = view if isinstance(view, np.ndarray) else view.array
    assert np.shares_memory(found, mine[0].array)
    np.testing.assert_allclose(mine[0].array, theirs[0].detach().numpy())


def test_an_array_given_by_the_user_is_changed_in_place():
    memory = np.ones(4)
    p, q = Tensor.wrap(memory).requires_grad_(), Tensor.wrap(np.ones(2)).requires_grad_()
    p.grad, q.grad = Tensor.wrap(np.ones(4)), Tensor.wrap(np.ones(2))
    optim.SGD([p, q], lr=0.5).step()
    assert memory.tolist() == [0.5] * 4


def test_replaced_state_and_a_parameter_given_twice_follow_torch():
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(3), rng.standard_normal(2)]
    mine, theirs, ours, reference = both("Adam", arrays)
    for _ in range(2):
        step(mine, theirs, ours, reference, rng, {0, 1})
    ours.state[mine[0]]["exp_avg"] = Tensor.wrap(np.full(3, 7.0))
    reference.state[theirs[0]]["exp_avg"] = torch.full((3,), 7.0, dtype=torch.float64)
    step(mine, theirs, ours, reference, rng, {0, 1})
    np.testing.assert_allclose(mine[0].array, theirs[0].detach().numpy())
    with pytest.warns(UserWarning, match="duplicate"):
        ours = optim.SGD([mine[0], mine[0]], lr=0.1)
    with pytest.warns(UserWarning, match="duplicate"):
        reference = torch.optim.SGD([theirs[0], theirs[0]], lr=0.1)
    step(mine[:1], theirs[:1], ours, reference, rng, {0})
    np.testing.assert_allclose(mine[0].array, theirs[0].detach().numpy())


def test_a_copy_of_the_parameters_goes_its_own_way():
    rng = np.random.default_rng(0)
    mine, theirs, ours, reference = both("Adam", [rng.standard_normal(3), rng.standard_normal(2)])
    for _ in range(2):
        step(mine, theirs, ours, reference, rng, {0, 1})
    twin = copy.deepcopy(mine)
    before = [p.array.copy() for p in mine]
    twin[0].array += 1
    assert all(np.array_equal(p.array, b) for p, b in zip(mine, before, strict=True))
