"""Locks that end with the process that holds them, however it ends."""

from pathlib import Path

from filelock import FileLock


def lock(file: Path) -> FileLock:
    """A lock on ``file``, which is made if it is not there, and may be no link.

    Where the file system has no such locks, taking it raises an OSError: a file whose existence were the lock would outlive
    a process that is killed, and keep everybody out for ever.
    """
    return FileLock(file, fallback_to_soft=False)
