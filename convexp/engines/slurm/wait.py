"""Wait for jobs of Slurm."""

import time
from collections.abc import Callable, Collection, Generator
from typing import NamedTuple

from convexp.engines.slurm.commands import JobState, job_states, last_state
from convexp.errors import ConvexpError
from convexp.terminal import console

SHORTEST, LONGEST, GROWTH = 1.0, 10.0, 1.2  # seconds between two questions to Slurm, of which a cluster has many to answer
USUAL = ("None", "Priority", "Resources", "JobArrayTaskLimit", "BeginTime", "Dependency")  # reasons for waiting that pass


class EndedJob(NamedTuple):
    """A job that has ended.

    Attributes:
        job: What Slurm calls it.
        state: The state in which it ended, such as ``COMPLETED``.
    """

    job: str
    state: str


def ended_jobs(jobs: Collection[str], look: Callable[[dict[str, JobState]], None]) -> Generator[EndedJob]:
    """Yield jobs as they end. While Slurm does not answer, they are taken to go on.

    Args:
        jobs: The jobs.
        look: Called with the state of each job that goes on or has just ended, whenever Slurm was asked.
    """
    left = set(jobs)
    told: set[str] = set()
    pause = SHORTEST
    while left:
        try:
            states = job_states(left)
        except ConvexpError as error:
            _tell(f"Slurm does not answer ({error}); asking again", told)
            time.sleep(LONGEST)
            continue
        for reason in {state.reason for state in states.values() if state.waits} - {*USUAL}:
            _tell(f"Slurm: jobs wait ({reason})", told)
        look(states)
        ended = [job for job in sorted(left) if job not in states or states[job].has_ended]
        for job in ended:
            left.remove(job)
            yield EndedJob(job, states[job].name if job in states else last_state(job))
        pause = SHORTEST if ended else min(pause * GROWTH, LONGEST)
        if left:
            time.sleep(pause)


def _tell(line: str, told: set[str]) -> None:
    """Print a line once."""
    if line not in told:
        told.add(line)
        with console.above_progress_bar():
            console.out.print(line, markup=False)
