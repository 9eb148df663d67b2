"""Means over seeds with 95 % intervals: Student's t, and for proportions Student's t on the log odds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import atan2, cos, exp, fsum, log, pi, sin, sqrt
from statistics import fmean

ALPHA = 0.05  # level of the tests; intervals have the level 1 - ALPHA


@dataclass(frozen=True)
class Mean:
    """Mean of several values with its 95 % interval.

    Attributes:
        mean: Arithmetic mean of the values.
        deviation: Standard deviation, with n - 1 in the denominator; None for a single value.
        low: Lower end of the interval; None for a single value.
        high: Upper end of the interval; None for a single value.
        n: Number of values.
    """

    mean: float
    deviation: float | None
    low: float | None
    high: float | None
    n: int

    @property
    def all_equal(self) -> bool:
        """Whether there are several values and all are equal. The interval then has no width, which does not mean certainty."""
        return self.n > 1 and self.low == self.high


def mean(values: Sequence[float], alpha: float = ALPHA) -> Mean:
    """Return the mean with the interval ``mean ± t s / sqrt(n)``, t being Student's with n - 1 degrees of freedom.

    Args:
        values: The values.
        alpha: 1 minus the level of the interval.

    Raises:
        ValueError: If there are no values.
    """
    n = len(values)
    if n == 0:
        raise ValueError("no values to average")
    if n == 1:
        return Mean(values[0], None, None, None, 1)
    if min(values) == max(values):
        return Mean(values[0], 0.0, values[0], values[0], n)
    centre, s = fmean(values), deviation(values)
    half_width = t_quantile(n - 1, alpha) * s / sqrt(n)
    return Mean(centre, s, centre - half_width, centre + half_width, n)


def mean_proportion(values: Sequence[float], alpha: float = ALPHA) -> Mean:
    """Return the mean of proportions in [0, 1], such as accuracies, with an interval within [0, 1].

    The interval is Student's t on the log odds, ``log(m / (1 - m)) ± t s / (sqrt(n) m (1 - m))`` with n - 1 degrees of freedom,
    transformed back to proportions; the factor ``m (1 - m)`` comes from the delta method. The interval has no width if the mean
    is exactly 0 or 1 or if all values are equal. If a value lies outside [0, 1], the result is that of ``mean``.

    Source: the logit limits for proportions of clustered samples in SAS (SURVEYFREQ, ``CL(TYPE=LOGIT)``) and in R's survey
    package (``svyciprop``, ``xlogit``); here a seed is a cluster of test images.

    Args:
        values: The proportions.
        alpha: 1 minus the level of the interval.

    Raises:
        ValueError: If there are no values.
    """
    found = mean(values, alpha)
    if not found.deviation or not all(0 <= value <= 1 for value in values):
        return found
    m = found.mean
    if not 0 < m < 1:  # by rounding
        return Mean(m, found.deviation, m, m, found.n)
    centre, half_width = log(m / (1 - m)), t_quantile(found.n - 1, alpha) * found.deviation / (sqrt(found.n) * m * (1 - m))
    low, high = (_from_log_odds(log_odds) for log_odds in (centre - half_width, centre + half_width))
    return Mean(m, found.deviation, min(low, m), max(high, m), found.n)  # as rounding may be more than a narrow interval


def _from_log_odds(log_odds: float) -> float:
    odds = exp(-abs(log_odds))
    return odds / (1 + odds) if log_odds < 0 else 1 / (1 + odds)


def shifted(value: Mean, by: float) -> Mean:
    """Return the mean of the same values after ``by`` is added to each of them."""
    low, high = (None if end is None else end + by for end in (value.low, value.high))
    return replace(value, mean=value.mean + by, low=low, high=high)


def deviation(values: Sequence[float]) -> float:
    """Return the standard deviation of two or more values, with n - 1 in the denominator."""
    centre = fmean(values)
    return sqrt(fsum((value - centre) ** 2 for value in values) / (len(values) - 1))


def t_central_probability(t: float, freedom: int) -> float:
    """Return P(|T| <= t) for Student's t with an integer number of degrees of freedom ``ν``, in closed form.

    With ``θ = atan(t / √ν)`` it is ``sin θ (1 + 1/2 cos² θ + 1·3/(2·4) cos⁴ θ + ...)`` up to ``cos^(ν-2)`` for even ν, and
    ``2/π (θ + sin θ (cos θ + 2/3 cos³ θ + 2·4/(3·5) cos⁵ θ + ...))`` up to ``cos^(ν-2)`` for odd ν.
    Source: Abramowitz and Stegun, 26.7.3 and 26.7.4.
    """
    angle = atan2(t, sqrt(freedom))
    odd = freedom % 2
    term, total = (cos(angle) if odd else 1.0), 0.0
    for power in range(odd, freedom - 1, 2):
        total += term
        term *= (power + 1) / (power + 2) * cos(angle) ** 2
    return 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total


@cache
def t_quantile(freedom: int, alpha: float = ALPHA) -> float:
    """Return the two-sided quantile of Student's t, the t with P(|T| <= t) = 1 - alpha, found by bisection."""
    low, high = 0.0, 1.0
    while t_central_probability(high, freedom) < 1 - alpha:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if t_central_probability(middle, freedom) < 1 - alpha else (low, middle)
    return (low + high) / 2
