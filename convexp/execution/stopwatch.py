"""Wall time of the parts of a run."""

from collections.abc import Generator
from contextlib import contextmanager

from msgspec.structs import asdict

from convexp.machine.run_clock import run_clock
from convexp.records.record import Seconds

DIGITS = 4  # after the decimal point


class Stopwatch:
    """Adds up the seconds that each part of a run takes, over all starts of the run.

    A run of a group has its share of the training steps that are done together, and nothing of what others do alone.

    Args:
        before: Seconds of the earlier starts; None for a run that starts at the beginning.
    """

    def __init__(self, before: Seconds | None = None) -> None:
        earlier = asdict(before) if before else {}
        self._seconds = {part: value for part, value in earlier.items() if value is not None and part != "total"}

    @contextmanager
    def time(self, part: str) -> Generator[None]:
        """Add the time of the block to ``part``; a block that raises adds nothing."""
        start = run_clock()
        yield
        self.add(part, run_clock() - start)

    def add(self, part: str, seconds: float) -> None:
        """Add ``seconds``, which may be negative, to ``part``."""
        self._seconds[part] = round(self.of(part) + seconds, DIGITS)

    def of(self, part: str) -> float:
        """Return the seconds of ``part``, 0 if it has not been timed."""
        return self._seconds.get(part, 0.0)

    def seconds(self) -> Seconds:
        """Return the seconds of all parts and their sum."""
        return Seconds(**self._seconds, total=round(sum(self._seconds.values()), DIGITS))
