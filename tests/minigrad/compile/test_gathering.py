"""Arrays that are put together are made in their places: only where nothing can tell."""

import numpy as np
import pytest

import minigrad as mg


def replayed(step, *inputs):
    """What the step gives as it is and replayed, for each of some inputs, and the plan."""
    compiled = mg.compile(step)
    for _ in range(3):
        compiled(*inputs)
    return [(step(x).tolist(), compiled(x).tolist()) for x in inputs], str(compiled.plan())


def together(x):
    return mg.cat([x * 2, x + 1])


def together_and_changed(x):
    part = x * 2
    whole = mg.cat([part, x + 1])
    part.add_(1)
    return whole + mg.cat([part, part])


def the_same_twice(x):
    part = x * 2
    return mg.cat([part, part])


def one_part_in_two(x):
    part, rest = x * 2, x + 1
    return mg.cat([part, rest]) * mg.cat([rest, part])


def another_type(x):
    return mg.cat([x * 2, (x + 1).double()])


def an_argument(x):
    return mg.cat([x, x + 1])


@pytest.mark.parametrize(
    ("step", "calls"),
    [
        (together, 0),
        (together_and_changed, 2),
        (the_same_twice, 1),
        (one_part_in_two, 1),
        (another_type, 0),  # both are converted before
        (an_argument, 1),
    ],
)
def test_only_parts_that_belong_to_one_whole_are_made_in_it(step, calls):
    found, plan = replayed(step, mg.arange(5.0))
    for wanted, given in found:
        assert given == wanted
    assert plan.count("concatenate(") == calls


def test_gradients_that_lie_in_one_array_can_be_kept_one_by_one():
    model = mg.nn.Sequential(mg.nn.Linear(3, 4), mg.nn.Tanh(), mg.nn.Linear(4, 2))
    optimizer = mg.optim.Adam(model.parameters())
    x = mg.rand(5, 3)

    @mg.compile
    def step():
        optimizer.zero_grad()
        loss = model(x).square().sum()
        loss.backward()
        optimizer.step()
        return loss.item()

    for _ in range(5):
        step()
    kept = model[0].weight.grad
    before = kept.numpy().copy()
    for _ in range(3):
        step()
    assert np.array_equal(kept.numpy(), before)
    assert not np.array_equal(model[0].weight.grad.numpy(), before)
