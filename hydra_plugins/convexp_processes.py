"""A Hydra plugin, found by Hydra in this package: the launcher of convexp. It calls ``convexp.engines.local``."""

from collections.abc import Callable, Sequence
from functools import partial

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from convexp.engines.local.launch import launch
from convexp.engines.local.slots import check_local


class ProcessLauncher(Launcher):
    """Launches runs in parallel processes, as many as GPUs and cores allow (conf/hydra/launcher/processes.yaml)."""

    def __init__(self, processes: int | None = None, runs_per_gpu: int = 1) -> None:
        self.processes = processes
        self.runs_per_gpu = runs_per_gpu
        self._launch: Callable[[Sequence[Sequence[str]], int], Sequence[JobReturn]] | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before ``launch``.

        Raises:
            ConfigError: if ``processes`` or ``runs_per_gpu`` is not a number of runs, or there is no GPU to pack them on.
        """
        check_local(self.processes, self.runs_per_gpu, config)
        self._launch = partial(launch, hydra_context, task_function, config, self.processes, runs_per_gpu=self.runs_per_gpu)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Called by the sweeper: runs the jobs, and returns what each of them returned, in their order."""
        assert self._launch is not None
        return self._launch(job_overrides, initial_job_idx)
