"""A Hydra plugin, found by Hydra in this package: a launcher on joblib. It calls ``convexp.engines.joblib``."""

from functools import partial

from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from convexp.engines.launcher import EngineLauncher, Launch


class JoblibLauncher(EngineLauncher):
    """Launches runs in the processes of joblib (conf/hydra/launcher/joblib.yaml)."""

    def __init__(self, n_jobs: int = -1) -> None:
        self.n_jobs = n_jobs

    def prepare(self, context: HydraContext, task: TaskFunction, config: DictConfig) -> Launch:
        """Check the settings, as ``EngineLauncher.prepare`` says.

        Raises:
            ConfigError: if ``n_jobs`` is not a number of jobs.
        """
        from convexp.engines.joblib import check_jobs, launch  # late: Hydra imports all plugins for every command

        check_jobs(self.n_jobs)
        return partial(launch, context, task, config, self.n_jobs)
