"""What the launchers of convexp have in common, as Hydra calls them."""

from abc import abstractmethod
from collections.abc import Callable, Sequence

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

Launch = Callable[[Sequence[Sequence[str]], int], Sequence[JobReturn]]


class EngineLauncher(Launcher):
    """A launcher that checks its settings before anything is written, and launches later."""

    _launch: Launch | None = None

    @abstractmethod
    def prepare(self, context: HydraContext, task: TaskFunction, config: DictConfig) -> Launch:
        """Check the settings.

        Args:
            context: Hydra's context.
            task: The function that does one run.
            config: The configuration of the sweep.

        Returns:
            A function of the overrides of each job and of the number of the first job. It returns what each job returned, in
            their order.

        Raises:
            ConfigError: if a setting is wrong.
        """

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before ``launch``; raises as ``prepare`` does."""
        self._launch = self.prepare(hydra_context, task_function, config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Called by the sweeper: runs the jobs, and returns what each of them returned, in their order."""
        assert self._launch is not None
        return self._launch(job_overrides, initial_job_idx)
