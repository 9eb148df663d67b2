"""Test of whether the mean of paired differences is zero: bootstrap-t, with Student's t and the sign test where it fails.

The differences are those between two groups of runs, seed by seed.

- **Bootstrap-t** (Hall 1988, symmetric), for n >= 5. Over resamples of the n differences, ``t* = √n (mean* - mean) / s*``. The
  p-value is the share of resamples with ``|t*| >= √n |mean| / s``. The interval of level 1 - α is ``mean ± q s / √n``, where q
  is the largest ``|t*|`` that would have a p-value of α or more, so that the interval excludes 0 exactly if p < α. For n <= 6
  all n^n resamples are enumerated; for larger n, 10,000 are drawn from a fixed generator, and p is ``(1 + count) / 10,001``.
  A resample with zero deviation has an infinite ``t*``: with few values such resamples are part of the uncertainty.
- **Student's t**, for n < 5. Of all resamples of three values 3/27 repeat one value, so no 95 % quantile is finite; of four
  values 4/256 do, so that p is never small enough for more than three comparisons. Student's t assumes normal differences.
- **Sign test**, without an interval, where the values say too little about their deviation: if all differences are equal
  (accuracies change in steps of one image), if five or more have two values only, or if so many are equal that more than 5 % of
  the resamples have zero deviation. Student's t would take equal values for certainty. Of two values the bootstrap-t would take
  the resamples without deviation for evidence: in seven differences of -1, 0 and 1 with probabilities 1/4, 1/2 and 1/4 it would
  see a difference in 10 % of all cases, in place of less than 5 % (all cases enumerated). p is twice the probability of at
  least as many equal signs among the differences other than zero. If all are equal that is 2 of 2^n, so 5 runs never show a
  difference in this way, and 6 can.

Two differences give neither an interval nor a p-value. A few differences cannot show much in many comparisons: for n = 5 and 6,
5/3125 and 6/46656 of the resamples have zero deviation, and p is never below that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import comb, inf, sqrt
from typing import TYPE_CHECKING

from convexp.reporting.bootstrap import EQUAL, MAX_ENUMERATED, RESAMPLES, bootstrap_t, quantile
from convexp.reporting.statistics import ALPHA, deviation, t_central_probability, t_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BOOTSTRAP, STUDENT, SIGN = "bootstrap-t", "Student's t", "sign test"
MIN_PAIRS = 3  # for a p-value
MIN_BOOTSTRAP = 5  # pairs for the bootstrap-t


@dataclass(frozen=True)
class PairedTest:
    """Result of a test of n paired differences.

    Attributes:
        n: Number of differences.
        difference: Mean of the differences; None if there are none.
        p: Two-sided p-value of the hypothesis that the mean is zero; None for fewer than three differences.
        method: Method of the p-value and the intervals: ``bootstrap-t``, ``Student's t`` or ``sign test``.
        error: Standard error of the mean, ``s / √n``; None where there is no interval.
        tail: Bootstrap-t only: the largest ``|t*|`` of the resamples, descending, as many as intervals of at least 95 % need.
    """

    n: int
    difference: float | None
    p: float | None
    method: str
    error: float | None = None
    tail: "NDArray[np.float64] | None" = field(default=None, compare=False, repr=False)

    def half_width(self, alpha: float = ALPHA) -> float | None:
        """Return half the width of the confidence interval of level ``1 - alpha``; None where there is no interval.

        It is also the smallest mean difference that n differences with this deviation show at ``p < alpha``.

        Args:
            alpha: At most 0.05.
        """
        if self.error is None:
            return None
        factor = t_quantile(self.n - 1, alpha) if self.tail is None else quantile(self.tail, self.n, alpha)
        return factor * self.error if factor < inf else None


def paired_test(differences: Sequence[float]) -> PairedTest:
    """Test whether the mean of the differences is zero, by the method that their number and their values allow."""
    n = len(differences)
    if n < MIN_PAIRS:
        return PairedTest(n, sum(differences) / n if n else None, None, STUDENT)
    mean = sum(differences) / n
    if are_equal(differences) or (n >= MIN_BOOTSTRAP and _has_two_values(differences)):
        return PairedTest(n, mean, _sign_test(differences), SIGN)
    error = deviation(differences) / sqrt(n)
    if n < MIN_BOOTSTRAP:
        return PairedTest(n, mean, 1 - t_central_probability(abs(mean) / error, n - 1), STUDENT, error)
    tail, p = bootstrap_t(differences, mean, abs(mean) / error)
    if quantile(tail, n, ALPHA) == inf:
        return PairedTest(n, mean, _sign_test(differences), SIGN)
    return PairedTest(n, mean, p, BOOTSTRAP, error, tail)


def smallest_p(n: int) -> float:
    """Return the smallest p-value that n differences of any size can have."""
    if n < MIN_BOOTSTRAP:
        return 0.0 if n >= MIN_PAIRS else 1.0
    return n / n**n if n <= MAX_ENUMERATED else min(1 / (1 + RESAMPLES), 2 / 2**n)


def are_equal(values: Sequence[float]) -> bool:
    """Return whether values differ by rounding alone."""
    return max(values) - min(values) <= EQUAL * max(map(abs, values))


def _has_two_values(differences: Sequence[float]) -> bool:
    ends, rounding = (min(differences), max(differences)), EQUAL * max(map(abs, differences))
    return all(min(abs(d - end) for end in ends) <= rounding for d in differences)


def _sign_test(differences: Sequence[float]) -> float:
    positive, negative = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    n = positive + negative
    tail = sum(comb(n, k) for k in range(max(positive, negative), n + 1)) / 2**n
    return min(1.0, 2 * tail)
