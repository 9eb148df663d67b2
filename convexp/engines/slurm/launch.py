"""Launches the runs of a sweep in Slurm: submits them, and waits for them unless the sweep is detached."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from convexp.config.command_line.of_sweep import command_to_go_on
from convexp.engines.hydra_job import JobRunner
from convexp.engines.slurm.commands import JobState, cancel
from convexp.engines.slurm.job import RunSlice
from convexp.engines.slurm.logs import JobLogs
from convexp.engines.slurm.outcome import record_outcome
from convexp.engines.slurm.queue import held_runs, remove_pickles
from convexp.engines.slurm.runs import NamedRun, planned_runs
from convexp.engines.slurm.settings import SlurmSettings
from convexp.engines.slurm.submit import submit
from convexp.engines.slurm.wait import ended_jobs
from convexp.errors import ConvexpError
from convexp.records.markers import is_stopped
from convexp.terminal import console
from convexp.terminal.words import plural


def launch(
    settings: SlurmSettings,
    context: HydraContext,
    task: TaskFunction,
    config: DictConfig,
    overrides: Sequence[Sequence[str]],
    first: int,
) -> list[JobReturn]:
    """Do one run for each list of overrides in jobs of Slurm; one that a job of an earlier start holds is not submitted again.

    Args:
        settings: What the jobs ask for.
        context: Hydra's context.
        task: The function that does one run.
        config: The configuration of the sweep.
        overrides: The overrides of each run.
        first: Number of the first run.

    Returns:
        What each run returned, in their order; None for those that are not finished.

    Raises:
        ConvexpError: if Slurm refuses the jobs or does not answer.
        KeyboardInterrupt: if the sweep is interrupted, after its jobs were cancelled.
    """
    root = Path(config.hydra.sweep.dir)
    runs = planned_runs(context, config, overrides, first)
    jobs = _jobs_of(runs, root)
    earlier = set(jobs)
    held = {name for names in jobs.values() for name in names}
    new = [run for run in runs if run.name not in held]
    runner = JobRunner.of_this_process(context, task)
    jobs |= _submit(root, settings, runner, config, new)
    if settings.detach:
        collects = command_to_go_on(config, "hydra.launcher.detach")
        console.out.print(_detached(root, jobs, len(new), collects), markup=False)
        return [_returned(None) for _ in runs]
    values = _collect(root, jobs, JobLogs(root, earlier), config.get("on_failure") == "stop")
    return [_returned(values.get(run.name)) for run in runs]


def _jobs_of(runs: list[NamedRun], root: Path) -> dict[str, list[str]]:
    """The names of those runs that Slurm holds, by their jobs."""
    held = held_runs(root)
    jobs: dict[str, list[str]] = {}
    for run in runs:
        if run.name in held:
            jobs.setdefault(held[run.name][0], []).append(run.name)
    return jobs


def _submit(
    root: Path, settings: SlurmSettings, runner: JobRunner, config: DictConfig, runs: list[NamedRun]
) -> dict[str, list[str]]:
    size = settings.runs_per_job
    parts = [runs[start : start + size] for start in range(0, len(runs), size)]
    slices = [RunSlice(runner, config, [run.overrides for run in part], settings) for part in parts]
    return submit(root, settings, slices, [[run.name for run in part] for part in parts])


def _detached(root: Path, jobs: Collection[str], submitted: int, command: str) -> str:
    names = sorted(jobs)
    few = names if len(names) <= 2 else [names[0], "...", names[-1]]
    return (
        f"{plural(submitted, 'run')} submitted; Slurm has {plural(len(jobs), 'job')} of this sweep ({', '.join(few)}). "
        f"To look: convexp-status {console.display_path(root)}; to collect the results: {command}"
    )


def _collect(root: Path, jobs: dict[str, list[str]], logs: JobLogs, stops: bool) -> dict[str, float | None]:
    """Wait for the jobs; returns the best monitored value of each run."""
    values: dict[str, float | None] = {}

    def look(states: dict[str, JobState]) -> None:
        for job, state in states.items():
            if not state.waits:
                logs.relay(job)
        if is_stopped(root) and any(state.waits for state in states.values()):
            cancel(states, pending_only=True)  # on_failure=stop: they would start only to end at once

    try:
        for ended in console.track(ended_jobs(jobs, look), "jobs", len(jobs), delay=0):
            logs.relay(ended.job)
            values |= {run: record_outcome(root, run, ended, stops, logs.files(ended.job)) for run in jobs[ended.job]}
    except KeyboardInterrupt:
        _cancel(jobs)
        raise
    with suppress(ConvexpError):
        remove_pickles(root)
    return values


def _cancel(jobs: Collection[str]) -> None:
    """Cancel the jobs and wait until they have ended."""
    console.out.print("cancelling the jobs", markup=False)
    with suppress(ConvexpError):
        cancel(jobs)
        for _ in ended_jobs(jobs, lambda _: None):
            pass


def _returned(value: float | None) -> JobReturn:
    return JobReturn(_return_value=value, status=JobStatus.COMPLETED)
