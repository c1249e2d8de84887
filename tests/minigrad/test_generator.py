"""The random stream against PyTorch's: same seed, same calls, same numbers, and the same state afterwards."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad.generator import Generator
from tests.minigrad.streams import (
    DRAWS,
    FLOATS,
    INTEGERS,
    SIZES,
    bounds,
    draw_normal,
    draw_uniform,
    empty,
    equal,
    floats,
    near,
    pair,
    same_state,
    seeds,
    sizes,
)


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
