"""Launches the runs of a sweep, one after another or in several processes."""

import inspect
import signal
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobRuntime, JobStatus, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from hydra.version import VersionBase
from omegaconf import DictConfig, OmegaConf, open_dict

from convexp.studies.markers import mark_refused, mark_stopped
from convexp.studies.pool import run_parallel
from convexp.studies.process_count import process_count
from convexp.terminal import console

NO_RESULT = JobReturn(_return_value=None, status=JobStatus.COMPLETED)  # of a job that could not be started, or was killed


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
    # The task that Hydra holds is wrapped, and the wrapper cannot be pickled.
    base = VersionBase.instance().getbase()
    work = partial(run_in_worker, context, inspect.unwrap(task), JobRuntime.instance().get("name"), base)
    preload = "convexp.execution.count_run" if config.get("only_costs") else "convexp.execution.training_run"
    returned: dict[int, JobReturn] = {}
    with closing(run_parallel(work, jobs, count, preload)) as results:
        try:
            for result in console.track(results, "runs", len(jobs), delay=0):
                console.relay(result.out, result.err)
                if result.exit_code is not None:
                    _record_killed(jobs[result.number]().hydra.sweep, result.exit_code, config)
                returned[result.number] = result.value or NO_RESULT
        except KeyboardInterrupt:
            console.out.print("interrupted; start the same command again to resume")
            raise
    return [returned[number] for number in range(len(jobs))]


def compose_job(context: HydraContext, config: DictConfig, overrides: list[str], number: int) -> DictConfig:
    """The configuration of one job, with its number in the sweep, unless ``overrides`` set ``hydra.job.num``."""
    found = context.config_loader.load_sweep_config(config, overrides)
    with open_dict(found):
        if OmegaConf.is_missing(found.hydra.job, "num"):
            found.hydra.job.num = number
        found.hydra.job.id = str(found.hydra.job.num)
    return found


def _logging_as(sweep: DictConfig, job: DictConfig) -> DictConfig:
    """The configuration of a job with the logging of the sweep: in a process of somebody else that is none."""
    job.hydra.job_logging = sweep.hydra.job_logging
    return job


def run_in_worker(context: HydraContext, task: TaskFunction, name: str, base: Any, config: DictConfig) -> JobReturn | None:
    """``run_or_record`` in a process in which Hydra has not been set up yet."""
    setup_globals()
    VersionBase.instance().version_base = base  # or Hydra would change the working directory, as its oldest versions did
    JobRuntime.instance().set("name", name)
    return run_or_record(context, task, config)


def run_or_record(context: HydraContext, task: TaskFunction, config: DictConfig) -> JobReturn | None:
    """Run one job in this process; if it cannot even be started, report and record that, and return None."""
    try:
        HydraConfig.instance().set_config(config)
        return run_job(
            hydra_context=context,
            task_function=task,
            config=config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )
    except Exception as error:
        _record_refused(config.hydra.sweep, f"{type(error).__name__}: {error}")
        return None


def _record_killed(sweep: DictConfig, exit_code: int, config: DictConfig) -> None:
    """Report and record a run whose process has ended; its folder is as after any kill."""
    why = f"killed by {signal.Signals(-exit_code).name}, perhaps for want of memory" if exit_code < 0 else f"code {exit_code}"
    _record_refused(sweep, f"its process has ended ({why})")
    if config.get("on_failure") == "stop":
        mark_stopped(Path(sweep.dir))


def _record_refused(sweep: DictConfig, reason: str) -> None:
    mark_refused(Path(sweep.dir), sweep.subdir, reason)
    console.print_error("convexp-train", f"{sweep.subdir}: {reason}")
