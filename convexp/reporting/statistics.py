"""Means over seeds and their intervals: Student's t."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import atan2, cos, fsum, pi, sin, sqrt
from statistics import fmean

LEVEL = 0.95


@dataclass(frozen=True)
class Mean:
    """Mean of n values, their standard deviation and the half width of the 95 % interval (None for one value)."""

    mean: float
    deviation: float | None
    half_width: float | None
    n: int


def mean(values: Sequence[float]) -> Mean:
    """Mean over seeds; half width ``t * s / sqrt(n)``, Student's t with n - 1 degrees of freedom.

    Raises:
        ValueError: for no values.
    """
    n = len(values)
    if n == 0:
        raise ValueError("no values to average")
    if n == 1:
        return Mean(values[0], None, None, 1)
    s = deviation(values)
    return Mean(fmean(values), s, t_quantile(n - 1) * s / sqrt(n), n)


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
def t_quantile(freedom: int) -> float:
    """The t with P(|T| <= t) = 0.95, by bisection."""
    low, high = 1.9, 13.0  # the normal distribution has 1.96, one degree of freedom 12.7
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if t_inside(middle, freedom) < LEVEL else (low, middle)
    return (low + high) / 2
