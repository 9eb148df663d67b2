"""The folder of one run: locked while the run lasts, never overwritten by another run, resumable after any interruption."""

from pathlib import Path
from types import TracebackType

from filelock import Timeout

from convexp.errors import BusyError, RefusedError
from convexp.files.atomic import PARTIAL, remove_partials
from convexp.files.locks import lock
from convexp.records.contents import FOLDERS, check_inside
from convexp.records.record import ExtensionRecord, RunRecord
from convexp.records.record_file import LOG, read_record
from convexp.records.status import RunStatus

LOCK = ".lock"


def status_of(path: Path, identity: str | None) -> RunStatus:
    """Determine the status of the run in a folder, for a sweep; nothing is changed.

    Args:
        path: The folder; it need not exist.
        identity: Identity of the configuration that is to run there; None if that configuration is not valid.

    Raises:
        ConvexpError: If a newer version of convexp wrote the record.
    """
    if is_busy(path):
        return RunStatus.BUSY
    return RunStatus.WRONG if identity is None else _recorded(read_record(path), identity)


def _recorded(record: RunRecord | None, identity: str) -> RunStatus:
    """The status of a folder in which no process runs."""
    if record is None:
        return RunStatus.NEW
    if record.identity is None:  # it failed before it could start
        return RunStatus.FAILED
    if record.identity != identity:
        return RunStatus.OTHER
    return RunStatus.INTERRUPTED if record.state is RunStatus.RUNNING else record.state  # its process was killed


def is_busy(path: Path) -> bool:
    """Whether a process runs in the folder."""
    return (path / LOCK).exists() and not _is_free(path)


class RunFolder:
    """Locks a folder for one run, as a context manager; the lock ends with the process, however that ends.

    Args:
        path: The folder; it is created if it does not exist.
        identity: Identity of the configuration that is going to run in it.

    Attributes:
        found: FINISHED, FAILED or INTERRUPTED if the folder held this run, else NEW.
        previous: The record of this run that the folder held; None if it held none.
        extension: How the number of epochs changes, if it does (``continue_as``).

    Raises:
        BusyError: On entering, if another process runs in the folder.
        RefusedError: On entering, if the folder holds something else than this run.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self.identity = identity
        self.found = RunStatus.NEW
        self.previous: RunRecord | None = None
        self.extension: ExtensionRecord | None = None
        self._lock = lock(path / LOCK)

    def __enter__(self) -> "RunFolder":
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            check_inside(self.path)
            fresh = not (self.path / LOCK).exists()
            self._lock.acquire(timeout=1)  # another process may just be testing whether it is free
        except Timeout:
            raise BusyError(f"{self.path}: another process is running in this folder; choose another") from None
        except OSError as error:
            raise RefusedError(f"{self.path}: cannot be written to ({error.strerror})") from None
        try:
            self._find_run()
            self._remove_partials()
        except BaseException:
            self._lock.release()
            if fresh:
                (self.path / LOCK).unlink(missing_ok=True)
            raise
        return self

    def _find_run(self) -> None:
        others = [entry.name for entry in self.path.iterdir() if not _is_left_over(entry.name)]
        previous = read_record(self.path)
        if previous is None and others and not (self.path / ".hydra").is_dir():
            raise RefusedError(f"{self.path}: the folder holds files that are no run of convexp; choose another")
        if previous is None or previous.identity is None:
            return  # new, killed before its first record was written, or failed before it could start
        self.previous, self.found = previous, _recorded(previous, self.identity)
        if self.found is RunStatus.OTHER:
            raise RefusedError(f"{self.path}: the folder holds a run of another configuration; choose another")

    def continue_as(self, identity: str, extension: ExtensionRecord) -> None:
        """Continue the run that the folder holds, finished or not, to another number of epochs, with another identity.

        Nothing is written: the record in the folder is that of the run before, until the run starts.
        """
        assert self.previous is not None
        self.previous.extended = [*(self.previous.extended or []), extension]
        self.identity, self.found, self.extension = identity, RunStatus.INTERRUPTED, extension

    def _remove_partials(self) -> None:
        """Remove what was being written when an earlier process was killed."""
        for folder in (self.path, *(self.path / name for name in FOLDERS)):
            remove_partials(folder)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._lock.release()


def _is_left_over(name: str) -> bool:
    """Whether a run that ends before its configuration is written leaves a file of this name."""
    return name in (LOCK, LOG) or PARTIAL.fullmatch(name) is not None


def prune(path: Path) -> None:
    """Remove a run folder that holds nothing, and the empty folders between it and the working directory."""
    if not path.is_dir() or {entry.name for entry in path.iterdir()} - {LOCK} or not _is_free(path):
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


def _is_free(path: Path) -> bool:
    """Whether no process runs in the folder."""
    attempt = lock(path / LOCK)
    try:
        attempt.acquire(timeout=0)
    except Timeout:
        return False
    except OSError:  # we are not permitted to lock it, so no run of ours is in it
        return True
    attempt.release()
    return True
