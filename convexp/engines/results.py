"""What comes back from processes that do runs: it is printed here, where the sweep was started."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from hydra.core.utils import JobReturn
from omegaconf import DictConfig

from convexp.engines.failures import FailureCount
from convexp.engines.hydra_job import NO_RESULT, record_ended, record_lost
from convexp.terminal import console


@dataclass(frozen=True)
class JobResult:
    """The result of a job.

    Attributes:
        number: Index of the job.
        value: What the job returned.
        out: What the job wrote to the standard output.
        err: What the job wrote to the standard error.
        exit_code: None, or the exit code of the process if it ended during the job (-9 if it was killed).
        lost: None, or why an engine has given the job up.
    """

    number: int
    value: Any = None
    out: str = ""
    err: str = ""
    exit_code: int | None = None
    lost: str | None = None


def collect(results: Generator[JobResult], jobs: Sequence[Callable[[], DictConfig]], config: DictConfig) -> list[JobReturn]:
    """Print what the jobs of a sweep write, in the order in which they end, and record those whose process has ended.

    Args:
        results: What comes back; closed at the end, whatever happens.
        jobs: Functions that compose the configuration of each job.
        config: The configuration of the sweep.

    Returns:
        What each job returned, in the order of ``jobs``; nothing of one whose process has ended.

    Raises:
        KeyboardInterrupt: if the sweep is interrupted.
    """
    returned: dict[int, JobReturn] = {}
    with closing(results):
        for result in console.track(results, "runs", len(jobs), delay=0, note=FailureCount().note):
            console.relay(result.out, result.err)
            if result.exit_code is not None:
                record_ended(jobs[result.number]().hydra.sweep, result.exit_code, config)
            if result.lost is not None:
                record_lost(jobs[result.number]().hydra.sweep, result.lost, config)
            returned[result.number] = result.value or NO_RESULT
    return [returned[number] for number in range(len(jobs))]
