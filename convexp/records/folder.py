"""The folder of one run: nobody else's while it runs, never written over, resumable after anything."""

from enum import Enum
from pathlib import Path
from types import TracebackType

from filelock import Timeout

from convexp.errors import BusyError, RefusedError
from convexp.files.atomic import PARTIAL, remove_partials
from convexp.files.locks import lock
from convexp.records.contents import FOLDERS, check_inside
from convexp.records.result import LOG, Result, read_result

LOCK = ".lock"


class Taken(Enum):
    """What was found in a folder when it was taken."""

    NEW = "new"
    FINISHED = "finished"
    UNFINISHED = "unfinished"  # interrupted, killed or failed: to be gone on with


class State(Enum):
    """In what state a sweep finds the folder of one of its runs."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"  # killed, too
    FAILED = "failed"
    BUSY = "busy"  # another process runs in it
    NEW = "new"  # or damaged: it is done again
    OTHER = "other"  # a run of other settings
    WRONG = "wrong"  # it cannot be done: its settings are wrong


def state(path: Path, identity: str | None) -> State:
    """The state of the folder at ``path`` for a run with ``identity`` (None: its settings are wrong); nothing is touched."""
    if busy(path):
        return State.BUSY
    if identity is None:
        return State.WRONG
    result = read_result(path)
    if result is None:
        return State.NEW
    if result.get("identity") is None:  # it failed before it could start
        return State.FAILED
    if result["identity"] != identity:
        return State.OTHER
    return {"finished": State.FINISHED, "failed": State.FAILED}.get(str(result.get("state")), State.INTERRUPTED)


def busy(path: Path) -> bool:
    """Whether a process runs in the folder."""
    return (path / LOCK).exists() and not _free(path)


class RunFolder:
    """Takes a folder for one run, as a context manager; the lock goes with the process, however that ends.

    Args:
        path: the folder, made if it is not there.
        identity: of the configuration that is going to run here.

    Raises:
        BusyError: on entering, if another process works in it.
        RefusedError: on entering, if it holds something else than this run.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self.identity = identity
        self.found = Taken.NEW
        self.previous: Result | None = None

    def __enter__(self) -> "RunFolder":
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            check_inside(self.path)
            fresh = not (self.path / LOCK).exists()
            self._lock = lock(self.path / LOCK)
            self._lock.acquire(timeout=1)  # somebody may just be looking whether it is free
        except Timeout:
            raise BusyError(f"{self.path}: another process is running in this folder; choose another") from None
        except OSError as error:
            raise RefusedError(f"{self.path}: cannot be written to ({error.strerror})") from None
        try:
            self._look()
            self._tidy()
        except BaseException:
            self._lock.release()
            if fresh:
                (self.path / LOCK).unlink(missing_ok=True)
            raise
        return self

    def _look(self) -> None:
        others = [entry.name for entry in self.path.iterdir() if not _is_left_over(entry.name)]
        self.previous = read_result(self.path)
        if self.previous is None:
            if others and not (self.path / ".hydra").is_dir():
                raise RefusedError(f"{self.path}: the folder holds files that are no run of convexp; choose another")
            return  # new, or killed before its first result was whole
        if self.previous.get("identity") is None:
            return  # it failed before it could start
        if self.previous["identity"] != self.identity:
            raise RefusedError(f"{self.path}: the folder holds a run of another configuration; choose another")
        self.found = Taken.FINISHED if self.previous.get("state") == "finished" else Taken.UNFINISHED

    def _tidy(self) -> None:
        """Away with what was being written when an earlier process was killed."""
        for folder in (self.path, *(self.path / name for name in FOLDERS)):
            remove_partials(folder)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._lock.release()


def _is_left_over(name: str) -> bool:
    """What a run leaves that was killed, or found the disk full, before its configuration was written."""
    return name in (LOCK, LOG) or PARTIAL.fullmatch(name) is not None


def prune(path: Path) -> None:
    """Remove a folder in which nothing was done, and the empty folders between it and the working directory."""
    if not path.is_dir() or {entry.name for entry in path.iterdir()} - {LOCK}:
        return
    if not _free(path):
        return
    (path / LOCK).unlink(missing_ok=True)
    here = Path.cwd()
    for folder in (path, *path.parents):
        if folder != path and not (folder.is_relative_to(here) and folder != here):
            return
        try:
            folder.rmdir()
        except OSError:  # not empty
            return


def _free(path: Path) -> bool:
    """Whether no process runs in the folder."""
    taken = lock(path / LOCK)
    try:
        taken.acquire(timeout=0)
    except Timeout:
        return False
    except OSError:  # not ours to lock: nobody of ours can be in it
        return True
    taken.release()
    return True
