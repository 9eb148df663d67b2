"""Means over seeds and their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

# Two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom; beyond the table the normal one.
_SMALL = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)
T95 = (*_SMALL, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042)


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
    s = stdev(values)
    t = T95[n - 2] if n - 1 <= len(T95) else 1.96
    return Mean(fmean(values), s, t * s / n**0.5, n)
