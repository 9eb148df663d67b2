"""A Hydra plugin, found by Hydra in this package: runs as jobs of Slurm. It calls ``convexp.engines.slurm``."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from convexp.engines.slurm.checks import check_slurm
from convexp.engines.slurm.launch import launch
from convexp.engines.slurm.settings import read_settings


class SlurmLauncher(Launcher):
    """Submits runs to Slurm (conf/hydra/launcher/slurm.yaml).

    Args:
        **settings: See ``convexp.engines.slurm.settings.SlurmSettings``.
    """

    def __init__(self, **settings: Any) -> None:
        self.settings: Any = OmegaConf.to_container(OmegaConf.create(settings))
        self._launch: Callable[[Sequence[Sequence[str]], int], Sequence[JobReturn]] | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before ``launch``.

        Raises:
            ConfigError: if a setting is wrong, submitit is not installed, or Slurm takes no such job.
        """
        settings = read_settings(self.settings)
        check_slurm(settings)
        self._launch = partial(launch, settings, hydra_context, task_function, config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Called by the sweeper: submits the runs, and returns what each of them returned, in their order."""
        assert self._launch is not None
        return self._launch(job_overrides, initial_job_idx)
