"""The configurations of the runs of a sweep, composed without reading the same files again for each."""

import copy

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from convexp.config.ambiguity import check_unambiguous
from convexp.config.hydra_context import without_hydra
from convexp.config.sources import composed_sources
from convexp.studies.overrides import parse_override


class Composer:
    """Composes the configurations of the runs of a sweep.

    Hydra takes 0.2 s to compose one, most of it to choose and merge files. So files are merged once for every choice of
    options, and the values that differ besides are set in a copy.
    """

    def __init__(self, loader: ConfigLoader, master: DictConfig) -> None:
        self.loader = loader
        self.master = master
        self.sources = tuple(composed_sources(master))
        self._groups: dict[str, bool] = {}
        self._bases: dict[tuple[str, ...], DictConfig] = {}

    def compose(self, overrides: list[str]) -> DictConfig:
        """The configuration of a run with these overrides, without Hydra's own section.

        Raises:
            HydraException: as Hydra raises it.
        """
        cfg = copy.deepcopy(self._base(tuple(text for text in overrides if not self._is_value(parse_override(text)))))
        try:
            for override in filter(self._is_value, map(parse_override, overrides)):
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

    def _is_value(self, override: Override) -> bool:
        """Whether the override only sets a value that exists: it chooses no file, and adds and deletes nothing."""
        plain = not (override.is_add() or override.is_force_add() or override.is_delete() or override.package)
        return plain and not override.key_or_group.startswith("hydra") and not self._is_group(override.key_or_group)

    def _is_group(self, name: str) -> bool:
        if name not in self._groups:  # Hydra reads the folders
            self._groups[name] = bool(self.loader.get_group_options(name))
        return self._groups[name]
