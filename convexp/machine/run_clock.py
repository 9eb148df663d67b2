"""The clock of a run: it stands still while other runs of its group go on, and counts its share of what is done for all."""

import time
from contextvars import ContextVar


class Away:
    """Seconds that a run of a group has not used.

    Attributes:
        seconds: The time in which it did not go on, without its share of what was done for several runs.
    """

    def __init__(self) -> None:
        self.seconds = 0.0


away: ContextVar[Away | None] = ContextVar("away", default=None)  # each greenlet has a context of its own


def run_clock() -> float:
    """Return seconds since some moment, of which the differences count, as of ``time.perf_counter``."""
    member = away.get()
    return time.perf_counter() - (member.seconds if member else 0.0)
