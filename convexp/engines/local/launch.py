"""Launches the runs of a sweep on this machine, one after another or in several processes."""

from collections.abc import Sequence
from contextlib import closing
from functools import partial

from hydra.core.utils import JobReturn, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from convexp.engines.hydra_job import NO_RESULT, JobRunner, compose_job, record_ended, run_or_record
from convexp.engines.local.pool import run_parallel
from convexp.engines.local.process_count import process_count
from convexp.terminal import console


def launch(
    context: HydraContext,
    task: TaskFunction,
    config: DictConfig,
    processes: int | None,
    overrides: Sequence[Sequence[str]],
    first: int,
) -> list[JobReturn]:
    """Run one job for each list of overrides.

    Args:
        context: Hydra's context.
        task: The function that does one run.
        config: The configuration of the sweep.
        processes: See ``process_count``.
        overrides: The overrides of each job.
        first: Number of the first job.

    Returns:
        What each job returned, in their order; None for a job whose process was killed.
    """
    setup_globals()
    jobs = [partial(compose_job, context, config, list(texts), first + i) for i, texts in enumerate(overrides)]
    count = min(process_count(processes, config), len(jobs))
    if count <= 1:
        return [run_or_record(context, task, _logging_as(config, job())) or NO_RESULT for job in jobs]
    preload = "convexp.execution.count_run" if config.get("only_costs") else "convexp.execution.training_run"
    returned: dict[int, JobReturn] = {}
    with closing(run_parallel(JobRunner.of_this_process(context, task), jobs, count, preload)) as results:
        try:
            for result in console.track(results, "runs", len(jobs), delay=0):
                console.relay(result.out, result.err)
                if result.exit_code is not None:
                    record_ended(jobs[result.number]().hydra.sweep, result.exit_code, config)
                returned[result.number] = result.value or NO_RESULT
        except KeyboardInterrupt:
            console.out.print("interrupted; start the same command again to resume")
            raise
    return [returned[number] for number in range(len(jobs))]


def _logging_as(sweep: DictConfig, job: DictConfig) -> DictConfig:
    """The configuration of a job with the logging of the sweep: in a process of somebody else that is none."""
    job.hydra.job_logging = sweep.hydra.job_logging
    return job
