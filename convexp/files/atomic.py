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
    partial, handle = _new(file.parent)
    try:
        yield partial
        partial.replace(file)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    finally:
        os.close(handle)


def _new(folder: Path) -> tuple[Path, int]:
    """A new file, which is locked; another one if the first was taken for a dead writer's before it was."""
    while True:
        partial = folder / f".partial-{secrets.token_hex(8)}"
        handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)  # makes the file, or fails: no link is followed
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)  # waits for who is about to remove it
        if os.path.lexists(partial):
            return partial, handle
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
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails if it is locked; the kernel ends a lock with its process
        file.unlink()
    finally:
        os.close(handle)


def appended(file: Path) -> TextIOWrapper:
    """The text file, made if it is not there, to be written on.

    Raises:
        OSError: if it is a link, a pipe or a folder.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK  # the last: a pipe would be waited for
    return os.fdopen(os.open(file, flags, 0o666), "a", encoding="utf-8")
