"""The text of a tensor is PyTorch's, to the letter: for every dtype, shape, kind of values, option and suffix."""

import contextlib

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minigrad.printing import get_printoptions, set_printoptions, tensor_repr

FLOATS = [np.float16, np.float32, np.float64]
INTEGERS = [np.uint8, np.int8, np.int16, np.int32, np.int64]
# Where the notation changes (1e-4, 1e8, a ratio of 1000), where rounding shows, and what is no ordinary number.
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 9.99996, 1e-4, 9.9e-5, 1.001, 1000.0, 1001.0, 1e8, 1.1e8, 1e-30, 1e30, 1e300]
SPECIAL += [float("nan"), float("inf"), -float("inf")]

shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
# More than 1000 elements, in one long dimension or in several, so that the default threshold is passed.
large_shapes = st.one_of(
    st.tuples(st.integers(990, 1500)),
    st.tuples(st.integers(1, 9), st.integers(200, 500)),
    st.tuples(st.integers(90, 300), st.integers(1, 12)),
    st.tuples(st.integers(1, 8), st.integers(5, 8), st.integers(5, 8), st.integers(4, 8)),
)
print_options = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 10),
        "threshold": st.sampled_from([0, 1, 10, 100, 1000, float("inf")]),
        "edgeitems": st.integers(0, 5),
        "linewidth": st.integers(0, 160),
        "profile": st.sampled_from(["default", "short", "full"]),
        "sci_mode": st.booleans(),
    },
)


@st.composite
def float_arrays(draw, shapes=shapes):
    """Floats around a power of ten; or spread over several; or whole; each with special values strewn in or not."""
    shape, dtype = draw(shapes), draw(st.sampled_from(FLOATS))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = rng.standard_normal(shape) * 10.0 ** draw(st.integers(-9, 10))
    kind = draw(st.sampled_from(["plain", "spread", "whole"]))
    if kind == "spread":
        values = values * 10.0 ** rng.integers(-3, 3, shape)
    elif kind == "whole":
        values = np.round(values)
    special = draw(st.lists(st.sampled_from(SPECIAL), max_size=3))
    if special:
        values = np.where(
            rng.random(shape) < draw(st.sampled_from([0.1, 0.5, 1.0])), rng.choice(special, shape), values
        )
    with np.errstate(all="ignore"):  # too large or too small for float16 or float32: inf or 0 are cases as well
        return np.asarray(values, dtype)


@st.composite
def integer_arrays(draw, shapes=shapes):
    """Integers from all of the dtype's range or from a small part of it; or booleans."""
    shape, dtype = draw(shapes), draw(st.sampled_from([*INTEGERS, np.bool_]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    if dtype is np.bool_:
        return np.asarray(rng.random(shape) < draw(st.sampled_from([0.0, 0.5, 1.0])))
    info = np.iinfo(dtype)
    bound = draw(st.sampled_from([1, 9, 10, 99, 100, info.max]))
    low = draw(st.sampled_from([0, max(info.min, -bound), info.min]))
    return np.asarray(rng.integers(low, bound, shape, dtype, endpoint=True))


@contextlib.contextmanager
def both_set_to(options):
    """The same print options in minigrad and in PyTorch, and the default ones afterwards."""
    try:
        set_printoptions(**options)
        torch.set_printoptions(**options)
        yield
    finally:
        set_printoptions(profile="default")
        torch.set_printoptions(profile="default")


@settings(max_examples=1500, deadline=None)
@given(float_arrays())
@example(np.float32([0.0, -0.0]))
@example(np.float32([16777217, 1, 2, 3000]))
@example(np.array(1e-4, np.float64))
@example(np.array(1e-4, np.float32))
@example(np.float64([5e-324, 1.7e308]))
@example(np.float32([0.1, 100.0]))
@example(np.float32([2.0, -np.inf, np.nan]))
def test_floats_print_as_in_pytorch(array):
    assert tensor_repr(array) == repr(torch.from_numpy(array))


@settings(max_examples=500, deadline=None)
@given(hnp.arrays(st.sampled_from(FLOATS), shapes))
def test_floats_of_any_bit_pattern_print_as_in_pytorch(array):
    assert tensor_repr(array) == repr(torch.from_numpy(array))


@settings(max_examples=700, deadline=None)
@given(integer_arrays())
@example(np.int64([np.iinfo(np.int64).min, 0, np.iinfo(np.int64).max]))
@example(np.zeros(0, np.int64))
@example(np.zeros((0, 3), np.bool_))
def test_integers_and_booleans_print_as_in_pytorch(array):
    assert tensor_repr(array) == repr(torch.from_numpy(array))


@settings(max_examples=300, deadline=None)
@given(float_arrays(large_shapes) | integer_arrays(large_shapes))
@example(np.zeros(1000, np.float32))
@example(np.zeros(1001, np.float32))
@example(np.zeros((6, 7, 30), np.float32))
def test_large_tensors_are_summarised_as_in_pytorch(array):
    assert tensor_repr(array) == repr(torch.from_numpy(array))


@settings(max_examples=1500, deadline=None)
@given(float_arrays() | integer_arrays(), print_options)
@example(np.ones((2, 3), np.float32), {"edgeitems": 0, "threshold": 1})
@example(np.ones(3, np.float32), {"edgeitems": 0, "threshold": 1})
@example(np.float32([0, np.inf]), {"sci_mode": True})
@example(np.float32([1, -np.inf]), {"sci_mode": True})
def test_print_options_act_as_in_pytorch(array, options):
    with both_set_to(options):
        assert tensor_repr(array) == repr(torch.from_numpy(array))


@settings(max_examples=100, deadline=None)
@given(st.lists(print_options, max_size=4))
def test_print_options_given_one_after_another_add_up_as_in_pytorch(calls):
    with both_set_to({}):
        for options in calls:
            set_printoptions(**options)
            torch.set_printoptions(**options)
        assert get_printoptions() == torch._tensor_str.get_printoptions()


RESULTS = {
    "leaf": lambda x: x,
    "sigmoid": torch.sigmoid,
    "sum": torch.sum,
    "long name": lambda x: torch.nn.functional.binary_cross_entropy_with_logits(x, x.detach()),
    "view": lambda x: x.reshape(-1),
}


@settings(max_examples=700, deadline=None)
@given(float_arrays(), st.sampled_from(sorted(RESULTS)), st.integers(10, 120))
@example(np.zeros((2, 0), np.float16), "leaf", 30)
def test_suffixes_are_appended_and_wrapped_as_in_pytorch(array, operation, linewidth):
    y = RESULTS[operation](torch.from_numpy(array).requires_grad_())
    suffix = "requires_grad=True" if y.grad_fn is None else f"grad_fn=<{type(y.grad_fn).__name__}>"
    with both_set_to({"linewidth": linewidth}):
        assert tensor_repr(y.detach().numpy(), suffixes=[suffix]) == repr(y)


@pytest.mark.parametrize("count", range(1, 40))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_suffix_moves_to_a_new_line_at_the_same_column_as_in_pytorch(count, dtype):
    array = np.arange(count, dtype=dtype)
    assert tensor_repr(array, suffixes=["requires_grad=True"]) == repr(torch.from_numpy(array).requires_grad_())


@settings(max_examples=200, deadline=None)
@given(float_arrays() | integer_arrays(), st.sampled_from(["T", "Parameter", "ATensorWithARatherLongName"]))
def test_the_prefix_of_a_subclass_indents_the_lines_as_in_pytorch(array, name):
    expected = repr(torch.from_numpy(array).as_subclass(type(name, (torch.Tensor,), {})))
    assert tensor_repr(array, prefix=f"{name}(") == expected


@pytest.mark.parametrize("default", FLOATS)
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, np.bool_])
@pytest.mark.parametrize("shape", [(), (2,), (0,), (0, 2)])
def test_the_default_dtype_is_not_shown(default, dtype, shape):
    array = np.ones(shape, dtype)
    former = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.from_numpy(np.zeros(1, default)).dtype)
        expected = repr(torch.from_numpy(array))
    finally:
        torch.set_default_dtype(former)
    assert tensor_repr(array, default_dtype=np.dtype(default)) == expected


@pytest.mark.parametrize(
    "view", [np.transpose, np.flip, lambda a: a[::2, 1::2], lambda a: np.broadcast_to(a, (2, 5, 4))]
)
def test_strided_arrays_print_their_elements_in_order(view):
    array = view(np.arange(20, dtype=np.float32).reshape(5, 4))
    assert tensor_repr(array) == repr(torch.from_numpy(array.copy()))


def test_set_printoptions_undoes_itself():
    with both_set_to({"precision": 2, "linewidth": 60, "sci_mode": True}):
        before = get_printoptions()
        set_printoptions(profile="full")
        set_printoptions(**before)
        assert get_printoptions() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile": "tiny"}, "profile must be one of 'default', 'short', 'full', got 'tiny'"),
        ({"precision": -1}, "precision must be 0 or more, got -1"),
        ({"edgeitems": -2}, "edgeitems must be 0 or more, got -2"),
    ],
)
def test_an_impossible_option_is_refused_and_changes_nothing(options, message):
    before = get_printoptions()
    with pytest.raises(ValueError, match=message):
        set_printoptions(linewidth=40, **options)
    assert get_printoptions() == before
