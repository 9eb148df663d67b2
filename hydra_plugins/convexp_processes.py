"""The launcher, in the package in which Hydra looks for launchers; ``convexp.studies.launcher`` does its work."""

from collections.abc import Sequence

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from convexp.studies.launcher import launch
from convexp.studies.process_count import check_processes


class ProcessLauncher(Launcher):
    """Runs jobs in parallel processes, as many as the cores allow (conf/hydra/launcher/processes.yaml)."""

    def __init__(self, processes: int | None = None) -> None:
        self.processes = processes

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before ``launch``.

        Raises:
            ConfigError: if ``processes`` is neither None nor a positive integer.
        """
        check_processes(self.processes)
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Called by the sweeper: runs the jobs, and returns what each of them returned."""
        return launch(self.hydra_context, self.task_function, self.config, self.processes, job_overrides, initial_job_idx)
