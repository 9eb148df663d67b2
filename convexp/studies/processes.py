"""Processes that do jobs side by side, each one job after another; they end with the process that started them."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from convexp import console

# Forked from one server that has the imports behind it: they are paid once, and their memory is shared.
FORKSERVER = "forkserver" in multiprocessing.get_all_start_methods()
CONTEXT = multiprocessing.get_context("forkserver") if FORKSERVER else multiprocessing.get_context("spawn")


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
        CONTEXT.set_forkserver_preload([preload])
        self.connection, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=_serve, args=(theirs, work))
        self.process.start()
        theirs.close()  # else the end of the process would not be seen here
        self.number = -1

    def send(self, number: int, job: Any) -> None:
        """Give it a job; if the process is gone, ``ended`` says so."""
        self.number = number
        with suppress(OSError):
            self.connection.send(job)

    def ended(self) -> Ended:
        """What came of the job, once ``connection`` has something to say."""
        try:
            value, out, err = self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            return Ended(self.number, exit_code=self.process.exitcode)
        return Ended(self.number, value, out, err)

    def end(self) -> None:
        """Nothing will come any more; wait until it has put down what it does."""
        self.connection.close()
        self.process.join()

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in what it does."""
        self.process.terminate()


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
    busy: dict[Any, Worker] = {}
    try:
        while following is not None or busy:
            if following is not None and len(busy) < count:
                worker = idle.pop() if idle else Worker(work, preload)
                worker.send(*following)
                busy[worker.connection] = worker
                following = next(coming, None)
                continue
            for connection in wait(list(busy)):
                worker = busy.pop(connection)
                ended = worker.ended()
                if ended.exit_code is None:
                    idle.append(worker)
                yield ended
    finally:
        for worker in busy.values():
            worker.interrupt()
        for worker in [*idle, *busy.values()]:
            worker.end()


def _serve(connection: Connection, work: Callable[[Any], Any]) -> None:
    """In the process: do what comes until nothing can come any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; what follows from it is for the first process to say
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    try:
        while True:
            job = connection.recv()
            with console.out.capture() as out, console.err.capture() as err:
                value = work(job)
            connection.send((value, out.get(), err.get()))
    except (EOFError, KeyboardInterrupt):
        return


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
