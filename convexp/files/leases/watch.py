"""Which of many leases of other machines are stale: all are watched at the same time."""

import time
from collections.abc import Mapping

from convexp.files.leases.lease import DEFAULT
from convexp.files.leases.place import FoundLease, LeasePlace

BEATS = 6  # a lease whose beat does not change for as long as this many beats is stale


def stale(found: Mapping[LeasePlace, FoundLease]) -> set[LeasePlace]:
    """Watch leases, and return the places of those that do not change; it takes as long as the slowest beats six times.

    How long that is is measured by the monotonic clock of this process alone.

    Args:
        found: The leases as they were read, by their places.
    """
    started, unchanged, stale = time.monotonic(), dict(found), set[LeasePlace]()
    while unchanged:
        passed = time.monotonic() - started  # before reading: what has not changed then has not changed for so long
        for place, before in list(unchanged.items()):
            now = place.latest()
            if now is None or (now.number, now.content) != (before.number, before.content):
                del unchanged[place]  # it is alive, was ended just now, or was taken over
            elif passed >= BEATS * seconds_between_beats(before):
                del unchanged[place]
                stale.add(place)
        if unchanged:
            time.sleep(min(map(seconds_between_beats, unchanged.values())) / 2)
    return stale


def seconds_between_beats(found: FoundLease) -> float:
    """Return the seconds between two beats of a lease; one that is unreadable may be one that is being written."""
    return max(0.01, found.lease.every) if found.lease else DEFAULT
