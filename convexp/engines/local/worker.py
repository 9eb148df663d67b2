"""A worker process, as the process that started it sees it."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, resource_tracker
from types import ModuleType
from typing import Any

from convexp.engines.local.temp_folders import clean_temp_folders
from convexp.engines.local.worker_main import FORKSERVER, NOTICE, SIGNALS, worker_main
from convexp.engines.results import JobResult
from convexp.errors import ConvexpError

CONTEXT = multiprocessing.get_context("forkserver") if FORKSERVER else multiprocessing.get_context("spawn")


class Worker:
    """A process that does the jobs it is sent, one at a time or several as a group.

    Args:
        work: The function that does a job. It has to be picklable.
        preload: Name of the module that is imported once for all workers.
        slot: Environment variables of the process, beside those of this one.

    Raises:
        ConvexpError: if the process cannot be started.
    """

    def __init__(self, work: Callable[[Any], Any], preload: str, slot: Mapping[str, str]) -> None:
        self.slot = slot
        if FORKSERVER:
            _start_server(preload)
        self.connection, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=worker_main, args=(theirs, work, {**os.environ, **slot}))
        try:
            with _without_main():
                self.process.start()
        except (EOFError, OSError) as error:
            raise ConvexpError(
                f"the server process that starts the workers has ended ({type(error).__name__}), perhaps for want of memory"
            ) from None
        theirs.close()  # else the end of the process would not be noticed here
        self._numbers: tuple[int, ...] = ()
        self._unfinished: set[int] = set()

    @property
    def is_busy(self) -> bool:
        """Whether a result is missing."""
        return bool(self._unfinished)

    def send(self, numbers: Sequence[int], jobs: Sequence[Any]) -> None:
        """Send jobs with their numbers, to be done as a group; if the process has ended, ``results`` reports it."""
        self._numbers, self._unfinished = tuple(numbers), {*numbers}
        with suppress(OSError):
            self.connection.send(list(jobs))

    def results(self) -> list[JobResult]:
        """The next result, once ``connection`` is readable; if the process has ended, all that are missing."""
        try:
            if self.connection.poll():
                index, *found = self.connection.recv()
                self._unfinished.remove(self._numbers[index])
                return [JobResult(self._numbers[index], *found)]
        except (EOFError, OSError):
            pass
        self.process.join()
        missing, self._unfinished = sorted(self._unfinished), set()
        return [JobResult(number, exit_code=self.process.exitcode) for number in missing]

    def close(self) -> None:
        """Send no more jobs, and wait until the process has ended."""
        self.connection.close()
        self.process.join()

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the jobs."""
        self.process.terminate()


@contextmanager
def _without_main() -> Generator[None]:
    """A context in which a process that is started does not run the program of this one again.

    Otherwise Python does so to find what was defined in it. A script without ``if __name__ == "__main__"`` would start its
    sweep once more.
    """
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


def _start_server(preload: str) -> None:
    """Start the fork server unless it runs, with signals blocked: those sent to the whole process group are not for it."""
    clean_temp_folders()
    CONTEXT.set_forkserver_preload([preload])
    before = signal.pthread_sigmask(signal.SIG_BLOCK, NOTICE)  # inherited, and stays blocked
    try:
        resource_tracker.ensure_running()  # or the server would start it, and that unblocks signals
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # inherited, and unblocked in ``worker_main``
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
