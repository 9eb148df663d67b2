"""A Hydra plugin, found by Hydra in this package: the launcher of convexp. It calls ``convexp.engines.local``."""

from collections.abc import Callable, Sequence
from functools import partial

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from convexp.engines.local.launch import launch
from convexp.engines.local.process_count import check_processes


class ProcessLauncher(Launcher):
    """Launches runs in parallel processes, as many as the cores allow (conf/hydra/launcher/processes.yaml)."""

    def __init__(self, processes: int | None = None) -> None:
        self.processes = processes
        self._launch: Callable[[Sequence[Sequence[str]], int], Sequence[JobReturn]] | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before ``launch``.

        Raises:
            ConfigError: if ``processes`` is not a number of processes.
        """
        check_processes(self.processes)
        self._launch = partial(launch, hydra_context, task_function, config, self.processes)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Called by the sweeper: runs the jobs, and returns what each of them returned, in their order."""
        assert self._launch is not None
        return self._launch(job_overrides, initial_job_idx)
