"""Means over seeds and their intervals: Student's t, of shares on the log odds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import atan2, cos, exp, fsum, log, pi, sin, sqrt
from statistics import fmean

ALPHA = 0.05  # intervals are of 1 - ALPHA


@dataclass(frozen=True)
class Mean:
    """Mean of n values, their standard deviation and the ends of the 95 % interval (all three None for one value)."""

    mean: float
    deviation: float | None
    low: float | None
    high: float | None
    n: int

    @property
    def alike(self) -> bool:
        """Whether there are several values and all are equal: an interval of no width, which is no certainty."""
        return self.n > 1 and self.low == self.high


def mean(values: Sequence[float]) -> Mean:
    """Mean over seeds; interval ``mean ± t s / sqrt(n)``, Student's t with n - 1 degrees of freedom.

    Raises:
        ValueError: for no values.
    """
    n = len(values)
    if n == 0:
        raise ValueError("no values to average")
    if n == 1:
        return Mean(values[0], None, None, None, 1)
    if min(values) == max(values):
        return Mean(values[0], 0.0, values[0], values[0], n)
    centre, s = fmean(values), deviation(values)
    half_width = t_quantile(n - 1) * s / sqrt(n)
    return Mean(centre, s, centre - half_width, centre + half_width, n)


def share(values: Sequence[float]) -> Mean:
    """Mean over seeds of shares in 0..1, such as accuracies, with an interval that lies there too.

    It is Student's t on the log odds: ``log(m / (1 - m)) ± t s / (sqrt(n) m (1 - m))``, n - 1 degrees of freedom, taken back to
    shares; ``m (1 - m)`` is by the delta method. Of a mean of exactly 0 or 1, or of equal values, it has no width. Source: the
    logit limits for proportions of clustered samples, as SAS (SURVEYFREQ, ``CL(TYPE=LOGIT)``) and R's survey package
    (``svyciprop``, ``xlogit``) have them; a seed is a cluster of test images. Values outside 0..1 are averaged by ``mean``.

    Raises:
        ValueError: for no values.
    """
    found = mean(values)
    if not found.deviation or not all(0 <= value <= 1 for value in values):
        return found
    m = found.mean
    if not 0 < m < 1:  # by rounding
        return Mean(m, found.deviation, m, m, found.n)
    centre, half_width = log(m / (1 - m)), t_quantile(found.n - 1) * found.deviation / (sqrt(found.n) * m * (1 - m))
    low, high = (_from_odds(log_odds) for log_odds in (centre - half_width, centre + half_width))
    return Mean(m, found.deviation, min(low, m), max(high, m), found.n)  # as rounding may be more than a narrow interval


def _from_odds(log_odds: float) -> float:
    odds = exp(-abs(log_odds))
    return odds / (1 + odds) if log_odds < 0 else 1 / (1 + odds)


def shifted(value: Mean, by: float) -> Mean:
    """The mean of the same values, each of them so much larger."""
    low, high = (None if end is None else end + by for end in (value.low, value.high))
    return replace(value, mean=value.mean + by, low=low, high=high)


def deviation(values: Sequence[float]) -> float:
    """Standard deviation of two or more values, with n - 1 in the denominator."""
    centre = fmean(values)
    return sqrt(fsum((value - centre) ** 2 for value in values) / (len(values) - 1))


def t_inside(t: float, freedom: int) -> float:
    """P(|T| <= t) of Student's t with a whole number of degrees of freedom, exactly (Abramowitz and Stegun 26.7.3 and 26.7.4).

    With ``θ = atan(t / √ν)``: ``sin θ (1 + 1/2 cos² θ + 1·3/(2·4) cos⁴ θ + ...)`` up to ``cos^(ν-2)`` for even ν, and
    ``2/π (θ + sin θ (cos θ + 2/3 cos³ θ + 2·4/(3·5) cos⁵ θ + ...))`` up to ``cos^(ν-2)`` for odd ν.
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
    """The t with P(|T| <= t) = 1 - alpha, by bisection."""
    low, high = 0.0, 1.0
    while t_inside(high, freedom) < 1 - alpha:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if t_inside(middle, freedom) < 1 - alpha else (low, middle)
    return (low + high) / 2
