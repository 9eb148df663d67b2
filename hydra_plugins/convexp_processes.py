"""Where Hydra looks for launchers; the processes themselves are in ``convexp.studies.processes``."""

from collections.abc import Sequence

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from convexp.studies.launching import check_processes, launch


class ProcessLauncher(Launcher):
    """Runs side by side, as many as the cores allow (conf/hydra/launcher/processes.yaml)."""

    def __init__(self, processes: int | None = None) -> None:
        self.processes = processes

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra; raises ConfigError if ``processes`` is no number of processes."""
        check_processes(self.processes)
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Called by the sweeper: do the jobs, return what each of them returned."""
        return launch(self.hydra_context, self.task_function, self.config, self.processes, job_overrides, initial_job_idx)
