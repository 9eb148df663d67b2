"""The runs of a sweep, one after another or side by side."""

import inspect
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobRuntime, JobStatus, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from convexp.errors import ConfigError
from convexp.studies.markers import note_refusal, stop
from convexp.studies.processes import side_by_side
from convexp.terminal import console

NOTHING = JobReturn(_return_value=None, status=JobStatus.COMPLETED)  # of a job that could not be begun, or was killed
DEVICES = ("/dev/nvidiactl", "/dev/kfd")  # of NVIDIA's and of AMD's drivers


def launch(
    context: HydraContext,
    task: TaskFunction,
    config: DictConfig,
    processes: int | None,
    overrides: Sequence[Sequence[str]],
    first: int,
) -> list[JobReturn]:
    """Do the jobs, each told by ``overrides`` and numbered from ``first``; see ``how_many`` for ``processes``.

    Returns what each returned, in their order; None for one whose process has been killed.
    """
    setup_globals()
    jobs = [partial(composed, context, config, list(said), first + i) for i, said in enumerate(overrides)]
    count = min(how_many(processes, config), len(jobs))
    if count <= 1:
        return [perform_or_note(context, task, job()) or NOTHING for job in jobs]
    # What Hydra got is wrapped, and the wrapper cannot be sent to a process.
    work = partial(perform_elsewhere, context, inspect.unwrap(task), JobRuntime.instance().get("name"))
    preload = "convexp.execution.count" if config.get("only_costs") else "convexp.execution.experiment"
    done: dict[int, JobReturn] = {}
    with closing(side_by_side(work, jobs, count, preload)) as ending:
        try:
            for ended in console.track(ending, "runs", len(jobs), delay=0):
                console.say(ended.out, ended.err)
                if ended.exit_code is not None:
                    _note_killed(jobs[ended.number]().hydra.sweep, ended.exit_code, config)
                done[ended.number] = ended.value or NOTHING
        except KeyboardInterrupt:
            console.out.print("interrupted; to go on, start it again")
            raise
    return [done[number] for number in range(len(jobs))]


def _note_killed(sweep: DictConfig, exit_code: int, config: DictConfig) -> None:
    """A run whose process is gone: what it has left lies in its folder as after any kill."""
    why = f"killed by {signal.Signals(-exit_code).name}, perhaps for want of memory" if exit_code < 0 else f"code {exit_code}"
    _note_lost(sweep, f"its process has ended ({why})")
    if config.get("on_failure") == "stop":
        stop(Path(sweep.dir))


def _note_lost(sweep: DictConfig, reason: str) -> None:
    note_refusal(Path(sweep.dir), sweep.subdir, reason)
    console.complain("convexp-train", f"{sweep.subdir}: {reason}")


def check_processes(processes: object) -> None:
    """Raises ConfigError if ``processes`` is no number of processes."""
    if processes is not None and (type(processes) is not int or processes < 1):
        raise ConfigError(f"hydra.launcher.processes={processes}: should be a whole number from 1 on, or null")


def how_many(processes: int | None, config: DictConfig) -> int:
    """Processes at the same time: as asked for, or so that their threads do not outnumber the cores (at least one).

    On a GPU, or where there may be one to choose, that is one: how many it holds is for the user to say.
    """
    threads = OmegaConf.select(config, "trainer.threads")
    on_cpu = {"cpu": True, "auto": not may_have_gpu()}.get(str(OmegaConf.select(config, "trainer.accelerator")), False)
    if processes is not None or not on_cpu or type(threads) is not int or threads < 1:
        return processes or 1
    from joblib import cpu_count  # knows of containers that may not use all cores; imported only where something runs

    return max(1, cpu_count() // threads)


def may_have_gpu() -> bool:
    """Whether torch may find a GPU, which it takes seconds to ask it."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return False
    return sys.platform == "darwin" or shutil.which("nvidia-smi") is not None or any(map(os.path.exists, DEVICES))


def composed(context: HydraContext, config: DictConfig, overrides: list[str], number: int) -> DictConfig:
    """The configuration of one job; ours are told their number in the sweep, of which some may be done already."""
    found = context.config_loader.load_sweep_config(config, overrides)
    with open_dict(found):
        if OmegaConf.is_missing(found.hydra.job, "num"):
            found.hydra.job.num = number
        found.hydra.job.id = str(found.hydra.job.num)
    return found


def perform(context: HydraContext, task: TaskFunction, config: DictConfig) -> JobReturn:
    """One job, here."""
    HydraConfig.instance().set_config(config)
    return run_job(
        hydra_context=context,
        task_function=task,
        config=config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )


def perform_elsewhere(context: HydraContext, task: TaskFunction, name: str, config: DictConfig) -> JobReturn | None:
    """``perform_or_note`` in a process that knows nothing of Hydra yet."""
    setup_globals()
    JobRuntime.instance().set("name", name)
    return perform_or_note(context, task, config)


def perform_or_note(context: HydraContext, task: TaskFunction, config: DictConfig) -> JobReturn | None:
    """One job; None if it could not even be begun, and that is said and noted."""
    try:
        return perform(context, task, config)
    except Exception as error:
        _note_lost(config.hydra.sweep, f"{type(error).__name__}: {error}")
        return None
