"""In-place changes: versions, views, assignment, and the errors that name both places."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg

BOTH = pytest.mark.parametrize("module", [mg, torch])


@BOTH
def test_versions_are_counted_and_shared_by_views(module):
    x = module.zeros(2, 3)
    row, flat = x[0], x.view(6)
    row.add_(1)
    flat[5] = 7.0
    assert x._version == row._version == flat._version == 2
    assert x.tolist() == [[1, 1, 1], [0, 0, 7]]


@BOTH
def test_a_stale_saved_tensor_raises(module):
    x = module.ones(3, requires_grad=True)
    y = x * 2
    z = y * y
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_the_error_names_the_operation_and_the_line():
    x = mg.ones(3, requires_grad=True)
    y = x * 2
    z = y * y
    y.add_(1)
    with pytest.raises(RuntimeError, match=r"MulBackward0 saved .*add_ at .*test_mutation.py:\d+"):
        z.sum().backward()


@BOTH
def test_a_change_after_add_is_harmless(module):
    x = module.ones(3, requires_grad=True)
    y = x * 2
    z = y + 1
    y.mul_(3)
    z.sum().backward()
    assert x.grad.tolist() == [2, 2, 2]


@BOTH
def test_a_leaf_that_requires_grad_is_protected(module):
    x = module.ones(3, requires_grad=True)
    for change in (lambda: x.add_(1), lambda: x[0].mul_(2), lambda: x.__setitem__(0, 1.0)):
        with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
            change()
    with module.no_grad():
        x.add_(1)
    assert x.tolist() == [2, 2, 2]


@BOTH
def test_a_view_changed_in_place_changes_its_base_and_both_gradients(module):
    w = module.tensor([1.0, 2.0, 3.0], requires_grad=True)
    base = module.zeros(2, 3)
    base[0] = w * 2
    row = base[1]
    row.add_(w)
    row.mul_(3)
    assert row.requires_grad
    assert base.grad_fn.name().endswith("CopySlices")
    (base * base).sum().backward()
    assert w.grad.tolist() == [26.0, 52.0, 78.0]


@BOTH
def test_repeated_assignment_last_write_wins_and_gradient_reaches_both(module):
    v = module.tensor([5.0, 6.0], requires_grad=True)
    y = module.zeros(3)
    y[[0, 0]] = v
    assert y.tolist() == [6.0, 0.0, 0.0]
    y.sum().backward()
    assert v.grad.tolist() == [1.0, 1.0]


@BOTH
def test_augmented_assignment_adds_once(module):
    y = module.zeros(3)
    y[[0, 0]] += 1
    assert y.tolist() == [1.0, 0.0, 0.0]


@BOTH
def test_an_in_place_result_must_keep_shape_and_kind(module):
    with pytest.raises(RuntimeError, match="match the broadcast shape"):
        module.zeros(3).add_(module.zeros(2, 3))
    with pytest.raises(RuntimeError, match="can't be cast"):
        module.zeros(3, dtype=module.int64).add_(1.5)


INDEXES = [
    0,
    -1,
    slice(1, None),
    (slice(None), 1),
    [0, 2],
    ([0, 1], [1, 1]),
    (..., None, 0),
    np.array([True, False, True]),
]


@BOTH
@pytest.mark.parametrize("index", INDEXES, ids=str)
def test_assignment_through_every_kind_of_index(module, index):
    a = np.arange(12.0).reshape(3, 4)
    x = module.tensor(a, requires_grad=True)
    v = module.tensor(2.0, dtype=module.float64, requires_grad=True)
    index = module.tensor(index) if isinstance(index, np.ndarray) else index
    y = x * 1
    y[index] = v
    (y * module.tensor(a + 1)).sum().backward()
    expected = a.copy()
    expected[INDEXES[INDEXES.index(index)] if not isinstance(index, module.Tensor) else np.asarray(index)] = 2.0
    assert y.tolist() == expected.tolist()
    kept = expected == a
    kept[expected != a] = False
    assert (np.asarray(x.grad)[expected != a] == 0).all()
    assert v.grad.item() == pytest.approx((a + 1)[np.asarray(x.grad) == 0].sum())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("amswrtc"), st.integers(0, 2)), min_size=1, max_size=6))
def test_random_programs_of_in_place_changes_agree_with_torch(program):
    results = []
    for module in (mg, torch):
        x = module.tensor(np.linspace(0.5, 1.5, 9).reshape(3, 3), requires_grad=True)
        y = x * 1
        views = [y, y[1], y.t(), y[:, 0]]
        outcome: object
        try:
            for code, k in program:
                view = views[k + (code in "rt")]
                if code == "a":
                    view.add_(x.sum() * 0.1)
                elif code == "m":
                    view.mul_(1.5)
                elif code == "s":
                    view.sub_(0.25)
                elif code == "w":
                    y[k] = x[2 - k] * 2
                elif code == "r":
                    view.copy_(view.detach().clone() * 2)
                elif code == "t":
                    view += 1
                else:
                    y = y * y
                    views = [y, y[1], y.t(), y[:, 0]]
            (y * y).sum().backward()
            outcome = (np.asarray(y.detach()), np.asarray(views[1].detach()), np.asarray(x.grad))
        except RuntimeError as error:
            outcome = "leaf" if "leaf" in str(error) else "stale" if "modified" in str(error) else str(error)
        results.append(outcome)
    ours, theirs = results
    assert isinstance(ours, str) == isinstance(theirs, str), results
    if isinstance(ours, str):
        assert ours == theirs
    else:
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize(
    "parts", [lambda x: x.chunk(2), lambda x: x.split([1, 3]), lambda x: x.unbind(), lambda x: list(x)]
)
@BOTH
def test_one_of_several_views_that_need_a_gradient_is_not_changed_in_place(module, parts):
    x = module.ones(4, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="returns multiple views"):
        parts(x)[0].add_(1)
    plain = module.ones(4)
    parts(plain)[0].add_(1)
    assert plain[0] == 2
    with module.no_grad():
        x[:2].add_(1)
