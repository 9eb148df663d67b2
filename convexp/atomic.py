"""Files that a reader finds as they were before, or whole, and that are never written through a link."""

import fcntl
import os
import re
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path

# What is being written, and what earlier versions called it. TensorBoard would read a name with "tfevents" in it.
PARTIAL = re.compile(r"\.partial-[0-9a-f]{16}|.+\.partial-\d+|\.writing-\d+|(writing|copying)\.ckpt")


@contextmanager
def whole(file: Path) -> Generator[Path]:
    """A new file to be written beside ``file`` that takes its place at the end, also the place of a link.

    It is locked until then, so that ``remove_partials`` can tell it from one whose writer was killed.
    """
    partial = file.with_name(f".partial-{secrets.token_hex(8)}")
    handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)  # makes the file, or fails: no link is followed
    try:
        _lock(handle)
        yield partial
        partial.replace(file)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    finally:
        os.close(handle)


def remove_partials(folder: Path) -> None:
    """Remove the partial files in ``folder`` whose writers are dead; where that cannot be told, they stay."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if PARTIAL.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    _remove_unless_locked(Path(entry.path))


def _remove_unless_locked(file: Path) -> None:
    handle = os.open(file, os.O_RDWR | os.O_NOFOLLOW)
    try:
        if _lock(handle):
            file.unlink()
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    """Whether nobody else has locked the file; the kernel ends the lock with the process."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # a file system without locks, too
        return False
    return True


def appended(file: Path) -> TextIOWrapper:
    """The text file, made if it is not there, to be written on.

    Raises:
        OSError: if it is a link, a pipe or a folder.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK  # the last: a pipe would be waited for
    return os.fdopen(os.open(file, flags, 0o666), "a", encoding="utf-8")
