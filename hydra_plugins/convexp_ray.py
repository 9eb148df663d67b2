"""A Hydra plugin, found by Hydra in this package: runs as tasks of Ray. It calls ``convexp.engines.ray``."""

from functools import partial
from typing import Any

from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from convexp.engines.launcher import EngineLauncher, Launch


class RayLauncher(EngineLauncher):
    """Launches runs on a Ray of its own or on a cluster (conf/hydra/launcher/ray.yaml).

    Args:
        **settings: See ``convexp.engines.ray.settings.RaySettings``.
    """

    def __init__(self, **settings: Any) -> None:
        self.settings: Any = OmegaConf.to_container(OmegaConf.create(settings))

    def prepare(self, context: HydraContext, task: TaskFunction, config: DictConfig) -> Launch:
        """Check the settings, as ``EngineLauncher.prepare`` says.

        Raises:
            ConfigError: if a setting is wrong, Ray is not installed, or none answers at the address.
        """
        from convexp.engines.ray.launch import join_cluster, launch  # late: Hydra imports all plugins for every command
        from convexp.engines.ray.settings import read_settings

        settings = read_settings(self.settings)
        driver = join_cluster(settings, config)
        return partial(launch, settings, driver, context, task, config)
