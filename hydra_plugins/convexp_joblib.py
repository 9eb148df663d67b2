"""A Hydra plugin, found by Hydra in this package: a launcher on joblib. It calls ``convexp.engines.joblib``."""

from collections.abc import Callable, Sequence
from functools import partial

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from convexp.engines.joblib import check_jobs, launch


class JoblibLauncher(Launcher):
    """Launches runs in the processes of joblib (conf/hydra/launcher/joblib.yaml)."""

    def __init__(self, n_jobs: int = -1) -> None:
        self.n_jobs = n_jobs
        self._launch: Callable[[Sequence[Sequence[str]], int], Sequence[JobReturn]] | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before ``launch``.

        Raises:
            ConfigError: if ``n_jobs`` is not a number of jobs.
        """
        check_jobs(self.n_jobs)
        self._launch = partial(launch, hydra_context, task_function, config, self.n_jobs)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Called by the sweeper: runs the jobs, and returns what each of them returned, in their order."""
        assert self._launch is not None
        return self._launch(job_overrides, initial_job_idx)
