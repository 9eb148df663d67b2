"""Is a mean of paired differences other than zero? Bootstrap-t, and what takes its place where it has no answer.

The differences are those of two groups of runs, seed by seed.

- **bootstrap-t** (Hall 1988, symmetric): of ``t* = √n (mean* - mean) / s*`` over resamples of the n differences, p is the share
  of resamples with ``|t*| >= √n |mean| / s``, and the interval of level 1 - α is ``mean ± q s / √n``, q the largest ``|t*|``
  that would have had a p of α or more: it leaves out 0 just where p < α. All n^n resamples are taken for n <= 6, otherwise
  10,000 of a fixed generator (p is then ``(1 + count) / 10,001``). A resample without deviation has an infinite ``t*``: with
  few values such resamples are part of the uncertainty, not an accident.
- **Student's t** for n < 5: of all resamples of three values 3/27 are one value three times, so no 95 % quantile is finite, and
  of four 4/256, so that p is never small enough for more than three comparisons. It supposes normal differences.
- **sign test**, without an interval, where the values say too little of their spread: all differences are equal (accuracies
  come in steps of one image), or so many that more than 5 % of the resamples have no deviation. Student's t would take equal
  values for certainty. p is twice the chance of at least so many equal signs among the differences that are not zero: 2 of
  2^n if all are equal, so 5 runs never show a difference in this way, and 6 can.

Two differences have neither interval nor p: of their spread they say one number, and nothing tells whether it is an accident.
Few values cannot show much in many comparisons: of n = 5, 6 values 5/3125, 6/46656 of the resamples have no deviation, and p is
never below that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil, comb, inf, sqrt
from typing import TYPE_CHECKING

from convexp.reporting.statistics import ALPHA, deviation, t_inside, t_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BOOTSTRAP, STUDENT, SIGN = "bootstrap-t", "Student's t", "sign test"
FEWEST = 3  # differences for a verdict
FEWEST_RESAMPLED = 5
ENUMERATED = 6
RESAMPLES = 10_000
AT_ONCE = 2_000_000  # numbers of resamples held as floats
EQUAL = 1e-9  # differences that lie closer together, relative to the largest, differ by rounding alone
NO_DEVIATION = 1e-6  # likewise for the deviation of a resample, relative to the largest distance from the mean


@dataclass(frozen=True)
class Paired:
    """Mean of n paired differences, the p of no difference, and the method of p and intervals.

    Attributes:
        n: how many.
        difference: their mean; None for none.
        p: of no difference; None for fewer than three.
        method: ``bootstrap-t``, ``Student's t`` or ``sign test``.
        error: standard error of the mean, ``s / √n``; None where there is no interval.
        tail: of the bootstrap-t: the largest ``|t*|``, descending, as far as intervals of 95 % and more need them.
    """

    n: int
    difference: float | None
    p: float | None
    method: str
    error: float | None = None
    tail: "NDArray[np.float64] | None" = field(default=None, compare=False, repr=False)

    def half_width(self, alpha: float = ALPHA) -> float | None:
        """Half the width of the interval of level ``1 - alpha``, None where there is none: the smallest mean difference that
        so many differences of this spread show at ``p < alpha``. ``alpha`` is at most 0.05."""
        if self.error is None:
            return None
        factor = t_quantile(self.n - 1, alpha) if self.tail is None else _quantile(self.tail, self.n, alpha)
        return factor * self.error if factor < inf else None


def paired(differences: Sequence[float]) -> Paired:
    """Mean difference with its p, if there are three or more."""
    n = len(differences)
    if n < FEWEST:
        return Paired(n, sum(differences) / n if n else None, None, STUDENT)
    centre, spread = sum(differences) / n, max(differences) - min(differences)
    if spread <= EQUAL * max(map(abs, differences)):
        return Paired(n, centre, _sign_test(differences), SIGN)
    error = deviation(differences) / sqrt(n)
    if n < FEWEST_RESAMPLED:
        return Paired(n, centre, 1 - t_inside(abs(centre) / error, n - 1), STUDENT, error)
    tail, p = _bootstrap_t(differences, centre, abs(centre) / error)
    if _quantile(tail, n, ALPHA) == inf:
        return Paired(n, centre, _sign_test(differences), SIGN)
    return Paired(n, centre, p, BOOTSTRAP, error, tail)


def least_p(n: int) -> float:
    """The smallest p that n differences of any size can have."""
    if n < FEWEST_RESAMPLED:
        return 0.0 if n >= FEWEST else 1.0
    return n / n**n if n <= ENUMERATED else min(1 / (1 + RESAMPLES), 2 / 2**n)


def _sign_test(differences: Sequence[float]) -> float:
    above, below = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    n = above + below
    tail = sum(comb(n, k) for k in range(max(above, below), n + 1)) / 2**n
    return min(1.0, 2 * tail)


def _bootstrap_t(differences: Sequence[float], centre: float, observed: float) -> tuple["NDArray[np.float64]", float]:
    """The largest ``|t*|``, descending, and the p of ``observed``."""
    import numpy as np

    n = len(differences)
    away = np.asarray(differences) - centre
    away /= np.abs(away).max()
    drawn = resamples(n)
    parts = np.array_split(drawn, ceil(drawn.size / AT_ONCE))
    t = np.sort(np.concatenate([_absolute_t(part, away) for part in parts]))
    reached = len(t) - int(np.searchsorted(t, observed * (1 - EQUAL) - EQUAL))  # ties count, whatever the last bits are
    return t[::-1][: _enough(n, ALPHA)].copy(), _p(reached, n)


def _p(reached: int, n: int) -> float:
    """The p of a mean whose t so many resamples reach."""
    return reached / n**n if n <= ENUMERATED else (1 + reached) / (1 + RESAMPLES)


def _enough(n: int, alpha: float) -> int:
    """The smallest number of resamples that reach a mean's t for which its p is ``alpha`` or more."""
    few = max(0, int(alpha * n**n if n <= ENUMERATED else alpha * (1 + RESAMPLES) - 1) - 1)
    return next(count for count in range(few, few + 4) if _p(count, n) >= alpha)


def _quantile(tail: "NDArray[np.float64]", n: int, alpha: float) -> float:
    """The largest ``√n |mean| / s`` of which p is ``alpha`` or more; infinite if p is never below ``alpha``."""
    count = _enough(n, alpha)
    return (float(tail[count - 1]) + EQUAL) / (1 - EQUAL) if count else inf


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
    known = _ascending(p_values)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * p))
        adjusted[index] = largest
    return adjusted


def holm_levels(p_values: Sequence[float | None], alpha: float = ALPHA) -> list[float]:
    """What Holm's procedure holds each p against: ``alpha / (m - k)``, k the number of smaller ones that were below theirs.

    So p is below it just where the corrected p (``holm``) is below ``alpha``, and an interval of one less it leaves out 0 just
    there. Those of the p that are not below it are the simultaneous intervals that belong to Holm's procedure (Strassburger and
    Bretz 2008); of the others those would end at 0. Of a p of None it is ``alpha / m``.
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
