"""Groups of runs in the process of the tests, which has made the imports."""

from convexp.engines.local.worker_main import do_together
from convexp.engines.results import JobResult


def in_this_process(work, jobs, _slots, _preload, groups):
    """As ``convexp.engines.local.pool.run_parallel``, one group after another."""
    for numbers in groups:
        for index, *done in do_together(work, [jobs[number]() for number in numbers]):
            yield JobResult(numbers[index], *done)
