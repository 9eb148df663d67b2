"""A Hydra plugin, found by Hydra in this package: the launcher of convexp. It calls ``convexp.engines.local``."""

from functools import partial

from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from convexp.engines.launcher import EngineLauncher, Launch


class ProcessLauncher(EngineLauncher):
    """Launches runs in parallel processes, as many as GPUs and cores allow (conf/hydra/launcher/processes.yaml)."""

    def __init__(self, processes: int | None = None, runs_per_gpu: int = 1, replicas: int | str = 1) -> None:
        self.processes = processes
        self.runs_per_gpu = runs_per_gpu
        self.replicas = replicas

    def prepare(self, context: HydraContext, task: TaskFunction, config: DictConfig) -> Launch:
        """Check the settings, as ``EngineLauncher.prepare`` says.

        Raises:
            ConfigError: if a setting is not a number of runs, or there is no GPU to pack them on.
        """
        from convexp.engines.local.grouping import check_replicas  # late: Hydra imports all plugins for every command
        from convexp.engines.local.launch import launch
        from convexp.engines.local.slots import check_local

        check_local(self.processes, self.runs_per_gpu, config)
        check_replicas(self.replicas)
        settings = {"runs_per_gpu": self.runs_per_gpu, "replicas": self.replicas}
        return partial(launch, context, task, config, self.processes, **settings)
