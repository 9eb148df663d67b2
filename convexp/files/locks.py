"""Locks that end with the process that holds them, however it ends."""

from pathlib import Path

from filelock import FileLock


def lock(file: Path) -> FileLock:
    """Return a lock on ``file``, which is created if it does not exist and must not be a link.

    Acquiring it raises an OSError on a file system without such locks. A file whose existence is the lock would be no
    substitute: it would outlive a process that is killed, and keep all others out for ever.
    """
    return FileLock(file, fallback_to_soft=False)
