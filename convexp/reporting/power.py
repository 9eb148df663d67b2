"""Power of the paired t-test, and how many seeds it needs to show a difference.

With n pairs, whose differences are normal with mean δ and standard deviation s, ``t = √n mean / s`` has a noncentral t
distribution with n - 1 degrees of freedom and the noncentrality ``√n δ / s``. The power is the probability of ``|t|`` above
Student's quantile.
Source: Cohen 1988, chapter 2; the noncentral distribution is computed by scipy (``nctdtr``).
"""

from math import isnan, sqrt

from convexp.reporting.paired import MIN_PAIRS

POWER = 0.8  # the probability that the difference is shown
MOST = 100_000  # seeds that are looked for at most


def power(n: int, difference: float, deviation: float, alpha: float) -> float:
    """Return the probability that a two-sided paired t-test at level ``alpha`` shows a difference.

    Args:
        n: Number of pairs, two or more.
        difference: Mean of the differences, in the units of ``deviation``.
        deviation: Standard deviation of the differences, above 0.
        alpha: Level of the test.
    """
    from scipy.special import stdtrit

    noncentrality, critical = sqrt(n) * abs(difference) / deviation, float(stdtrit(n - 1, 1 - alpha / 2))
    return 1 - _below(critical, n - 1, noncentrality) + _below(-critical, n - 1, noncentrality)


def _below(t: float, freedom: int, noncentrality: float) -> float:
    """The probability of less than ``t``; scipy says nan far below the noncentrality, where it is too small to be computed."""
    from scipy.special import nctdtr

    found = float(nctdtr(freedom, noncentrality, t))
    return 0.0 if isnan(found) else found


def seeds_needed(difference: float, deviation: float, alpha: float) -> int | None:
    """Return the smallest number of pairs, three or more, with a power of 0.8; None if it is more than 100,000.

    The arguments are those of ``power``.
    """

    def suffices(n: int) -> bool:
        return power(n, difference, deviation, alpha) >= POWER

    low, high = MIN_PAIRS - 1, MIN_PAIRS  # low does not suffice, or is too few for a verdict
    while not suffices(high):
        if high >= MOST:
            return None
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high
