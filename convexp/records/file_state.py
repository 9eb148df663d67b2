"""By what it is noticed that a file has changed, without reading it."""

import os
from pathlib import Path

FileState = tuple[int, int, int, int]  # size, time of the content, time of the entry (both in ns), number of the inode

STEP = 2 * 10**9  # ns; file systems store times in steps of up to as much


def file_state(file: str) -> FileState | None:
    """Return the state of a file; None if there is none, or it cannot be asked for.

    ``result.json`` is never changed in place: a file beside it takes its name, which gives it another inode and another time of
    its entry, whatever the clocks say of its content and whoever has set that time back.
    """
    try:
        found = os.stat(file)  # noqa: PTH116, as 100,000 paths would take a second longer
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def is_settled(state: FileState, now: int) -> bool:
    """Whether a file of this state, written again since, would have another one.

    Args:
        state: The state.
        now: The time of the file system that the file lies on, in ns, as ``time_of`` returns it.
    """
    return max(state[1], state[2]) + STEP < now


def time_of(new: Path) -> int:
    """Return the time, in ns, by the clock of the file system on which ``new`` has just been created."""
    return new.stat().st_ctime_ns
