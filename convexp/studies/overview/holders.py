"""Which process holds the folder of a run, as far as looking at it tells."""

import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from convexp.files.host import display_host
from convexp.files.leases.place import FoundLease, Judgement, LeasePlace, judge
from convexp.files.leases.watch import BEATS, seconds_between_beats
from convexp.records.settings import printable
from convexp.records.statuses import LOCK, is_lock_free


class Life(StrEnum):
    """What is known of the process that holds a folder."""

    LIVES = "lives"
    UNKNOWN = "unknown"  # it is on another machine, and its lease has not been watched for long enough
    DEAD = "dead"  # its lease has not changed for longer than a living process would let it


class Holder(Struct, frozen=True, kw_only=True):
    """The process that holds the folder of a run.

    Attributes:
        life: Whether it lives.
        host: The machine that it is on; None if an older convexp holds the folder, which said nothing about it.
        engine: What started it, such as ``slurm 123_4``; None if nothing is known.
        since: Since when, as ISO 8601 in UTC by the clock of its machine; None if that is not known.
        silent: For how many seconds its lease has been watched without a change; None if it is not watched.
    """

    life: Life
    host: str | None = None
    engine: str | None = None
    since: str | None = None
    silent: float | None = None


class Holders:
    """Looks at the folders of runs again and again, and remembers the leases of other machines, to see whether they change.

    Args:
        clock: Seconds by a clock that only goes forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._seen: dict[Path, tuple[bytes, float, bool]] = {}  # content, since when, whether it has ever changed

    def find(self, folder: Path) -> Holder | None:
        """Return who holds a folder; None if nobody does."""
        locked = (folder / LOCK).exists() and not is_lock_free(folder)
        found = LeasePlace(folder).latest()
        judged = judge(found)
        if found is None or (judged is Judgement.FREE and locked):
            return _holder(Life.LIVES, None) if locked else None
        if locked or judged is Judgement.HELD:
            return _holder(Life.LIVES, found)
        return None if judged is Judgement.FREE else self._watched(folder, found)

    def _watched(self, folder: Path, found: FoundLease) -> Holder:
        """A holder on another machine."""
        now = self.clock()
        before = self._seen.get(folder)
        if before is None or before[0] != found.content:
            self._seen[folder] = (found.content, now, before is not None)
            return _holder(Life.LIVES if before else Life.UNKNOWN, found, silent=0.0 if before else None)
        _, since, has_changed = before
        if now - since >= BEATS * seconds_between_beats(found):
            return _holder(Life.DEAD, found, silent=now - since)
        return _holder(Life.LIVES if has_changed else Life.UNKNOWN, found, silent=now - since)


def _holder(life: Life, found: FoundLease | None, silent: float | None = None) -> Holder:
    lease = found.lease if found else None
    if lease is None:
        return Holder(life=life, silent=silent)
    return Holder(
        life=life,
        host=printable(display_host(lease.host)),
        engine=printable(lease.engine) if lease.engine else None,
        since=printable(lease.since) or None,
        silent=silent,
    )
