"""Bootstrap-t for the mean of a few values: its p-value and the quantiles of its intervals.

Over resamples of n values with replacement, ``t* = √n (mean* - mean) / s*`` (Hall 1988, the symmetric version: ``|t*|``).
"""

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, inf
from typing import TYPE_CHECKING

from convexp.reporting.statistics import ALPHA

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_ENUMERATED = 6  # values of which all n^n resamples are enumerated
RESAMPLES = 10_000  # drawn from more values than that
CHUNK = 2_000_000  # drawn values that are held in memory as floats at once
EQUAL = 1e-9  # values closer together than this, relative to the largest, differ by rounding alone
NO_DEVIATION = 1e-6  # the same for the deviation of a resample, relative to the largest distance from the mean


def bootstrap_t(differences: Sequence[float], mean: float, t: float) -> tuple["NDArray[np.float64]", float]:
    """Return the largest ``|t*|`` of the resamples and the p-value of the observed ``t``.

    Args:
        differences: The values; not all equal.
        mean: Their mean.
        t: ``√n |mean| / s``.

    Returns:
        The largest ``|t*|``, descending, as many as intervals of at least 95 % need; and the share of resamples with ``|t*|``
        of at least ``t``, which is ``(1 + count) / 10,001`` for n > 6.
    """
    import numpy as np

    n = len(differences)
    centred = np.asarray(differences) - mean
    centred /= np.abs(centred).max()
    counts = resamples(n)
    chunks = np.array_split(counts, ceil(counts.size / CHUNK))
    ascending = np.sort(np.concatenate([_absolute_t(chunk, centred) for chunk in chunks]))
    as_large = len(ascending) - int(np.searchsorted(ascending, t * (1 - EQUAL) - EQUAL))  # ties count, despite rounding
    return ascending[::-1][: _smallest_count(n, ALPHA)].copy(), _p(as_large, n)


def _p(as_large: int, n: int) -> float:
    """Return the p-value of a mean whose ``|t|`` is reached by ``as_large`` of the resamples."""
    return as_large / n**n if n <= MAX_ENUMERATED else (1 + as_large) / (1 + RESAMPLES)


def _smallest_count(n: int, alpha: float) -> int:
    """Return the smallest number of resamples as large as a mean for which its p-value is ``alpha`` or more."""
    start = max(0, int(alpha * n**n if n <= MAX_ENUMERATED else alpha * (1 + RESAMPLES) - 1) - 1)
    return next(count for count in range(start, start + 4) if _p(count, n) >= alpha)


def quantile(tail: "NDArray[np.float64]", n: int, alpha: float) -> float:
    """Return the largest ``√n |mean| / s`` with a p-value of ``alpha`` or more; infinity if p is never below ``alpha``."""
    count = _smallest_count(n, alpha)
    return (float(tail[count - 1]) + EQUAL) / (1 - EQUAL) if count else inf


def _absolute_t(drawn: "NDArray[np.uint16]", centred: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return ``|t*|`` of each resample, infinity for one with zero deviation.

    Args:
        drawn: How often each value is drawn, a row per resample. Shape ``(resamples, n)``.
        centred: The differences minus their mean, scaled to at most 1. Shape ``(n,)``.
    """
    import numpy as np

    n = len(centred)
    counts = drawn.astype(np.float64)
    # Not ``@``: for arrays this small its threads cost more than they save, and they change the last bits.
    sums, squares = (np.einsum("ij,j->i", counts, values) for values in (centred, centred**2))
    variance = np.maximum(squares - sums**2 / n, 0) / (n - 1)
    constant = variance <= NO_DEVIATION**2
    return np.where(constant, inf, np.abs(sums) / np.sqrt(n * np.where(constant, 1, variance)))


@lru_cache(maxsize=4)
def resamples(n: int) -> "NDArray[np.uint16]":
    """Return how often each of n values is drawn, a row per resample: shape ``(n^n, n)`` for n <= 6, else ``(10000, n)``."""
    import numpy as np

    if n <= MAX_ENUMERATED:
        rows = np.indices((n,) * n).reshape(n, -1).T
    else:
        rows = np.random.default_rng(0).integers(n, size=(RESAMPLES, n), dtype=np.uint16)
    counts = np.zeros(rows.shape, np.uint16)
    for column in rows.T:
        counts[np.arange(len(rows)), column] += 1
    return counts
