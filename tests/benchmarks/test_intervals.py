"""Intervals that count ranks: exact coverage, and what they say of samples whose truth is known."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.intervals import _mann_whitney_counts, median, ratio_of_samples

TIMES = st.lists(st.floats(1e-7, 1e3), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("count", "low", "high", "coverage"),
    [
        (1, 1, 1, 0.0),
        (2, 1, 2, 0.5),
        (5, 1, 5, 0.9375),
        (6, 1, 6, 0.96875),
        (8, 1, 8, 1 - 2 / 256),
        (9, 2, 8, 1 - 2 * 10 / 512),
        (15, 4, 12, 1 - 2 * (1 + 15 + 105 + 455) / 2**15),
    ],
)
def test_median_interval_takes_the_ranks_of_the_sign_test(count: int, low: int, high: int, coverage: float) -> None:
    interval = median([float(value) for value in range(count, 0, -1)])
    assert (interval.low, interval.high) == (low, high)
    assert interval.coverage == pytest.approx(coverage)
    assert interval.estimate == (count + 1) / 2


def test_median_interval_covers_the_truth_as_often_as_it_says() -> None:
    samples = np.random.default_rng(0).lognormal(size=(2000, 9))
    intervals = [median(sample.tolist()) for sample in samples]
    covered = np.mean([interval.low <= 1 <= interval.high for interval in intervals])
    assert covered == pytest.approx(intervals[0].coverage, abs=0.015)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 3), (4, 4), (5, 3), (6, 2)])
def test_mann_whitney_counts_are_those_of_all_orders(n: int, m: int) -> None:
    counts = [0] * (n * m + 1)
    for places in itertools.combinations(range(n + m), n):
        counts[sum(place - index for index, place in enumerate(places))] += 1
    assert _mann_whitney_counts(n, m) == counts
    assert sum(counts) == math.comb(n + m, n)


@pytest.mark.parametrize(("count", "rank"), [(5, 1), (6, 3), (9, 12)])
def test_ratio_interval_takes_the_ranks_of_the_published_table(count: int, rank: int) -> None:
    # Critical values of U for 1 % on two sides are 0, 2 and 11: Owen, Handbook of Statistical Tables (1962).
    numerators, denominators = [2.0**i for i in range(count)], [3.0**i for i in range(count)]
    ratios = sorted(a / b for a in numerators for b in denominators)
    interval = ratio_of_samples(numerators, denominators, 0.99)
    assert (interval.low, interval.high) == (ratios[rank - 1], ratios[-rank])
    assert interval.coverage >= 0.99


def test_ratio_interval_rarely_misses_equal_distributions() -> None:
    generator = np.random.default_rng(1)
    intervals = [ratio_of_samples(*generator.lognormal(size=(2, 8)).tolist()) for _ in range(1500)]
    covered = np.mean([interval.low <= 1 <= interval.high for interval in intervals])
    assert covered == pytest.approx(intervals[0].coverage, abs=0.015)


@given(TIMES, TIMES, st.floats(0.01, 100))
def test_ratio_scales_with_the_numerators(numerators: list[float], denominators: list[float], factor: float) -> None:
    plain = ratio_of_samples(numerators, denominators)
    scaled = ratio_of_samples([factor * value for value in numerators], denominators)
    assert scaled.estimate == pytest.approx(factor * plain.estimate)
    assert scaled.low == pytest.approx(factor * plain.low)
    assert plain.low <= plain.estimate <= plain.high


@pytest.mark.parametrize("samples", [([], [1.0]), ([1.0], []), ([1.0, 0.0], [1.0]), ([1.0], [-1.0])])
def test_ratio_refuses_what_is_no_sample_of_times(samples: tuple[list[float], list[float]]) -> None:
    with pytest.raises(ValueError, match="at least one positive number"):
        ratio_of_samples(*samples)


def test_median_refuses_no_observations() -> None:
    with pytest.raises(ValueError, match="at least one observation"):
        median([])
