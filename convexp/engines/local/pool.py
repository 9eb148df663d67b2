"""Jobs in several processes at the same time, each of which does one job or group of jobs after another."""

from collections.abc import Callable, Generator, Mapping, Sequence
from multiprocessing.connection import wait
from typing import Any

from convexp.engines.local.worker import Worker
from convexp.engines.results import JobResult


def run_parallel(
    work: Callable[[Any], Any],
    jobs: Sequence[Callable[[], Any]],
    slots: Sequence[Mapping[str, str]],
    preload: str,
    groups: Sequence[Sequence[int]] | None = None,
) -> Generator[JobResult]:
    """Call ``work`` with every job, one job or group at a time in each slot; yield the results in the order in which jobs end.

    A slot has a process, and a new one if that ends. Leaving the iteration interrupts the jobs that have not ended: in their
    processes SIGTERM raises KeyboardInterrupt, in a training once that is saved.

    Args:
        work: A picklable function of one job.
        jobs: Functions that make what is sent to a process; each is called here, shortly before it is sent.
        slots: Environment variables of the process of each slot, beside those of this process.
        preload: Name of the module that is imported once for all processes.
        groups: Indices of the jobs that are done together in one process (``convexp.machine.group``), in the order in which
            they begin; None if each is done by itself.
    """
    together = [(number,) for number in range(len(jobs))] if groups is None else groups
    pending = ((numbers, [jobs[number]() for number in numbers]) for numbers in together)
    following = next(pending, None)
    free = list(reversed(slots))  # the first one is taken first
    idle: list[Worker] = []
    busy: list[Worker] = []
    try:
        while following is not None or busy:
            if following is not None and (idle or free):
                worker = idle.pop() if idle else Worker(work, preload, free.pop())
                busy.append(worker)
                worker.send(*following)
                following = next(pending, None)
                continue
            # The connection alone does not tell that a process has ended: its own child processes hold it open, too.
            ready = wait([end for worker in busy for end in (worker.connection, worker.process.sentinel)])
            for worker in [w for w in busy if w.connection in ready or w.process.sentinel in ready]:
                results = worker.results()
                if not worker.is_busy:
                    busy.remove(worker)
                    if worker.process.is_alive():
                        idle.append(worker)
                    else:
                        free.append(worker.slot)
                yield from results
    finally:
        for worker in busy:
            worker.interrupt()
        for worker in [*idle, *busy]:
            worker.close()
