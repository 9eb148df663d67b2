"""In what state a run is."""

from enum import StrEnum


class RunStatus(StrEnum):
    """In what state a run is.

    A run writes RUNNING, INTERRUPTED, FAILED, PRUNED and FINISHED to its result.json. The others are never written: they are
    what a sweep, a report or a run that starts finds out by looking at the folder.
    """

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    PRUNED = "pruned"  # a search stopped it, as it did worse than others; it can be resumed by hand
    FINISHED = "finished"

    NEW = "new"  # nothing that can be resumed: the folder is new, empty or damaged
    MISSING = "missing"  # planned, and its folder does not hold it
    BUSY = "busy"  # another process is running it
    OTHER = "other"  # the folder holds a run of another configuration
    WRONG = "wrong settings"  # its configuration is not valid
    DAMAGED = "damaged"  # result.json is missing or cannot be used
    NEWER = "newer"  # a newer version of convexp wrote result.json

    @property
    def is_unfinished(self) -> bool:
        """Whether the run was started and did not finish: it can be resumed."""
        return self in UNFINISHED


UNFINISHED = frozenset({RunStatus.RUNNING, RunStatus.INTERRUPTED, RunStatus.FAILED, RunStatus.PRUNED})
WRITTEN = UNFINISHED | {RunStatus.FINISHED}
