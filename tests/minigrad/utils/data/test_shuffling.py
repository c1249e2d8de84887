"""Samplers, splits and loaders visit the examples in PyTorch's order and leave the generator in PyTorch's state."""

import warnings

import pytest
import torch
import torch.utils.data as reference
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad.utils.data as data
from minigrad import random
from minigrad.creation import arange

seeds = st.integers(0, 2**32 - 1)


def both_generators(seed):
    return random.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)


def seed_both(seed):
    random.manual_seed(seed)
    torch.manual_seed(seed)


def assert_same_state():
    assert random.randint(2**31 - 1, (3,)).tolist() == torch.randint(2**31 - 1, (3,)).tolist()


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(1, 70), st.integers(1, 9), st.booleans(), st.booleans(), st.booleans())
def test_a_loader_gives_torchs_batches_epoch_after_epoch(seed, n, batch_size, shuffle, drop_last, own_generator):
    seed_both(seed)
    g, h = both_generators(seed) if own_generator else (None, None)
    options = {"batch_size": batch_size, "shuffle": shuffle, "drop_last": drop_last}
    ours = data.DataLoader(data.TensorDataset(arange(n)), generator=g, **options)
    theirs = reference.DataLoader(reference.TensorDataset(torch.arange(n)), generator=h, **options)
    assert len(ours) == len(theirs)
    for _ in range(2):
        assert [x.tolist() for (x,) in ours] == [x.tolist() for (x,) in theirs]
    assert_same_state()


@pytest.mark.parametrize("own_generator", [False, True])
def test_an_abandoned_iteration_consumes_what_torchs_does(own_generator):
    seed_both(3)
    g, h = both_generators(3) if own_generator else (None, None)
    ours = data.DataLoader(range(10), batch_size=3, shuffle=True, generator=g)
    theirs = reference.DataLoader(range(10), batch_size=3, shuffle=True, generator=h)
    iter(ours)
    iter(theirs)
    assert next(iter(ours)).tolist() == next(iter(theirs)).tolist()
    assert [b.tolist() for b in ours] == [b.tolist() for b in theirs]
    assert_same_state()


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(1, 40), st.one_of(st.none(), st.integers(1, 90)), st.booleans(), st.booleans())
def test_random_sampler_follows_torch(seed, n, count, replacement, own_generator):
    seed_both(seed)
    g, h = both_generators(seed) if own_generator else (None, None)
    ours = data.RandomSampler(range(n), replacement, count, g)
    theirs = reference.RandomSampler(range(n), replacement, count, h)
    for _ in range(2):
        assert list(ours) == list(theirs)
    assert len(ours) == len(theirs)
    assert_same_state()


def test_draws_with_replacement_given_up_early_spend_as_many_numbers_as_torchs():
    g, h = both_generators(1)
    ours = data.RandomSampler(range(50), replacement=True, num_samples=100, generator=g)
    theirs = reference.RandomSampler(range(50), replacement=True, num_samples=100, generator=h)
    assert next(iter(ours)) == next(iter(theirs))
    assert list(ours) == list(theirs)


@pytest.mark.parametrize("own_generator", [False, True])
def test_subset_random_sampler_follows_torch(own_generator):
    seed_both(5)
    g, h = both_generators(5) if own_generator else (None, None)
    indices = list(range(3, 40, 2))
    assert list(data.SubsetRandomSampler(indices, g)) == list(reference.SubsetRandomSampler(indices, h))
    assert_same_state()


@pytest.mark.parametrize("replacement", [False, True])
def test_weighted_random_sampler_follows_torch(replacement):
    seed_both(7)
    weights = [0.1, 2.0, 0.5, 0.0, 3.0, 1.0]
    ours = data.WeightedRandomSampler(weights, 4, replacement)
    theirs = reference.WeightedRandomSampler(weights, 4, replacement)
    for _ in range(5):
        assert list(ours) == list(theirs)
    assert len(ours) == 4


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(0, 50), st.data())
def test_random_split_follows_torch(seed, n, source):
    seed_both(seed)
    if source.draw(st.booleans()):
        cut = source.draw(st.integers(0, n))
        lengths = [cut, n - cut]
    else:
        lengths = source.draw(
            st.sampled_from([[0.5, 0.5], [0.7, 0.2, 0.1], [0.99, 0.01], [1.0], [1 / 3, 1 / 3, 1 / 3]])
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about empty parts
        parts = data.random_split(range(n), lengths)
        expected = reference.random_split(range(n), lengths)
    assert [p.indices for p in parts] == [p.indices for p in expected]
    assert_same_state()


def test_random_split_takes_a_generator():
    g, h = both_generators(42)
    ours, theirs = (
        data.random_split(range(9), [6, 3], generator=g),
        reference.random_split(range(9), [6, 3], generator=h),
    )
    assert [list(p) for p in ours] == [list(p) for p in theirs]


def test_batch_sampler_groups_any_sampler():
    for drop_last in (False, True):
        for size in (1, 3, 5, 7):
            ours = data.BatchSampler(data.SequentialSampler(range(7)), size, drop_last)
            theirs = reference.BatchSampler(reference.SequentialSampler(range(7)), size, drop_last)
            assert list(ours) == list(theirs)
            assert len(ours) == len(theirs)
