"""Launches the runs of a sweep in the processes of joblib, which imports what a run needs in each of them."""

import os
from collections.abc import Callable, Generator, Sequence
from multiprocessing import parent_process
from typing import Any

from hydra.core.utils import JobReturn, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from convexp.engines.hydra_job import ENGINE, JobRunner, jobs_of
from convexp.engines.results import JobResult, collect
from convexp.errors import ConfigError
from convexp.machine.program import begin_program
from convexp.terminal import console


def check_jobs(n_jobs: object) -> None:
    """Check ``hydra.launcher.n_jobs``.

    Raises:
        ConfigError: if it is no number of jobs that joblib understands.
    """
    if type(n_jobs) is not int or n_jobs == 0:
        raise ConfigError(
            f"hydra.launcher.n_jobs={n_jobs}: should be a whole number from 1 on, or -1 for as many runs as there are cores"
        )


def launch(
    context: HydraContext,
    task: TaskFunction,
    config: DictConfig,
    n_jobs: int,
    overrides: Sequence[Sequence[str]],
    first: int,
) -> list[JobReturn]:
    """Run one job for each list of overrides.

    Args:
        context: Hydra's context.
        task: The function that does one run.
        config: The configuration of the sweep.
        n_jobs: Number of runs at the same time, as joblib reads it: ``-1`` for as many as there are cores.
        overrides: The overrides of each job.
        first: Number of the first job.

    Returns:
        What each job returned, in their order.

    Raises:
        TerminatedWorkerError: if a process was killed; joblib then ends the others, too.
    """
    setup_globals()
    jobs = jobs_of(context, config, overrides, first)
    return collect(_results(JobRunner.of_this_process(context, task), jobs, n_jobs), jobs, config)


def _results(work: JobRunner, jobs: Sequence[Callable[[], DictConfig]], n_jobs: int) -> Generator[JobResult]:
    """What the jobs return, in the order in which they end."""
    from joblib import Parallel, delayed

    # One at a time: of a batch that is killed, those that had finished would not be reported.
    settings: dict[str, Any] = {
        "backend": "loky",
        "return_as": "generator_unordered",
        "pre_dispatch": "n_jobs",
        "batch_size": 1,
    }
    results: Any = Parallel(n_jobs, **settings)(delayed(_work)(work, number, job()) for number, job in enumerate(jobs))
    yield from results


def _work(work: JobRunner, number: int, config: DictConfig) -> JobResult:
    """Do one job in a process of joblib's, or in this one if ``n_jobs=1``."""
    if parent_process() is not None:
        begin_program()
    os.environ.setdefault(ENGINE, "joblib")
    with console.out.capture() as out, console.err.capture() as err:
        value = work(config)
    return JobResult(number, value, out.get(), err.get())
