"""The configurations of the runs of a sweep, composed without reading the same files again for each."""

import copy
from contextlib import suppress
from typing import Any

from hydra.core.config_loader import ConfigLoader
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from convexp.config.ambiguity import check_unambiguous
from convexp.config.hydra_context import set_job_number, without_hydra
from convexp.config.load import resolve
from convexp.config.sources import composed_sources
from convexp.studies.overrides import parse_override
from convexp.studies.template import Changes, Template, UnsuitableError, is_plain


class Composer:
    """Composes the configurations of the runs of a sweep.

    Hydra takes 0.2 s to compose one, most of it to choose and merge files. So files are merged once for every choice of
    options, and the values that differ besides are set in a copy. OmegaConf takes 8 ms to copy and to resolve one, so that is
    done once for all runs in which the same settings differ, and for each only what depends on them (``Template``).
    """

    def __init__(self, loader: ConfigLoader, master: DictConfig) -> None:
        self.loader = loader
        self.master = master
        self.sources = tuple(composed_sources(master))
        self._groups: dict[str, bool] = {}
        self._are_values: dict[str, bool] = {}
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
        choices = tuple(text for text in overrides if not self._is_value(text))
        values = [parse_override(text) for text in overrides if self._is_value(text)]
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
        """
        set_job_number(number)
        cfg = copy.deepcopy(self._base(tuple(text for text in overrides if not self._is_value(text))))
        try:
            for override in map(parse_override, filter(self._is_value, overrides)):
                OmegaConf.update(cfg, override.key_or_group, override.value(), merge=True)
        except OmegaConfBaseException:  # Hydra's message is better
            return without_hydra(self.with_hydra(overrides))
        return cfg

    def with_hydra(self, overrides: list[str]) -> DictConfig:
        """The configuration with Hydra's own section, as Hydra composes it."""
        return self.loader.load_sweep_config(self.master, overrides)

    def _base(self, overrides: tuple[str, ...]) -> DictConfig:
        if overrides not in self._bases:
            base = self.with_hydra(list(overrides))
            check_unambiguous(base, base.hydra.job.config_name)
            self._bases[overrides] = without_hydra(base)
        return self._bases[overrides]

    def _is_value(self, text: str) -> bool:
        """Whether the override only sets a value that exists: it chooses no file, and adds and deletes nothing."""
        if text not in self._are_values:
            override = parse_override(text)
            plain = not (override.is_add() or override.is_force_add() or override.is_delete() or override.package)
            name = override.key_or_group
            self._are_values[text] = plain and not name.startswith("hydra") and not self._is_group(name)
        return self._are_values[text]

    def _is_group(self, name: str) -> bool:
        if name not in self._groups:  # Hydra reads the folders
            self._groups[name] = bool(self.loader.get_group_options(name))
        return self._groups[name]
