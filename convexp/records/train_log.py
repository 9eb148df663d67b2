"""How far a run is and how fast it goes, from the last lines of its ``train.log``, which may be long and come from anybody."""

import os
import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from convexp.records.record_file import LOG

TAIL = 16 * 1024  # bytes
LINE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d{3} INFO (?:epoch (\d{1,9}), step|started at epoch (\d{1,9}):)")


class Pace(Struct, frozen=True):
    """How far a training is.

    Attributes:
        epochs: How many epochs are done.
        seconds: Seconds that an epoch took lately; None if that cannot be told. Both times are from the same clock.
    """

    epochs: int
    seconds: float | None


def read_pace(folder: Path) -> Pace | None:
    """Read how far the training of the run in ``folder`` is; None before its first epoch has begun."""
    moments: list[tuple[int, datetime]] = []  # how many epochs were done when, since the last start
    for line in _tail(folder / LOG):
        if found := LINE.match(line):
            with suppress(ValueError):
                when = datetime.fromisoformat(found[1])
                if found[3]:
                    moments = [(int(found[3]) - 1, when)]
                else:
                    moments.append((int(found[2]), when))
    if not moments:
        return None
    (first, start), (last, end) = moments[0], moments[-1]
    passed = (end - start).total_seconds()
    return Pace(last, passed / (last - first) if last > first and passed >= 0 else None)


def _tail(file: Path) -> list[str]:
    """The last lines of a file; none if it cannot be read."""
    with suppress(OSError):
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe would never end
        with os.fdopen(handle, "rb") as opened:
            opened.seek(max(0, os.fstat(handle).st_size - TAIL))
            return opened.read(TAIL).decode("utf-8", "replace").splitlines()
    return []
