"""A Hydra plugin, found by Hydra in this package: runs as tasks of Ray. It calls ``convexp.engines.ray``."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from convexp.engines.ray.launch import join_cluster, launch
from convexp.engines.ray.settings import read_settings


class RayLauncher(Launcher):
    """Launches runs on a Ray of its own or on a cluster (conf/hydra/launcher/ray.yaml).

    Args:
        **settings: See ``convexp.engines.ray.settings.RaySettings``.
    """

    def __init__(self, **settings: Any) -> None:
        self.settings: Any = OmegaConf.to_container(OmegaConf.create(settings))
        self._launch: Callable[[Sequence[Sequence[str]], int], Sequence[JobReturn]] | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before ``launch``.

        Raises:
            ConfigError: if a setting is wrong, Ray is not installed, or none answers at the address.
        """
        settings = read_settings(self.settings)
        driver = join_cluster(settings, config)
        self._launch = partial(launch, settings, driver, hydra_context, task_function, config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Called by the sweeper: runs the jobs, and returns what each of them returned, in their order."""
        assert self._launch is not None
        return self._launch(job_overrides, initial_job_idx)
