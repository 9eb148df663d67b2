"""Taking a lease, so that of several processes one succeeds."""

import os
from pathlib import Path

from convexp.files.leases.held import HeldError, HeldLease
from convexp.files.leases.lease import Lease, encoded
from convexp.files.leases.place import FoundLease, Judgement, LeasePlace, judge, read_lease
from convexp.files.leases.watch import stale


def acquire(place: LeasePlace, lease: Lease) -> HeldLease:
    """Take a lease, unless another one is alive; one of another machine is watched until that is known.

    Raises:
        HeldError: If another process holds it, or was faster.
        OSError: If it cannot be written.
    """
    found = place.latest()
    if judge(found) is Judgement.UNKNOWN and found is not None and place in stale({place: found}):
        return take(place, found, lease)
    found = place.latest()  # what was watched may have ended meanwhile
    if judge(found) is not Judgement.FREE:
        raise HeldError
    return take(place, found, lease)


def take(place: LeasePlace, before: FoundLease | None, lease: Lease) -> HeldLease:
    """Take a lease after the one ``before``, which has to be free or stale. Of several processes that try, at most one does.

    Args:
        place: Where it lies.
        before: The lease that counted when it was judged; None if there was none.
        lease: The new one.

    Raises:
        HeldError: If another process was faster, or the holder of the one before lives after all.
        OSError: If it cannot be written.
    """
    held = HeldLease(place, before.number + 1 if before else 1, lease)
    _create(held.file, encoded(lease))
    try:
        older = _superseded(held, before)
    except BaseException:
        held.file.unlink(missing_ok=True)
        raise
    for number in older:  # in ascending order: a holder that was suspended finds its own gone, or the next one there
        place.file(number).unlink(missing_ok=True)
    return held


def _superseded(held: HeldLease, before: FoundLease | None) -> list[int]:
    """The numbers of older leases, in ascending order, once it is certain that ours is the one that counts.

    A process that was suspended after it had judged the one before may come when others have taken, ended and removed it.

    Raises:
        HeldError: If it is not.
    """
    numbers = held.place.numbers()
    older = [number for number in numbers if number < held.number]
    late = bool(numbers) and numbers[-1] > held.number
    if before is None:
        late = late or bool(older)
    elif before.number in older:
        late = late or read_lease(held.place.file(before.number)) != before.content
    if late:
        raise HeldError
    return older


def _create(file: Path, content: bytes) -> None:
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    except FileExistsError:
        raise HeldError from None
    try:
        os.write(handle, content)
    except OSError:
        file.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)
