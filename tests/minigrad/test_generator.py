"""The random stream against PyTorch's: same seed, same calls, same numbers, and the same state afterwards."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad.generator import Generator, default_generator

SIZES = [0, 1, 7, 8, 15, 16, 17, 24, 31, 32, 33, 100, 623, 624, 625, 1000]
FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
# What another rounding of log, sin and cos makes of numbers below 9: few units in the last place.
NORMAL_TOLERANCE = {"float16": 4e-3, "float32": 2e-6, "float64": 4e-15}

seeds = st.integers(-(2**63), 2**64 - 1)
sizes = st.sampled_from(SIZES) | st.integers(0, 2000)
floats = st.sampled_from(FLOATS)
bounds = st.floats(-100, 100, width=32)


def pair(seed):
    """Ours and PyTorch's generator, started from one seed."""
    return Generator().manual_seed(seed), torch.Generator().manual_seed(seed)


def same_state(ours, theirs):
    """Byte for byte, the spare normal number included."""
    np.testing.assert_array_equal(ours.get_state(), theirs.get_state().numpy())


def equal(mine, other):
    """Same type, shape and numbers."""
    other = other.numpy()
    assert mine.dtype == other.dtype
    assert mine.shape == other.shape
    np.testing.assert_array_equal(mine, other)


def empty(shape, dtype):
    return torch.empty(shape, dtype=getattr(torch, dtype))


def near(mine, other, dtype, scale=1.0):
    assert mine.dtype == np.dtype(dtype)
    assert mine.shape == tuple(other.shape)
    np.testing.assert_allclose(
        mine.astype("f8"), other.numpy().astype("f8"), rtol=0, atol=NORMAL_TOLERANCE[dtype] * max(scale, 1e-3)
    )


# A draw makes one call on both streams and compares the results.


def draw_uniform(ours, theirs, size, dtype):
    equal(ours.uniform((size,), dtype), empty(size, dtype).uniform_(generator=theirs))


def draw_normal(ours, theirs, size, dtype):
    near(ours.normal((size,), dtype), empty(size, dtype).normal_(generator=theirs), dtype)


def draw_random(ours, theirs, size, dtype):
    equal(ours.random((size,), dtype), empty(size, dtype).random_(generator=theirs))


def draw_integers(ours, theirs, size, dtype):
    equal(ours.integers((size,), 3, 100, dtype), empty(size, dtype).random_(3, 100, generator=theirs))


def draw_permutation(ours, theirs, size, dtype):
    equal(ours.permutation(size), torch.randperm(size, generator=theirs))


def draw_bernoulli(ours, theirs, size, dtype):
    equal(ours.bernoulli(0.3, (size,), dtype), empty(size, dtype).bernoulli_(0.3, generator=theirs))


def draw_bernoulli_array(ours, theirs, size, dtype):
    p = np.linspace(0, 1, size).astype(dtype)
    equal(ours.bernoulli_array(p), torch.bernoulli(torch.from_numpy(p), generator=theirs))


def draw_exponential(ours, theirs, size, dtype):
    mine, other = ours.exponential((size,), dtype), empty(size, dtype).exponential_(generator=theirs).numpy()
    assert mine.dtype == other.dtype
    np.testing.assert_allclose(mine, other, rtol=4 * np.finfo(dtype).eps, atol=1e-15)


def draw_multinomial(ours, theirs, size, dtype):
    weights = np.arange(1, size + 2).astype("float64" if dtype == "float64" else "float32")
    for n, replacement in ((1, False), (size // 2 + 1, False), (size + 5, True), (1, True)):
        other = torch.multinomial(torch.from_numpy(weights), n, replacement, generator=theirs)
        equal(ours.multinomial(weights, n, replacement), other)


DRAWS = [
    draw_uniform,
    draw_normal,
    draw_random,
    draw_integers,
    draw_permutation,
    draw_bernoulli,
    draw_bernoulli_array,
    draw_exponential,
    draw_multinomial,
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("draw", DRAWS, ids=lambda draw: draw.__name__)
def test_a_draw_gives_pytorchs_numbers_and_spends_the_same_words(draw, dtype, size):
    ours, theirs = pair(size)
    draw(ours, theirs, size, dtype)
    same_state(ours, theirs)


@settings(deadline=None, max_examples=150)
@given(seeds, st.lists(st.tuples(st.sampled_from(DRAWS), sizes, floats), max_size=8))
def test_any_sequence_of_draws_stays_in_step_with_pytorch(seed, calls):
    ours, theirs = pair(seed)
    assert ours.initial_seed() == theirs.initial_seed()
    for draw, size, dtype in calls:
        draw(ours, theirs, size, dtype)
        same_state(ours, theirs)


@settings(deadline=None)
@given(seeds, sizes, st.tuples(bounds, bounds).map(sorted), floats)
def test_uniform_between_bounds_is_pytorchs_to_the_last_digit(seed, size, interval, dtype):
    ours, theirs = pair(seed)
    equal(ours.uniform((size,), dtype, *interval), empty(size, dtype).uniform_(*interval, generator=theirs))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "interval", [(0.1, 0.3), (-0.1, 0.1), (-3.3, 1.1), (5, 9), (0, 0.2), (1, 1 + 1e-6), (-1e30, 7)]
)
def test_many_uniform_numbers_between_bounds_are_rounded_as_pytorchs(interval, dtype):
    ours, theirs = pair(3)
    equal(ours.uniform((100_000,), dtype, *interval), empty(100_000, dtype).uniform_(*interval, generator=theirs))


def test_uniform_float16_never_reaches_its_upper_bound():
    ours, theirs = pair(0)
    drawn = ours.uniform((50_000,), np.float16)
    equal(drawn, empty(50_000, "float16").uniform_(generator=theirs))
    assert drawn.max() < 1


@settings(deadline=None)
@given(seeds, sizes, bounds, st.floats(0, 50, width=32), floats)
def test_normal_with_mean_and_deviation_is_pytorchs(seed, size, mean, std, dtype):
    ours, theirs = pair(seed)
    other = empty(size, dtype).normal_(mean, std, generator=theirs)
    near(ours.normal((size,), dtype, mean, std), other, dtype, scale=std + abs(mean))


def test_a_large_normal_draw_agrees_to_a_few_units_in_the_last_place():
    ours, theirs = pair(11)
    near(ours.normal((1000, 1003)), torch.empty(1000, 1003).normal_(generator=theirs), "float32")


def test_fewer_than_16_float64_normals_are_pytorchs_to_the_last_digit():
    ours, theirs = pair(19)
    for size in [7, 2, 15, 1] * 200:
        equal(ours.normal((size,), np.float64), empty(size, "float64").normal_(generator=theirs))


@pytest.mark.parametrize("dtype", FLOATS)
def test_normals_in_pairs_are_those_of_a_tensor_that_is_not_contiguous(dtype):
    ours, theirs = pair(20)
    other = empty((20, 30), dtype).t().normal_(generator=theirs)
    equal(ours.normal((20, 30), dtype, pairs=True).T, other)
    same_state(ours, theirs)


def test_numbers_beyond_the_type_are_infinite_without_a_warning():
    ours, theirs = pair(22)
    equal(ours.normal((40,), np.float16, 0, 1e6), empty(40, "float16").normal_(0, 1e6, generator=theirs))
    equal(ours.normal((4,), np.float16, 0, 1e6), empty(4, "float16").normal_(0, 1e6, generator=theirs))
    equal(ours.exponential((9,), np.float16, 1e-9), empty(9, "float16").exponential_(1e-9, generator=theirs))


def test_the_spare_normal_number_waits_through_other_draws_and_goes_with_a_new_seed():
    ours, theirs = pair(4)
    for size in (3, 16, 1, 1, 0, 5):
        draw_normal(ours, theirs, size, "float32")
        draw_uniform(ours, theirs, size, "float32")
        same_state(ours, theirs)
    ours.manual_seed(4), theirs.manual_seed(4)
    draw_normal(ours, theirs, 1, "float64")


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [
        (0, 1, "int64"),
        (-5, 6, "int32"),
        (0, 2, "bool"),
        (0, 256, "uint8"),
        (-128, 128, "int8"),
        (-7, 2048, "float16"),
        (-(2**24), 2**24, "float32"),
        (-(2**53), 2**53, "float64"),
        (0, 2**28 - 1, "int64"),
        (0, 2**28, "int64"),
        (-(2**31), 2**31, "int32"),
        (5, 2**32 + 5, "int64"),
        (-(2**63), 2**63 - 1, "int64"),
    ],
)
def test_integers_are_pytorchs_up_to_the_widest_range(low, high, dtype):
    ours, theirs = pair(8)
    options = {"dtype": getattr(torch, dtype), "generator": theirs}
    equal(ours.integers((50, 3), low, high, dtype), torch.randint(low, high, (50, 3), **options))
    same_state(ours, theirs)


@settings(deadline=None)
@given(seeds, sizes, st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=2, unique=True).map(sorted))
def test_integers_between_any_bounds_are_pytorchs(seed, size, interval):
    ours, theirs = pair(seed)
    equal(ours.integers((size,), *interval), torch.randint(*interval, (size,), generator=theirs))


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, "bool"])
def test_random_covers_each_type_as_pytorchs(dtype):
    ours, theirs = pair(9)
    equal(ours.random((700,), dtype), empty(700, dtype).random_(generator=theirs))
    equal(ours.random((), dtype), empty((), dtype).random_(generator=theirs))
    same_state(ours, theirs)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 60_000, 2**16, 100_000, 2**20])
def test_a_permutation_holds_each_number_once_and_is_pytorchs(n):
    ours, theirs = pair(10)
    found = ours.permutation(n)
    equal(found, torch.randperm(n, generator=theirs))
    np.testing.assert_array_equal(np.sort(found), np.arange(n))


@pytest.mark.parametrize(("dtype", "n"), [("uint8", 256), ("int32", 900), ("float16", 2049), ("float64", 9)])
def test_a_permutation_has_the_type_asked_for(dtype, n):
    ours, theirs = pair(12)
    equal(ours.permutation(n, dtype), torch.randperm(n, dtype=getattr(torch, dtype), generator=theirs))


@settings(deadline=None)
@given(seeds, st.floats(0, 1), st.sampled_from([*FLOATS, *INTEGERS, "bool"]), sizes)
def test_bernoulli_is_pytorchs_in_every_type(seed, p, dtype, size):
    ours, theirs = pair(seed)
    equal(ours.bernoulli(p, (size,), dtype), empty(size, dtype).bernoulli_(p, generator=theirs))


def test_bernoulli_array_keeps_shape_and_takes_strided_probabilities():
    ours, theirs = pair(2)
    p = np.random.default_rng(0).random((7, 5), np.float32).T[::2]
    equal(ours.bernoulli_array(p), torch.bernoulli(torch.from_numpy(p), generator=theirs))


def test_bernoulli_draws_the_stream_of_dropout():
    torch.manual_seed(21)
    kept = torch.nn.functional.dropout(torch.ones(400), 0.3) != 0
    np.testing.assert_array_equal(Generator().manual_seed(21).bernoulli(1 - 0.3, (400,)) != 0, kept.numpy())


@pytest.mark.parametrize("lambd", [0.1, 1.0, 7.5])
@pytest.mark.parametrize("dtype", FLOATS)
def test_exponential_with_a_rate_is_pytorchs(dtype, lambd):
    ours, theirs = pair(6)
    other = empty((40, 50), dtype).exponential_(lambd, generator=theirs).numpy()
    np.testing.assert_allclose(ours.exponential((40, 50), dtype, lambd), other, rtol=2 * np.finfo(dtype).eps)
    same_state(ours, theirs)


@settings(deadline=None)
@given(seeds, st.integers(0, 4), st.integers(2, 30), st.integers(1, 40), st.booleans(), st.sampled_from(FLOATS[1:]))
def test_multinomial_of_rows_is_pytorchs(seed, rows, k, n, replacement, dtype):
    weights = np.random.default_rng(seed % 1000).random((rows, k)).astype(dtype)
    weights[:, 0] = 0
    n = n if replacement else min(n, k - 1)
    ours, theirs = pair(seed)
    other = torch.multinomial(torch.from_numpy(weights), n, replacement, generator=theirs)
    equal(ours.multinomial(weights, n, replacement), other)
    same_state(ours, theirs)


def test_multinomial_with_replacement_of_half_precision_weights_is_pytorchs():
    ours, theirs = pair(1)
    weights = np.random.default_rng(1).random(50).astype(np.float16)
    other = torch.multinomial(torch.from_numpy(weights), 500, True, generator=theirs)
    equal(ours.multinomial(weights, 500, True), other)


@pytest.mark.parametrize("shape", [(), (1,), (3, 4), (0, 3), (2, 3, 4)])
def test_every_draw_has_the_shape_asked_for(shape):
    ours, theirs = pair(13)
    equal(ours.uniform(shape), torch.rand(shape, generator=theirs))
    near(ours.normal(shape), torch.randn(shape, generator=theirs), "float32")
    equal(ours.integers(shape, 0, 9), torch.randint(0, 9, shape, generator=theirs))
    equal(ours.bernoulli(0.5, shape), torch.empty(shape).bernoulli_(0.5, generator=theirs))
    assert ours.exponential(shape).shape == ours.random(shape).shape == shape


# The state.


@settings(deadline=None, max_examples=40)
@given(seeds, sizes)
def test_a_state_continues_in_pytorch_and_one_of_pytorchs_here(seed, size):
    ours, theirs = pair(seed)
    draw_uniform(ours, theirs, size, "float32")
    draw_normal(ours, theirs, 3, "float32")
    there = torch.Generator().set_state(torch.from_numpy(ours.get_state()))
    here = Generator().set_state(theirs.get_state().numpy())
    assert here.initial_seed() == there.initial_seed() == ours.initial_seed()
    draw_normal(here, there, 1, "float64")
    draw_permutation(here, there, 700, "float32")
    same_state(here, there)


@pytest.mark.parametrize(
    "clone",
    [copy.copy, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g)), Generator.clone_state],
    ids=["copy", "deepcopy", "pickle", "clone_state"],
)
def test_a_copy_continues_on_its_own_from_the_same_place(clone):
    original = Generator().manual_seed(7)
    original.normal((5,))
    twin = clone(original)
    expected = original.normal((9,))
    np.testing.assert_array_equal(twin.normal((9,)), expected)
    np.testing.assert_array_equal(twin.get_state(), original.get_state())


def test_a_saved_state_is_not_changed_by_later_draws():
    ours = Generator().manual_seed(7)
    saved = ours.get_state()
    first = ours.uniform((5,))
    ours.uniform((900,))
    np.testing.assert_array_equal(ours.set_state(saved).uniform((5,)), first)


def test_a_new_generator_starts_from_pytorchs_default_seed():
    assert Generator().initial_seed() == torch.Generator().initial_seed()
    np.testing.assert_array_equal(Generator("cpu").get_state(), torch.Generator().get_state().numpy())
    assert str(Generator().device) == "cpu"


def test_seed_starts_from_another_number_each_time():
    ours = Generator()
    first = ours.seed()
    assert ours.initial_seed() == first
    assert ours.seed() != first
    assert default_generator.initial_seed() != Generator().initial_seed()


# Mistakes: the call, the error, and what its message must tell.

STATE = Generator().get_state()
NOT_SEEDED = np.where(np.arange(5056) == 12, 0, STATE).astype(np.uint8)
OUT_OF_STEP = np.where(np.arange(5056) == 16, 9, STATE).astype(np.uint8)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda g: Generator("cuda"), NotImplementedError, "'cpu' only"),
        (lambda g: g.manual_seed(1.5), RuntimeError, "integer, but got float"),
        (lambda g: g.manual_seed(2**64), ValueError, "got 18446744073709551616"),
        (lambda g: g.manual_seed(-(2**63) - 1), ValueError, "a seed lies in"),
        (lambda g: g.set_state(STATE[:9]), RuntimeError, "5056 bytes, got 9"),
        (lambda g: g.set_state(STATE.astype(float)), TypeError, "got an array of float64"),
        (lambda g: g.set_state([1, 2]), TypeError, "got list"),
        (lambda g: g.set_state(np.zeros(5056, np.uint8)), RuntimeError, "invalid"),
        (lambda g: g.set_state(NOT_SEEDED), RuntimeError, "invalid"),
        (lambda g: g.set_state(OUT_OF_STEP), RuntimeError, "invalid"),
        (lambda g: g.uniform((-1,)), RuntimeError, "negative dimensions"),
        (lambda g: g.uniform((2,), np.float32, 2, 1), RuntimeError, "low <= high"),
        (lambda g: g.uniform((2,), np.float32, -3e38, 3e38), RuntimeError, "at most 3.40282e.38 apart"),
        (lambda g: g.uniform((2,), np.float16, 0, 1e6), RuntimeError, "65504"),
        (lambda g: g.uniform((2,), np.float32, float("nan"), 1), RuntimeError, "finite"),
        (lambda g: g.uniform((2,), np.int64), NotImplementedError, "got int64"),
        (lambda g: g.normal((2,), np.int64), NotImplementedError, "got int64"),
        (lambda g: g.normal((2,), std=-1), RuntimeError, "std >= 0.0, but found std -1"),
        (lambda g: g.normal((2,), std=float("nan")), RuntimeError, "std nan"),
        (lambda g: g.exponential((2,), lambd=0), RuntimeError, "lambd > 0"),
        (lambda g: g.exponential((2,), np.int32), NotImplementedError, "got int32"),
        (lambda g: g.integers((2,), 5, 5), RuntimeError, "low=5 >= high=5"),
        (lambda g: g.integers((2,), 0, 257, np.uint8), RuntimeError, "from 0 to 255"),
        (lambda g: g.integers((2,), -1, 2, np.bool_), RuntimeError, "from 0 to 1"),
        (lambda g: g.integers((2,), 0, 4000, np.float16), RuntimeError, "to 2048"),
        (lambda g: g.permutation(-1), RuntimeError, "n=-1"),
        (lambda g: g.permutation(214748364), RuntimeError, "0 to 214748363 elements, got n=214748364"),
        (lambda g: g.permutation(257, np.uint8), RuntimeError, "type uint8 has 0 to 256"),
        (lambda g: g.permutation(2050, np.float16), RuntimeError, "type float16 has 0 to 2049"),
        (lambda g: g.bernoulli(1.5, (2,)), RuntimeError, "p=1.5"),
        (lambda g: g.bernoulli(float("nan"), (2,)), RuntimeError, "p=nan"),
        (lambda g: g.bernoulli_array(np.array([0.5, -0.1])), RuntimeError, "in \\[0, 1\\]"),
        (lambda g: g.bernoulli_array(np.array([0, 1])), NotImplementedError, "got int64"),
        (lambda g: g.multinomial(np.array([1, 2]), 1), RuntimeError, "got int64"),
        (lambda g: g.multinomial(np.ones((1, 1, 1)), 1), RuntimeError, "1 or 2 dimensions"),
        (lambda g: g.multinomial(np.ones(3), 0, True), RuntimeError, "positive, got n=0"),
        (lambda g: g.multinomial(np.ones(3), 4), RuntimeError, "from 1 to 3 without replacement, got n=4"),
        (lambda g: g.multinomial(np.array([1.0, -1.0]), 1), RuntimeError, "negative"),
        (lambda g: g.multinomial(np.array([1.0, np.inf]), 1), RuntimeError, "inf"),
        (lambda g: g.multinomial(np.zeros(3), 2, True), RuntimeError, "sum 0"),
        (lambda g: g.multinomial(np.zeros(0), 2, True), RuntimeError, "sum 0"),
    ],
)
def test_a_mistake_raises_says_why_and_spends_no_words(call, error, message):
    ours = Generator()
    with pytest.raises(error, match=message):
        call(ours)
    np.testing.assert_array_equal(ours.get_state(), STATE)
