"""Intervals for medians and ratios that assume nothing about how times are distributed: they count ranks.

Times on a busy machine have long tails and outliers; means and normal distributions mislead. Ranks are robust, exact
for few observations, and draw no random numbers.
"""

import math
import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """An estimate with the interval that covers the true value with probability `coverage`."""

    estimate: float
    low: float
    high: float
    coverage: float


def median(values: list[float], level: float = 0.95) -> Interval:
    """The median of observations and the sign test's interval for it.

    The true median lies outside the k-th smallest and k-th largest of n observations with probability
    2 P(Binomial(n, 1/2) < k). The largest k that keeps the level is taken; fewer than 6 observations cannot reach 95 %:
    the interval is then their whole range, and `coverage` says what it is worth.

    Raises ValueError without observations.
    """
    if not values:
        raise ValueError("an interval needs at least one observation")
    ordered, n = sorted(values), len(values)
    tails = [2 * sum(math.comb(n, i) for i in range(k)) / 2**n for k in range(1, n // 2 + 1)]
    k = max((k for k, tail in enumerate(tails, start=1) if tail <= 1 - level), default=1)
    coverage = 1 - tails[k - 1] if tails else 0.0
    return Interval(statistics.median(ordered), ordered[k - 1], ordered[n - k], coverage)


def ratio_of_samples(numerators: list[float], denominators: list[float], level: float = 0.95) -> Interval:
    """The ratio of two samples that were not taken in pairs (Hodges and Lehmann), and Mann and Whitney's interval.

    The estimate is the median of all n m ratios a/b; the interval runs from the k-th smallest of them to the k-th
    largest, where 2 P(U < k) keeps the level under equal distributions. See Hollander, Wolfe and Chicken, Nonparametric
    Statistical Methods, sections 4.2 and 4.3.

    Raises ValueError if a sample is empty or holds a number that is not positive.
    """
    if not numerators or not denominators or min(*numerators, *denominators) <= 0:
        raise ValueError("a ratio of samples needs at least one positive number in each")
    ratios = sorted(a / b for a in numerators for b in denominators)
    counts = _mann_whitney_counts(len(numerators), len(denominators))
    below, k, total = 0, 0, sum(counts)
    while k < len(ratios) // 2 and 2 * (below + counts[k]) <= (1 - level) * total:
        below += counts[k]
        k += 1
    if k == 0:  # too few observations for the level: all there is
        k, below = 1, counts[0]
    return Interval(statistics.median(ratios), ratios[k - 1], ratios[-k], max(0.0, 1 - 2 * below / total))


def _mann_whitney_counts(n: int, m: int) -> list[int]:
    """In how many of the C(n + m, n) orders of two samples does U take the values 0, 1, ..., n m?

    They are the coefficients of the Gaussian binomial, the product of (1 - q^(m + i)) / (1 - q^i) for i = 1 ... n.
    """
    size = n * m + 1
    counts = [1] + [0] * (size - 1)
    for i in range(1, n + 1):
        for u in range(size - 1, m + i - 1, -1):
            counts[u] -= counts[u - m - i]
        for u in range(i, size):
            counts[u] += counts[u - i]
    return counts
