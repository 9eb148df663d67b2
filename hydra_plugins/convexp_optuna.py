"""A Hydra plugin, found by Hydra in this package: a sweeper that searches. It calls ``convexp.studies.search``."""

from collections.abc import Callable
from functools import partial
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from convexp.config.checks.packages import check_package


class OptunaSweeper(Sweeper):
    """Searches settings with Optuna, with any launcher (conf/hydra/sweeper/optuna.yaml)."""

    def __init__(self, params: dict[str, str] | None = None, **settings: Any) -> None:
        self.params = params or {}
        self.settings = settings
        self._search: Callable[[list[str]], Any] | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra before ``sweep``: checks the settings, and creates the launcher.

        Raises:
            ConfigError: if Optuna is not installed, or a setting is wrong.
        """
        check_package("hydra/sweeper=optuna", "optuna")
        from convexp.studies.search.search import search  # imports Optuna
        from convexp.studies.search.settings import read_settings

        settings = read_settings(self.settings)
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )
        self._search = partial(search, settings, config, hydra_context.config_loader, launcher)

    def sweep(self, arguments: list[str]) -> Any:
        """Called by Hydra with the overrides of the command line: asks for trials and launches their runs."""
        assert self._search is not None
        return self._search([*(f"{key}={value}" for key, value in self.params.items()), *arguments])
