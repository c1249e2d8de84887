"""The state of the random stream, exchanged with PyTorch's; copies of a stream; mistakes."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from minigrad.generator import Generator, default_generator
from tests.minigrad.streams import (
    draw_normal,
    draw_permutation,
    draw_uniform,
    pair,
    same_state,
    seeds,
    sizes,
)


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
