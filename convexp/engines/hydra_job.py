"""One run of a sweep as a job of Hydra: composed where the sweep was started, done there or in another process."""

import inspect
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobRuntime, JobStatus, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from hydra.version import VersionBase
from omegaconf import DictConfig, OmegaConf, open_dict

from convexp.config.sweep_configs import SweepConfigs
from convexp.machine import interruption
from convexp.machine.group import asked_for, in_group
from convexp.machine.own_states import each_its_own
from convexp.records.markers import mark_refused, mark_stopped
from convexp.terminal import console

ENGINE = "CONVEXP_ENGINE"  # environment variable of a process that does runs: the engine that it belongs to
NO_RESULT = JobReturn(_return_value=None, status=JobStatus.COMPLETED)  # of a job that could not be started, or was killed


def compose_job(configs: SweepConfigs, overrides: Sequence[str], number: int) -> DictConfig:
    """Compose the configuration of one job, with its number in the sweep, unless ``overrides`` set ``hydra.job.num``.

    Args:
        configs: What composes the configurations of the sweep.
        overrides: The overrides of the job.
        number: Its number.
    """
    found = configs.compose(overrides)
    with open_dict(found):
        if OmegaConf.is_missing(found.hydra.job, "num"):
            found.hydra.job.num = number
        found.hydra.job.id = str(found.hydra.job.num)
    return found


def preload_module(config: DictConfig) -> str:
    """Name of the module that imports all that the runs of a sweep need.

    Args:
        config: The configuration of the sweep.
    """
    return "convexp.execution.count_run" if config.get("only_costs") else "convexp.execution.preload"


def jobs_of(
    context: HydraContext, config: DictConfig, overrides: Sequence[Sequence[str]], first: int
) -> list[Callable[[], DictConfig]]:
    """Return for each list of overrides a function that composes the job: a sweep may be large, and each is needed late.

    Args:
        context: Hydra's context.
        config: The configuration of the sweep.
        overrides: The overrides of each job.
        first: Number of the first job.
    """
    configs = SweepConfigs(context.config_loader, config)
    return [partial(compose_job, configs, texts, first + i) for i, texts in enumerate(overrides)]


@dataclass(frozen=True)
class JobRunner:
    """Does jobs in a process in which Hydra has not been set up yet. It can be pickled.

    Attributes:
        context: Hydra's context.
        task: The function that does a run.
        name: The name of Hydra's application.
        version_base: The version of Hydra whose defaults apply.
    """

    context: HydraContext
    task: TaskFunction
    name: str
    version_base: Any

    @classmethod
    def of_this_process(cls, context: HydraContext, task: TaskFunction) -> "JobRunner":
        """Return one that does jobs as this process would."""
        # The task that Hydra holds is wrapped, and the wrapper cannot be pickled.
        return cls(context, inspect.unwrap(task), JobRuntime.instance().get("name"), VersionBase.instance().getbase())

    def __call__(self, config: DictConfig) -> JobReturn | None:
        """Do the job as ``run_or_record`` does."""
        self.set_up_hydra()
        asked_for.set(isinstance(OmegaConf.select(config, "hydra.launcher.replicas"), int))
        return run_or_record(self.context, self.task, config)

    def set_up_hydra(self) -> None:
        """Set up Hydra in this process as it was where this object was made."""
        setup_globals()
        VersionBase.instance().version_base = self.version_base  # or Hydra would change the working directory, as it used to
        JobRuntime.instance().set("name", self.name)


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
    except SystemExit as end:
        if not in_group() or interruption.noted():
            raise
        record_lost(config.hydra.sweep, f"it has ended itself (code {end.code})", config)
        return None
    except Exception as error:
        record_refused(config.hydra.sweep, f"{type(error).__name__}: {error}")
        return None


def record_ended(sweep: DictConfig, exit_code: int, config: DictConfig) -> None:
    """Report and record a run whose process has ended before the run did; its folder is as after any kill.

    Args:
        sweep: The section ``hydra.sweep`` of the run.
        exit_code: Exit code of the process; ``-9`` if it was killed by signal 9.
        config: The configuration of the sweep.
    """
    why = f"killed by {signal.Signals(-exit_code).name}, perhaps for want of memory" if exit_code < 0 else f"code {exit_code}"
    record_lost(sweep, f"its process has ended ({why})", config)


def record_lost(sweep: DictConfig, reason: str, config: DictConfig) -> None:
    """Report and record why a run has not come to its end, and stop the sweep if ``on_failure=stop``."""
    record_refused(sweep, reason)
    if config.get("on_failure") == "stop":
        mark_stopped(Path(sweep.dir))


def record_refused(sweep: DictConfig, reason: str) -> None:
    """Report and record why a run could not be done."""
    mark_refused(Path(sweep.dir), sweep.subdir, reason)
    console.print_error("convexp-train", f"{sweep.subdir}: {reason}")


def _own_config() -> Any:
    return HydraConfig.instance().cfg


def _restore_config(config: Any) -> None:
    HydraConfig.instance().cfg = config


each_its_own("configuration of Hydra", _own_config, _restore_config)
