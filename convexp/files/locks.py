"""Locks that end with the process that holds them, however it ends."""

import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from convexp.files.atomic import NO_LOCKS
from convexp.files.leases.heartbeat import Heartbeat
from convexp.files.leases.held import HeldError, HeldLease
from convexp.files.leases.lease import new_lease
from convexp.files.leases.place import LeasePlace
from convexp.files.leases.take import acquire

LEASES = ".leases"
PAUSE = 0.05  # seconds before a lease that is held is asked for again


def lock(file: Path) -> FileLock:
    """Return a lock on ``file``, which is created if it does not exist and must not be a link.

    Acquiring it raises an OSError on a file system without such locks. A file whose existence is the lock would be no
    substitute: it would outlive a process that is killed, and keep all others out for ever.
    """
    return FileLock(file, fallback_to_soft=False)


def lock_if_supported(flock: FileLock, timeout: float) -> None:
    """Acquire a lock, unless the file system has none.

    Raises:
        Timeout: If another process holds it for longer than ``timeout`` seconds; a negative number waits for ever.
        OSError: If it cannot be acquired for another reason.
    """
    try:
        flock.acquire(timeout=timeout)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise


@contextmanager
def locked(file: Path, timeout: float = -1) -> Generator[None]:
    """Hold a lock on ``file``, and a lease beside it for machines that the lock does not reach, while the block runs.

    Args:
        file: The file.
        timeout: How many seconds to wait for it; a negative number waits for ever.

    Raises:
        Timeout: If another process holds it for longer; it is an OSError.
        OSError: If the folder cannot be written to.
    """
    end = time.monotonic() + timeout if timeout >= 0 else float("inf")
    with ExitStack() as stack:
        flock = lock(file)
        stack.callback(flock.release)
        lock_if_supported(flock, timeout)
        held = _wait_for_lease(file, end)
        stack.callback(held.release)
        heartbeat = Heartbeat(held, on_loss=lambda: None)
        heartbeat.start()
        stack.callback(heartbeat.stop)
        yield


def _wait_for_lease(file: Path, end: float) -> HeldLease:
    folder = file.parent / LEASES
    folder.mkdir(exist_ok=True)
    while True:
        try:
            return acquire(LeasePlace(folder, f"{file.name.removeprefix('.')}-"), new_lease(since=""))
        except HeldError:
            if time.monotonic() > end:
                raise Timeout(str(file)) from None
        time.sleep(PAUSE)
