"""Draws from two streams at once, ours and PyTorch's, which must give the same numbers."""

import numpy as np
import torch
from hypothesis import strategies as st

from minigrad.generator import Generator

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
