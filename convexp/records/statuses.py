"""In what state the runs of many folders are, and in which of them a process is at work; nothing is changed."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from filelock import Timeout

from convexp.files.leases.held import HeldError
from convexp.files.leases.lease import new_lease
from convexp.files.leases.place import FoundLease, Judgement, LeasePlace, judge
from convexp.files.leases.take import take
from convexp.files.leases.watch import stale
from convexp.files.locks import lock
from convexp.machine.environment import now
from convexp.records.record import RunRecord
from convexp.records.record_file import read_record
from convexp.records.status import RunStatus

LOCK = ".lock"

Unknown = dict[LeasePlace, FoundLease]  # leases of other machines, of which only watching tells whether they are alive


def status_of(path: Path, identity: str | None) -> RunStatus:
    """Determine the status of the run in a folder, as ``statuses_of`` does."""
    return statuses_of([(path, identity)])[0]


def statuses_of(runs: Sequence[tuple[Path, str | None]], end_stale: bool = False) -> list[RunStatus]:
    """Determine the status of the run in each of many folders, for a sweep.

    Where a run seems to be held by a process of another machine, its lease is watched for some seconds: all at the same time.

    Args:
        runs: The folders, which need not exist, each with the identity of the configuration that is to run there; None if that
            configuration is not valid.
        end_stale: Whether to end the leases of processes of other machines that have died, so that whoever does the runs now
            need not watch each of them again.

    Raises:
        ConvexpError: If a newer version of convexp wrote a record.
    """
    unknown: Unknown = {}
    found = [_status(path, identity, unknown) for path, identity in runs]
    dead = stale(unknown) if unknown else set[LeasePlace]()
    for place in dead if end_stale else ():
        with suppress(HeldError, OSError):  # somebody else was faster, or we may not: it stays as it is
            take(place, unknown[place], new_lease(now())).release()
    alive = {place.folder for place in unknown} - {place.folder for place in dead}
    return [RunStatus.BUSY if path in alive else status for (path, _), status in zip(runs, found, strict=True)]


def _status(path: Path, identity: str | None, unknown: Unknown) -> RunStatus:
    """The status of a run as far as a first look tells, which puts the leases that have to be watched into ``unknown``.

    A lease is looked at where the record says that the run is going on, or there is none yet.
    """
    if not (path / LOCK).exists():
        return RunStatus.WRONG if identity is None else recorded_status(read_record(path), identity)
    if not is_lock_free(path):
        return RunStatus.BUSY
    if identity is None:
        return RunStatus.WRONG
    record = read_record(path)
    if (record is None or record.state is RunStatus.RUNNING) and _is_leased(path, unknown):
        return RunStatus.BUSY
    return recorded_status(record, identity)


def _is_leased(path: Path, unknown: Unknown) -> bool:
    """Whether a process of this machine holds the lease of the folder; one of another machine goes into ``unknown``."""
    place = LeasePlace(path)
    found = place.latest()
    judged = judge(found)
    if judged is Judgement.UNKNOWN and found is not None:
        unknown[place] = found
    return judged is Judgement.HELD


def recorded_status(record: RunRecord | None, identity: str) -> RunStatus:
    """Return the status of a folder in which no process runs."""
    if record is None:
        return RunStatus.NEW
    if record.identity is None:  # it failed before it could start
        return RunStatus.FAILED
    if record.identity != identity:
        return RunStatus.OTHER
    return RunStatus.INTERRUPTED if record.state is RunStatus.RUNNING else record.state  # its process was killed


def busy_among(paths: Iterable[Path]) -> set[Path]:
    """Return those of the folders in which a process runs; leases of other machines are watched for some seconds."""
    unknown: Unknown = {}
    locked = {path for path in paths if (path / LOCK).exists() and (not is_lock_free(path) or _is_leased(path, unknown))}
    alive = set(unknown) - stale(unknown) if unknown else set[LeasePlace]()
    return locked | {place.folder for place in alive}


def is_busy(path: Path) -> bool:
    """Return whether a process runs in the folder, as ``busy_among`` does for many at once."""
    return bool(busy_among([path]))


def is_lock_free(path: Path) -> bool:
    """Return whether no process holds the lock of the folder; a file system without locks, or one that lies, says so, too."""
    attempt = lock(path / LOCK)
    try:
        attempt.acquire(timeout=0)
    except Timeout:
        return False
    except OSError:  # we are not permitted to lock it, so no run of ours is in it
        return True
    attempt.release()
    return True
