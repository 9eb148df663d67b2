"""Launches the runs of a sweep on this machine, one after another, several together or in several processes."""

import os
from collections.abc import Sequence

from hydra.core.utils import JobReturn, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from convexp.engines.hydra_job import ENGINE, NO_RESULT, JobRunner, jobs_of, preload_module, run_or_record
from convexp.engines.local.grouping import group_jobs
from convexp.engines.local.pool import run_parallel
from convexp.engines.local.slots import make_slots
from convexp.engines.results import collect
from convexp.terminal import console


def launch(
    context: HydraContext,
    task: TaskFunction,
    config: DictConfig,
    processes: int | None,
    overrides: Sequence[Sequence[str]],
    first: int,
    runs_per_gpu: int = 1,
    replicas: int | str = 1,
) -> list[JobReturn]:
    """Run one job for each list of overrides.

    Args:
        context: Hydra's context.
        task: The function that does one run.
        config: The configuration of the sweep.
        processes: See ``make_slots``.
        overrides: The overrides of each job.
        first: Number of the first job.
        runs_per_gpu: See ``make_slots``.
        replicas: See ``group_jobs``.

    Returns:
        What each job returned, in their order; nothing of one whose process was killed.
    """
    setup_globals()
    jobs = jobs_of(context, config, overrides, first)
    slots = make_slots(processes, runs_per_gpu, config)[: len(jobs)]
    reasons: dict[str, None] = {}
    groups = group_jobs(overrides, jobs, len(slots), replicas, reasons.setdefault)
    for reason in () if replicas == "auto" else reasons:
        console.out.print(f"hydra.launcher.replicas={replicas}: some runs are trained one by one ({reason})", markup=False)
    if slots == [{}] and len(groups) == len(jobs):
        return [run_or_record(context, task, _logging_as(config, job())) or NO_RESULT for job in jobs]
    engine = {ENGINE: os.environ.get(ENGINE, "processes")}  # if this process belongs to a job of Slurm's, so do the runs
    results = run_parallel(
        JobRunner.of_this_process(context, task), jobs, [engine | slot for slot in slots], preload_module(config), groups
    )
    return collect(results, jobs, config)


def _logging_as(sweep: DictConfig, job: DictConfig) -> DictConfig:
    """The configuration of a job with the logging of the sweep: in a process of somebody else that is none."""
    job.hydra.job_logging = sweep.hydra.job_logging
    return job
