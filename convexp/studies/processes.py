"""Processes that do jobs side by side, each one job after another; they end with the process that started them."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from convexp.errors import ConvexpError
from convexp.studies.temporary import tidy_temporary_folder
from convexp.terminal import console
from convexp.terminal.streams import lenient_output

# Forked from one server that has the imports behind it: they are paid once, and their memory is shared. On macOS what torch
# links does not survive a fork.
FORKSERVER = sys.platform == "linux"
CONTEXT = multiprocessing.get_context("forkserver") if FORKSERVER else multiprocessing.get_context("spawn")

SIGNALS = {signal.SIGINT, signal.SIGTERM}


@dataclass(frozen=True)
class Ended:
    """A job that has ended.

    Attributes:
        number: of the job.
        value: that the job returned.
        out, err: what it said on the terminal.
        exit_code: None, or that of the process, if it ended in the midst of the job (-9: killed).
    """

    number: int
    value: Any = None
    out: str = ""
    err: str = ""
    exit_code: int | None = None


class Worker:
    """A process that does what it is sent."""

    def __init__(self, work: Callable[[Any], Any], preload: str) -> None:
        if FORKSERVER:
            _start_server(preload)
        self.connection, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=_serve, args=(theirs, work))
        try:
            self.process.start()
        except (EOFError, OSError) as error:
            reason = f"({type(error).__name__}), perhaps for want of memory; what is done is kept, start it again for the rest"
            raise ConvexpError(f"the process that all others are forked from has ended {reason}") from None
        theirs.close()  # else the end of the process would not be seen here
        self.number = -1

    def send(self, number: int, job: Any) -> None:
        """Give it a job; if the process is gone, ``ended`` says so."""
        self.number = number
        with suppress(OSError):
            self.connection.send(job)

    def ended(self) -> Ended:
        """What came of the job, once ``connection`` or the end of the process has something to say."""
        try:
            if self.connection.poll():
                return Ended(self.number, *self.connection.recv())
        except (EOFError, OSError):
            pass
        self.process.join()
        return Ended(self.number, exit_code=self.process.exitcode)

    def end(self) -> None:
        """Nothing will come any more; wait until it has put down what it does."""
        self.connection.close()
        self.process.join()

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in what it does."""
        self.process.terminate()


def _start_server(preload: str) -> None:
    """Start the server that processes are forked from, if it does not run; signals to all of the group do not concern it."""
    tidy_temporary_folder()
    CONTEXT.set_forkserver_preload([preload])
    resource_tracker.ensure_running()  # or the server would start it, and that unblocks signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # inherited, and unblocked in ``_serve``
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def side_by_side(work: Callable[[Any], Any], jobs: Sequence[Callable[[], Any]], count: int, preload: str) -> Generator[Ended]:
    """Do ``work`` with every job in at most ``count`` processes; yields them as they end.

    Args:
        work: a function that can be pickled.
        jobs: each makes what is sent to a process; called here, shortly before that.
        count: of processes.
        preload: the module that is imported once for all.

    Leaving the iteration interrupts the jobs that have not ended: in their processes SIGTERM raises KeyboardInterrupt.
    """
    coming = ((number, make()) for number, make in enumerate(jobs))
    following = next(coming, None)
    idle: list[Worker] = []
    busy: list[Worker] = []
    try:
        while following is not None or busy:
            if following is not None and len(busy) < count:
                worker = idle.pop() if idle else Worker(work, preload)
                busy.append(worker)
                worker.send(*following)
                following = next(coming, None)
                continue
            # The end of a process is not always to be seen at its connection: processes of its own hold that open, too.
            ready = wait([end for worker in busy for end in (worker.connection, worker.process.sentinel)])
            for worker in [w for w in busy if w.connection in ready or w.process.sentinel in ready]:
                ended = worker.ended()
                busy.remove(worker)
                if worker.process.is_alive():
                    idle.append(worker)
                yield ended
    finally:
        for worker in busy:
            worker.interrupt()
        for worker in [*idle, *busy]:
            worker.end()


@lenient_output()
def _serve(connection: Connection, work: Callable[[Any], Any]) -> None:
    """In the process: do what comes until nothing can come any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; what follows from it is for the first process to say
    signal.signal(signal.SIGTERM, _Interrupt())
    with suppress(KeyboardInterrupt):
        if FORKSERVER:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        threading.Thread(target=_end_with_the_parent, daemon=True).start()
        while (job := _received(connection)) is not None:
            with console.out.capture() as out, console.err.capture() as err:
                value = work(job)
            with suppress(OSError):  # nobody waits for it any more
                connection.send((value, out.get(), err.get()))


def _received(connection: Connection) -> Any:
    """What comes next; None if nothing can."""
    try:
        return connection.recv()
    except (EOFError, OSError):
        return None


class _Interrupt:
    """Raises KeyboardInterrupt at the first signal: another must not interrupt the tidying up after it."""

    def __init__(self) -> None:
        self.raised = False

    def __call__(self, _signal: int, _frame: object) -> None:
        if not self.raised:
            self.raised = True
            raise KeyboardInterrupt


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
