"""Is a mean of paired differences other than zero? Bootstrap-t, and what takes its place where it has no answer.

The differences are those of two groups of runs, seed by seed.

- **bootstrap-t** (Hall 1988, symmetric): of ``t* = √n (mean* - mean) / s*`` over resamples of the n differences, q is the 95 %
  quantile of ``|t*|``. The interval is ``mean ± q s / √n`` and p the share of resamples with ``|t*| >= √n |mean| / s``. All n^n
  resamples are taken for n <= 6, otherwise 10,000 of a fixed generator (p is then ``(1 + count) / 10,001``). A resample without
  deviation has an infinite ``t*``: with few values such resamples are part of the uncertainty, not an accident.
- **Student's t** for n < 5: of all resamples of three values 3/27 are one value three times, so no 95 % quantile is finite, and
  of four 4/256, so that p is never small enough for more than three comparisons. It supposes normal differences.
- **sign test**, without an interval, where the values say too little of their spread: all differences are equal (accuracies
  come in steps of one image), or so many that more than 5 % of the resamples have no deviation. Student's t would take equal
  values for certainty. p is twice the chance of at least so many equal signs among the differences that are not zero: 2 of
  2^n if all are equal, so 5 runs never show a difference in this way, and 6 can.

Few values cannot show much in many comparisons: of n = 5, 6 values 5/3125, 6/46656 of the resamples have no deviation, and p
is never below that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, comb, inf, sqrt
from typing import TYPE_CHECKING

from convexp.reporting.statistics import LEVEL, deviation, t_inside, t_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BOOTSTRAP, STUDENT, SIGN = "bootstrap-t", "Student's t", "sign test"
ENUMERATED = 6
FEWEST = 5
RESAMPLES = 10_000
AT_ONCE = 2_000_000  # numbers of resamples held as floats
EQUAL = 1e-9  # differences that lie closer together, relative to the largest, differ by rounding alone
NO_DEVIATION = 1e-6  # likewise for the deviation of a resample, relative to the largest distance from the mean


@dataclass(frozen=True)
class Paired:
    """Mean of n paired differences, its 95 % interval (None where there is none), p of no difference, and their method."""

    n: int
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    method: str


def paired(differences: Sequence[float]) -> Paired:
    """Mean difference with interval and p; without interval and p for fewer than two."""
    n = len(differences)
    if n < 2:
        return Paired(n, differences[0] if n else None, None, None, None, STUDENT)
    centre, spread = sum(differences) / n, max(differences) - min(differences)
    if spread <= EQUAL * max(map(abs, differences)):
        return Paired(n, centre, None, None, _sign_test(differences), SIGN)
    error = deviation(differences) / sqrt(n)
    if n < FEWEST:
        return _with_interval(n, centre, t_quantile(n - 1) * error, 1 - t_inside(abs(centre) / error, n - 1), STUDENT)
    quantile, p = _bootstrap_t(differences, centre, abs(centre) / error)
    if quantile == inf:
        return Paired(n, centre, None, None, _sign_test(differences), SIGN)
    return _with_interval(n, centre, quantile * error, p, BOOTSTRAP)


def least_p(n: int) -> float:
    """The smallest p that n differences of any size can have."""
    if n < FEWEST:
        return 0.0
    return n / n**n if n <= ENUMERATED else min(1 / (1 + RESAMPLES), 2 / 2**n)


def _with_interval(n: int, centre: float, half_width: float, p: float, method: str) -> Paired:
    return Paired(n, centre, centre - half_width, centre + half_width, p, method)


def _sign_test(differences: Sequence[float]) -> float:
    above, below = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    n = above + below
    tail = sum(comb(n, k) for k in range(max(above, below), n + 1)) / 2**n
    return min(1.0, 2 * tail)


def _bootstrap_t(differences: Sequence[float], centre: float, observed: float) -> tuple[float, float]:
    """The 95 % quantile of ``|t*|`` and the p of ``observed``."""
    import numpy as np

    n = len(differences)
    away = np.asarray(differences) - centre
    away /= np.abs(away).max()
    drawn = resamples(n)
    parts = np.array_split(drawn, ceil(drawn.size / AT_ONCE))
    t = np.sort(np.concatenate([_absolute_t(part, away) for part in parts]))
    reached = len(t) - int(np.searchsorted(t, observed * (1 - EQUAL) - EQUAL))  # ties count, whatever the last bits are
    p = reached / len(t) if n <= ENUMERATED else (1 + reached) / (1 + len(t))
    return float(t[ceil(LEVEL * len(t)) - 1]), p


def _absolute_t(drawn: "NDArray[np.uint16]", away: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """``|t*|`` of each resample; infinite for one without deviation."""
    import numpy as np

    n = len(away)
    counts = drawn.astype(np.float64)
    # Not ``@``: its threads cost more than they bring on so little, and change the last bits.
    sums, squares = (np.einsum("ij,j->i", counts, values) for values in (away, away**2))
    variance = np.maximum(squares - sums**2 / n, 0) / (n - 1)
    flat = variance <= NO_DEVIATION**2
    return np.where(flat, inf, np.abs(sums) / np.sqrt(n * np.where(flat, 1, variance)))


@lru_cache(maxsize=4)
def resamples(n: int) -> "NDArray[np.uint16]":
    """How often each of n values is drawn: a row per resample, ``(n^n, n)`` for n <= 6, else ``(10000, n)``."""
    import numpy as np

    if n <= ENUMERATED:
        rows = np.indices((n,) * n).reshape(n, -1).T
    else:
        rows = np.random.default_rng(0).integers(n, size=(RESAMPLES, n), dtype=np.uint16)
    counts = np.zeros(rows.shape, np.uint16)
    for column in rows.T:
        counts[np.arange(len(rows)), column] += 1
    return counts


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's correction (1979): the k-th smallest of m values times ``m - k + 1``, at most 1, never below a smaller one's."""
    known = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * p))
        adjusted[index] = largest
    return adjusted
