"""A Hydra plugin, found by Hydra in this package: the sweeper of convexp. It calls ``convexp.studies.sweep``."""

from collections.abc import Callable
from functools import partial
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class GridSweeper(Sweeper):
    """Runs all points of the grid of a study and of the command line, with any launcher (conf/hydra/sweeper/grid.yaml)."""

    def __init__(self, params: dict[str, str] | None = None) -> None:
        self.params = params or {}
        self._sweep: Callable[[list[str]], Any] | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before ``sweep``: creates the launcher."""
        from convexp.studies.sweep import sweep  # late: Hydra imports all plugins for every command

        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )
        self._sweep = partial(sweep, config, hydra_context.config_loader, launcher)

    def sweep(self, arguments: list[str]) -> Any:
        """Called by Hydra with the overrides of the command line: plans the runs and launches those that are not finished."""
        assert self._sweep is not None
        return self._sweep([*(f"{key}={value}" for key, value in self.params.items()), *arguments])
