"""An amount of seconds or bytes that is not known exactly: what is expected, and between what it lies."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Amount:
    """An amount that is estimated from others.

    Attributes:
        low: The least that it was.
        mean: What it was on average.
        high: The most that it was.
    """

    low: float
    mean: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Amount | None":
        """The amount that these values are examples of; None if there are none."""
        return cls(min(values), sum(values) / len(values), max(values)) if values else None

    def less(self, done: float) -> "Amount":
        """What is left after ``done`` of it."""
        return Amount(max(0.0, self.low - done), max(0.0, self.mean - done), max(0.0, self.high - done))


def total(amounts: Iterable[Amount]) -> Amount:
    """The sum, each end added up by itself: the true sum hardly lies outside."""
    found = list(amounts)
    return Amount(sum(a.low for a in found), sum(a.mean for a in found), sum(a.high for a in found))


def side_by_side(amounts: Sequence[Amount], places: int) -> Amount:
    """The time that all take if ``places`` of them go on at the same time: an equal share, and at least that of the longest."""
    summed = total(amounts)
    return Amount(
        max(summed.low / places, *(a.low for a in amounts)),
        max(summed.mean / places, *(a.mean for a in amounts)),
        max(summed.high / places, *(a.high for a in amounts)),
    )
