"""The folder that Python's multiprocessing makes for its sockets, which outlives a process that is killed."""

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
def tidy_temporary_folder() -> FileLock:
    """Lock the folder of this process as long as it lives, and remove those whose locks are free: their sweeps were killed."""
    mine = Path(util.get_temp_dir())
    held = lock(mine / f"{LOCK}.new")
    with suppress(OSError):  # without locks on that disk nobody can tell who lives, and all stay
        held.acquire(timeout=0)
        (mine / f"{LOCK}.new").rename(mine / LOCK)  # under this name it is locked from the first moment
        for folder in mine.parent.glob("pymp-*"):
            with suppress(OSError):
                if folder != mine and folder.lstat().st_uid == os.getuid() and (folder / LOCK).is_file():
                    _remove_unless_locked(folder)
    return held


def _remove_unless_locked(folder: Path) -> None:
    with lock(folder / LOCK).acquire(timeout=0):
        shutil.rmtree(folder)
