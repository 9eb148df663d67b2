"""A Hydra plugin, found by Hydra in this package: runs as jobs of Slurm. It calls ``convexp.engines.slurm``."""

from functools import partial
from typing import Any

from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from convexp.engines.launcher import EngineLauncher, Launch


class SlurmLauncher(EngineLauncher):
    """Submits runs to Slurm (conf/hydra/launcher/slurm.yaml).

    Args:
        **settings: See ``convexp.engines.slurm.settings.SlurmSettings``.
    """

    def __init__(self, **settings: Any) -> None:
        self.settings: Any = OmegaConf.to_container(OmegaConf.create(settings))

    def prepare(self, context: HydraContext, task: TaskFunction, config: DictConfig) -> Launch:
        """Check the settings, as ``EngineLauncher.prepare`` says.

        Raises:
            ConfigError: if a setting is wrong, submitit is not installed, or Slurm takes no such job.
        """
        from convexp.engines.slurm.checks import check_slurm  # late: Hydra imports all plugins for every command
        from convexp.engines.slurm.launch import launch
        from convexp.engines.slurm.settings import read_settings

        settings = read_settings(self.settings)
        check_slurm(settings)
        return partial(launch, settings, context, task, config)
