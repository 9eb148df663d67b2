"""Files that a reader finds complete or as they were before, and that are never written through a link."""

import errno
import fcntl
import os
import re
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path

from convexp.files.host import host_tag

# Names of files that are still being written, those of earlier versions included. A name must not contain "tfevents", as
# TensorBoard reads every file whose name does.
# The first six digits stand for the host of the writer.
PARTIAL = re.compile(r"\.partial-[0-9a-f]{16}|.+\.partial-\d+|\.writing-\d+|(writing|copying)\.ckpt")


NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)  # what a file system without locks answers


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
        _replace(partial, file)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    finally:
        os.close(handle)


def _replace(partial: Path, file: Path) -> None:
    """Rename a file, also where NFS says that there is none: it was renamed, the answer was lost, and NFS asked once more."""
    number = partial.stat().st_ino
    try:
        partial.replace(file)
    except FileNotFoundError:
        if not file.exists() or file.stat().st_ino != number:
            raise


def _create_locked(folder: Path) -> tuple[Path, int]:
    """Path and handle of a new, locked file in ``folder``."""
    while True:
        partial = folder / f".partial-{host_tag()}{secrets.token_hex(5)}"
        handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)  # makes the file, or fails: no link is followed
        with suppress(OSError):  # some file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)  # waits for a process that is about to remove the file
        if os.path.lexists(partial):
            return partial, handle
        os.close(handle)  # removed before it was locked: try again


def remove_partials(folder: Path, is_held: bool = False) -> None:
    """Remove partial files from ``folder`` whose writers have ended; files stay where that cannot be determined.

    Args:
        folder: The folder.
        is_held: Whether this process holds the folder, so that no process of another machine is writing there. Otherwise what
            is written on other machines stays, as the file system's locks need not reach them.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if PARTIAL.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    if is_held or not _is_of_another_host(entry.name):
                        _remove_unless_locked(Path(entry.path), is_held)


def _is_of_another_host(name: str) -> bool:
    return name.startswith(".partial-") and not name.startswith(f".partial-{host_tag()}")


def _remove_unless_locked(file: Path, is_held: bool) -> None:
    handle = os.open(file, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails if it is locked; the kernel ends a lock with its process
        file.unlink()
    except OSError as error:
        if not is_held or error.errno not in NO_LOCKS:
            raise
        file.unlink()
    finally:
        os.close(handle)


def append_line(file: Path, line: str) -> None:
    """Add a line to a text file, which is created if it does not exist; after a line that was half written it begins a new one.

    Raises:
        OSError: if it is a link, a pipe or a folder.
    """
    before = file.read_bytes() if file.is_file() else b""
    with open_append(file) as opened:
        opened.write(f"\n{line}\n" if before and not before.endswith(b"\n") else f"{line}\n")


def open_append(file: Path) -> TextIOWrapper:
    """Open a text file for appending; it is created if it does not exist.

    Raises:
        OSError: if it is a link, a pipe or a folder.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK  # without the last, a pipe would block
    return os.fdopen(os.open(file, flags, 0o666), "a", encoding="utf-8")
