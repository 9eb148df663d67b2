"""Effect sizes of paired differences: how large a difference is beside the variation between seeds, and how regular."""

from collections.abc import Sequence
from math import exp, lgamma, sqrt

from convexp.reporting.paired import MIN_PAIRS, are_equal
from convexp.reporting.statistics import deviation


def standardised_difference(differences: Sequence[float]) -> float | None:
    """Return Hedges' g of n paired differences: ``J(n - 1) mean / s``, with ``J(m) = Γ(m/2) / (√(m/2) Γ((m-1)/2))``.

    ``mean / s`` is Cohen's d for pairs (d_z): a g of 1 is a mean difference as large as the standard deviation of the
    differences between seeds. For normal differences ``mean / s`` is too large by the factor 1/J (1.77 for three seeds, 1.25
    for five), and g is unbiased. Source: Hedges 1981; for pairs Lakens 2013, doi 10.3389/fpsyg.2013.00863.

    Returns:
        g, with the sign of the mean; None for fewer than three differences, or if all are equal.
    """
    if len(differences) < MIN_PAIRS or are_equal(differences):
        return None
    return small_sample_factor(len(differences) - 1) * sum(differences) / len(differences) / deviation(differences)


def small_sample_factor(freedom: int) -> float:
    """Return ``J(m)`` for m degrees of freedom, two or more."""
    return exp(lgamma(freedom / 2) - lgamma((freedom - 1) / 2)) / sqrt(freedom / 2)


def superiority(differences: Sequence[float]) -> float | None:
    """Return the share of the pairs in which the group is higher, pairs that are equal counted half; None without a pair.

    It estimates the probability of superiority (Grissom and Kim 2005) of one run over its partner of the same seed.
    """
    if not differences:
        return None
    return sum(1.0 if d > 0 else 0.5 if d == 0 else 0.0 for d in differences) / len(differences)
