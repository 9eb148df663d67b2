"""Files that a reader finds complete or as they were before, and that are never written through a link."""

import fcntl
import os
import re
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path

# Names of files that are still being written, those of earlier versions included. A name must not contain "tfevents", as
# TensorBoard reads every file whose name does.
PARTIAL = re.compile(r"\.partial-[0-9a-f]{16}|.+\.partial-\d+|\.writing-\d+|(writing|copying)\.ckpt")


@contextmanager
def atomic_write(file: Path) -> Generator[Path]:
    """Yield the path of a new, empty file in the folder of ``file``; when the block ends, it replaces ``file``.

    If ``file`` is a link, the link is replaced and what it points to stays as it is. If the block raises, the new file is
    removed and ``file`` stays as it is. The new file is locked until then, so that ``remove_partials`` can tell it from one
    whose writer was killed.

    Raises:
        OSError: if the folder cannot be written to.
    """
    partial, handle = _create_locked(file.parent)
    try:
        yield partial
        partial.replace(file)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    finally:
        os.close(handle)


def _create_locked(folder: Path) -> tuple[Path, int]:
    """Path and handle of a new, locked file in ``folder``."""
    while True:
        partial = folder / f".partial-{secrets.token_hex(8)}"
        handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)  # makes the file, or fails: no link is followed
        with suppress(OSError):  # some file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)  # waits for a process that is about to remove the file
        if os.path.lexists(partial):
            return partial, handle
        os.close(handle)  # removed before it was locked: try again


def remove_partials(folder: Path) -> None:
    """Remove partial files from ``folder`` whose writers have ended; files stay where that cannot be determined."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if PARTIAL.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    _remove_unless_locked(Path(entry.path))


def _remove_unless_locked(file: Path) -> None:
    handle = os.open(file, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails if it is locked; the kernel ends a lock with its process
        file.unlink()
    finally:
        os.close(handle)


def open_append(file: Path) -> TextIOWrapper:
    """Open a text file for appending; it is created if it does not exist.

    Raises:
        OSError: if it is a link, a pipe or a folder.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK  # without the last, a pipe would block
    return os.fdopen(os.open(file, flags, 0o666), "a", encoding="utf-8")
