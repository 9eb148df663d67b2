"""The folder of one run: held while the run lasts, never overwritten by another run, resumable after any interruption."""

import re
import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from filelock import Timeout

from convexp.errors import BusyError, RefusedError, TakenOverError
from convexp.files.atomic import PARTIAL, remove_partials
from convexp.files.leases.heartbeat import Heartbeat, interrupt_thread, withdraw_interrupt
from convexp.files.leases.held import HeldError, HeldLease
from convexp.files.leases.lease import new_lease
from convexp.files.leases.place import Judgement, LeasePlace, judge
from convexp.files.leases.take import acquire
from convexp.files.locks import lock, lock_if_supported
from convexp.machine.environment import now
from convexp.records.contents import FOLDERS, LEASE, check_inside
from convexp.records.record import ExtensionRecord, RunRecord
from convexp.records.record_file import LOG, read_record, write_record
from convexp.records.status import RunStatus
from convexp.records.statuses import LOCK, is_lock_free, recorded_status

NFS_REMOVED = re.compile(r"\.nfs[0-9a-f]+")  # a file that NFS keeps for a process that has it open, after it was removed

OTHER_RUN = "the folder holds a run of another configuration; choose another"  # said where a folder is refused


class RunFolder:
    """Holds a folder for one run, as a context manager; that ends with the process, however that ends.

    A lock holds it against processes of this machine and of all that the file system's locks reach, a lease against the others.

    Args:
        path: The folder; it is created if it does not exist.
        identity: Identity of the configuration that is going to run in it.

    Attributes:
        found: FINISHED, FAILED or INTERRUPTED if the folder held this run, else NEW.
        previous: The record of this run that the folder held; None if it held none.
        extension: How the number of epochs changes, if it does (``continue_as``).
        taken_over: Whether a process of another machine has taken the folder over, as this one had stopped answering. The block
            is then interrupted.

    Raises:
        BusyError: On entering, if another process runs in the folder.
        RefusedError: On entering, if the folder holds something else than this run.
        TakenOverError: On leaving a block that was interrupted because the folder was taken over.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self.identity = identity
        self.found = RunStatus.NEW
        self.previous: RunRecord | None = None
        self.extension: ExtensionRecord | None = None
        self.taken_over = False
        self._lock = lock(path / LOCK)
        self._lease: HeldLease
        self._heartbeat: Heartbeat
        self._thread = 0

    def __enter__(self) -> "RunFolder":
        with ExitStack() as stack:
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                check_inside(self.path)
                fresh = not (self.path / LOCK).exists()
                lock_if_supported(self._lock, timeout=1)  # another process may just be testing whether it is free
                stack.callback(self._release_lock, fresh)
                self._lease = acquire(LeasePlace(self.path), new_lease(now()))
            except (Timeout, HeldError):
                raise BusyError(f"{self.path}: another process is running in this folder; choose another") from None
            except OSError as error:
                raise RefusedError(f"{self.path}: cannot be written to ({error.strerror})") from None
            stack.callback(self._end_lease, fresh)
            self._find_run()
            self._remove_partials()
            self._thread = threading.get_ident()
            self._heartbeat = Heartbeat(self._lease, on_loss=self._lose)
            self._heartbeat.start()
            stack.pop_all()
        return self

    def _release_lock(self, remove: bool) -> None:
        if remove:
            (self.path / LOCK).unlink(missing_ok=True)
        self._lock.release()

    def _end_lease(self, remove: bool) -> None:
        self._lease.release()
        if remove:
            self._lease.file.unlink(missing_ok=True)

    def _lose(self) -> None:
        """Stop the run: another process has taken the folder over."""
        self.taken_over = True
        interrupt_thread(self._thread)

    def write(self, record: RunRecord) -> None:
        """Write the record of the run, unless another process has taken the folder over: there is one writer only.

        Raises:
            KeyboardInterrupt: If another process has.
            OSError: If it cannot be written.
        """
        if self.taken_over or not self._lease.is_ours():
            self.taken_over = True
            raise KeyboardInterrupt
        write_record(self.path, record)

    def _find_run(self) -> None:
        others = [entry.name for entry in self.path.iterdir() if not _is_left_over(entry.name)]
        previous = read_record(self.path)
        if previous is None and others and not (self.path / ".hydra").is_dir():
            raise RefusedError(f"{self.path}: the folder holds files that are no run of convexp; choose another")
        if previous is None or previous.identity is None:
            return  # new, killed before its first record was written, or failed before it could start
        self.previous, self.found = previous, recorded_status(previous, self.identity)
        if self.found is RunStatus.OTHER:
            raise RefusedError(f"{self.path}: {OTHER_RUN}")

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
            remove_partials(folder, is_held=True)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._heartbeat.stop()
            self._lease.release()
        finally:
            self._lock.release()
        if self.taken_over:
            withdraw_interrupt(self._thread)
            if kind is KeyboardInterrupt:
                raise TakenOverError(
                    f"{self.path}: another process has taken this run over, as this one had stopped answering"
                ) from None


def _is_left_over(name: str) -> bool:
    """Whether a run that ends before its configuration is written leaves a file of this name."""
    return name in (LOCK, LOG) or any(pattern.fullmatch(name) for pattern in (PARTIAL, LEASE, NFS_REMOVED))


def prune(path: Path) -> None:
    """Remove a run folder that holds nothing, and the empty folders between it and the working directory."""
    names = {entry.name for entry in path.iterdir()} if path.is_dir() else {"nothing to remove"}
    leases = {name for name in names if LEASE.fullmatch(name)}
    if names - {LOCK} - leases or not is_lock_free(path) or judge(LeasePlace(path).latest()) is not Judgement.FREE:
        return
    for name in (LOCK, *leases):
        (path / name).unlink(missing_ok=True)
    here = Path.cwd()
    for folder in (path, *path.parents):
        if folder != path and not (folder.is_relative_to(here) and folder != here):
            return
        try:
            folder.rmdir()
        except OSError:  # not empty
            return
