"""The temporary folders that Python's multiprocessing makes for its sockets and leaves behind when a process is killed."""

import atexit
import os
import shutil
from contextlib import suppress
from functools import cache
from multiprocessing import util
from pathlib import Path

from filelock import FileLock

from convexp.files.locks import lock

LOCK = "convexp.lock"


@cache
def clean_temp_folders() -> FileLock:
    """Lock the temporary folder of this process while it lives, and remove the folders of sweeps that were killed.

    Those are the folders whose lock is free.
    """
    mine = Path(util.get_temp_dir())
    held = lock(mine / f"{LOCK}.new")
    with suppress(OSError):  # on a file system without locks nobody can tell which processes live, so all folders stay
        held.acquire(timeout=0)
        (mine / f"{LOCK}.new").rename(mine / LOCK)  # so a file of this name is locked from the first moment
        # Before filelock gives the lock back at the end of the process: the folder is multiprocessing's to remove then.
        atexit.register((mine / LOCK).unlink, missing_ok=True)
        for folder in mine.parent.glob("pymp-*"):
            with suppress(OSError):
                if folder != mine and folder.lstat().st_uid == os.getuid() and (folder / LOCK).is_file():
                    _remove_unless_locked(folder)
    return held


def _remove_unless_locked(folder: Path) -> None:
    with lock(folder / LOCK).acquire(timeout=0):
        shutil.rmtree(folder)
