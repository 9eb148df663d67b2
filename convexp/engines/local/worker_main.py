"""What a worker process runs: one job or group of jobs after another, until the process that started it has no more."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from convexp.machine import interruption
from convexp.terminal import console
from convexp.terminal.streams import lenient_output

# On Linux workers are forked from one server that has made the imports: they are paid for once, and their memory is shared.
# On macOS the libraries that torch links do not survive a fork.
FORKSERVER = sys.platform == "linux"

SIGNALS = {signal.SIGINT, signal.SIGTERM}
# Slurm sends it to every process of a job shortly before the end of its time. What it means is for the first one to decide.
NOTICE = {signal.SIGUSR2}


@lenient_output()
def worker_main(connection: Connection, work: Callable[[Any], Any], environment: dict[str, str]) -> None:
    """Receive lists of jobs, each done as a group, and send for each job its index in the list, what ``work`` returned and what
    it wrote to stdout and stderr.

    SIGTERM raises KeyboardInterrupt in the job: at once, or, while a network is trained, once that is saved.

    Args:
        connection: Connection to the process that started this one.
        work: Does a job.
        environment: The environment of that process, which may have changed since the server was started.
    """
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the group; the first one decides
    signal.signal(signal.SIGTERM, interruption.interrupt)
    with suppress(KeyboardInterrupt):
        if FORKSERVER:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        threading.Thread(target=_end_with_the_parent, daemon=True).start()
        while (jobs := _receive(connection)) is not None:
            for done in do_together(work, jobs):
                with suppress(OSError):  # nobody waits for it any more
                    connection.send(done)


def do_together(work: Callable[[Any], Any], jobs: Sequence[Any]) -> Generator[tuple[int, Any, str, str]]:
    """Do jobs, several as a group, and yield for each its index, what it returned and what it wrote, as soon as it has ended.

    Args:
        work: Does a job.
        jobs: The jobs.
    """
    texts = [("", "") for _ in jobs]

    @contextmanager
    def noted(index: int) -> Generator[None]:
        with console.out.capture() as out, console.err.capture() as err:
            yield
        texts[index] = texts[index][0] + out.get(), texts[index][1] + err.get()

    if len(jobs) == 1:
        with noted(0):
            value = work(jobs[0])
        yield 0, value, *texts[0]
        return
    from convexp.machine.group import run_group  # greenlets are imported only where there is a group

    for index, value in run_group([partial(work, job) for job in jobs], noted):
        yield index, value, *texts[index]


def _receive(connection: Connection) -> Any:
    """The next jobs; None if the connection is closed."""
    try:
        return connection.recv()
    except (EOFError, OSError):
        return None


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
