"""How long runs will probably still take: from the durations of those that have finished, and from their epochs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def mean(seconds: Iterable[float | None]) -> float | None:
    """Return the mean of what is known; None if nothing is."""
    known = [each for each in seconds if each is not None]
    return sum(known) / len(known) if known else None


@dataclass(frozen=True)
class Work:
    """What is known of the duration of a run that is going on.

    Attributes:
        epochs: For how many epochs it is to be trained.
        done: How many are done.
        pace: Seconds that an epoch takes.
        usual: Mean seconds of the finished runs beside it.
    """

    epochs: int | None
    done: int | None
    pace: float | None
    usual: float | None

    def remaining(self) -> float | None:
        """Seconds that it will take at most if it goes on like this; None if nothing is known.

        By its own pace, else as long as the others took for the epochs that are left.
        """
        if self.epochs is None or self.done is None:
            return self.usual
        left = max(0, self.epochs - self.done)
        if self.pace is not None:
            return left * self.pace
        return None if self.usual is None else self.usual * left / self.epochs


def seconds_to_the_end(running: Sequence[float | None], waiting: int, usual: float | None) -> float | None:
    """Return the seconds until all runs are done, if as many go on at the same time as do now.

    Args:
        running: Seconds that each run that is going on will take; None for one of which nothing is known.
        waiting: Number of runs that wait for a place.
        usual: Seconds that a run takes; None if none has finished yet.

    Returns:
        The seconds; None if nothing runs, or not enough is known.
    """
    known = [seconds for seconds in running if seconds is not None]
    if not running or len(known) < len(running) or (waiting and usual is None):
        return None
    total = sum(known) + waiting * (usual or 0.0)
    return max(*known, total / len(running))
