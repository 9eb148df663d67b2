"""The configurations of the runs of a sweep, composed without reading the same files again for each."""

from contextlib import suppress
from typing import Any

from hydra.core.config_loader import ConfigLoader
from omegaconf import DictConfig

from convexp.config.ambiguity import check_unambiguous
from convexp.config.hydra_context import set_job_number, without_hydra
from convexp.config.load import resolve
from convexp.config.sources import composed_sources
from convexp.config.sweep_configs import SweepConfigs
from convexp.studies.template import Changes, Template, UnsuitableError, is_plain


class Composer:
    """Composes the configurations of the runs of a sweep.

    ``SweepConfigs`` merges files once for every choice of options. OmegaConf takes 8 ms to copy and to resolve a configuration,
    so that is done once for all runs in which the same settings differ, and for each only what depends on them (``Template``).
    """

    def __init__(self, loader: ConfigLoader, master: DictConfig) -> None:
        self.configs = SweepConfigs(loader, master)
        self.sources = tuple(composed_sources(master))
        self._bases: dict[tuple[str, ...], DictConfig] = {}
        self._templates: dict[tuple[object, ...], Template | None] = {}

    def values(self, number: int, overrides: list[str]) -> dict[Any, Any]:
        """The resolved values of a run, as ``convexp.config.load.resolve`` returns them.

        What the overrides do not reach is the same object in all runs, so it must not be changed.

        Args:
            number: ``${hydra:job.num}``.
            overrides: The overrides of the run.

        Raises:
            HydraException: as Hydra raises it.
            ConfigError: as ``resolve`` raises it.
        """
        choices, values = self.configs.split(overrides)
        changes = {override.key_or_group: override.value() for override in values}
        if len(changes) == len(values) and all(map(is_plain, changes.values())):
            with suppress(UnsuitableError):
                if template := self._template(choices, changes):
                    if template.asks_hydra:
                        set_job_number(number)
                    return template.values(changes)
        return resolve(self.compose(number, overrides))

    def _template(self, choices: tuple[str, ...], changes: Changes) -> Template | None:
        """The template for changes of these settings to values of these types; None if there is none."""
        key = (choices, *((setting, type(value)) for setting, value in changes.items()))
        if key not in self._templates:
            self._templates[key] = None
            self._templates[key] = Template(self._base(choices), changes)
        return self._templates[key]

    def compose(self, number: int, overrides: list[str]) -> DictConfig:
        """The configuration of a run, without Hydra's own section; ``${hydra:job.num}`` is ``number`` from now on.

        Raises:
            HydraException: as Hydra raises it.
            ConfigError: if two folders define the same option.
        """
        set_job_number(number)
        self._base(self.configs.split(overrides)[0])
        return without_hydra(self.configs.compose(overrides))

    def _base(self, overrides: tuple[str, ...]) -> DictConfig:
        if overrides not in self._bases:
            base = self.configs.base(overrides)
            check_unambiguous(base, base.hydra.job.config_name)
            self._bases[overrides] = without_hydra(base)
        return self._bases[overrides]
