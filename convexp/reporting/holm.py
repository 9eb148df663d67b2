"""Holm's correction (1979) for several comparisons: adjusted p-values, and the levels that belong to them."""

from collections.abc import Sequence

from convexp.reporting.statistics import ALPHA


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return the p-values adjusted by Holm's method, in the order given; None stays None and counts for nothing.

    The k-th smallest of m values is multiplied by ``m - k + 1``; the product is at most 1, and never below that of a smaller
    value.
    """
    known = _ascending(p_values)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * p))
        adjusted[index] = largest
    return adjusted


def holm_levels(p_values: Sequence[float | None], alpha: float = ALPHA) -> list[float]:
    """Return the level that Holm's procedure compares each p-value with: ``alpha / (m - k)``.

    Here m is the number of p-values and k the number of smaller ones that were below their own level. A p-value is below its
    level exactly if its adjusted p-value (``holm``) is below ``alpha``, so a confidence interval of 1 minus that level excludes
    0 in exactly these cases. For the others these intervals are the simultaneous confidence intervals that belong to Holm's
    procedure (Strassburger and Bretz 2008); for those below their level the simultaneous intervals would end at 0. None gets
    the level ``alpha / m``.
    """
    known = _ascending(p_values)
    levels = [alpha / max(1, len(known))] * len(p_values)
    below = 0
    for p, index in known:
        levels[index] = alpha / (len(known) - below)
        below += p < levels[index]
    return levels


def _ascending(p_values: Sequence[float | None]) -> list[tuple[float, int]]:
    return sorted((p, index) for index, p in enumerate(p_values) if p is not None)
