"""Folders that appear in the folder of a sweep whole or not at all, whatever happens to the process that makes them."""

import fcntl
import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from convexp.files.host import host_tag
from convexp.files.link_tree import sync, sync_folders
from convexp.records.index import STAGING


@contextmanager
def staged(root: Path, target: Path) -> Generator[Path]:
    """Yield a new folder in ``root``; when the block ends, it becomes ``target``, which must not exist or be empty.

    If the block raises, it is removed. No reader takes it for a run before. It is locked, so that ``remove_staged`` can tell it
    from one whose process was killed.

    Raises:
        OSError: if it cannot be made, or ``target`` holds something.
    """
    folder, handle = _make_locked(root)
    try:
        yield folder
        target.parent.mkdir(parents=True, exist_ok=True)
        sync_folders(folder)
        folder.rename(target)
        with suppress(OSError):  # some file systems cannot do it for folders
            sync(target.parent)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        os.close(handle)


def _make_locked(root: Path) -> tuple[Path, int]:
    """Path and handle of a new, locked folder in ``root``."""
    while True:
        folder = root / f"{STAGING}{host_tag()}{secrets.token_hex(5)}"
        folder.mkdir()
        with suppress(FileNotFoundError):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            with suppress(OSError):  # some file systems have no locks
                fcntl.flock(handle, fcntl.LOCK_EX)  # waits for a process that is about to remove the folder
            if os.path.lexists(folder):
                return folder, handle
            os.close(handle)  # removed before it was locked: try again


def remove_staged(root: Path) -> None:
    """Remove folders of ``staged`` whose process, on this machine, was killed."""
    for folder in root.glob(f"{STAGING}{host_tag()}*"):
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)
