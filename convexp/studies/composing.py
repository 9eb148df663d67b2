"""Configurations of many runs at once."""

import copy

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from convexp.config.hydra_values import without_hydra
from convexp.studies.grid import parse


class Composer:
    """Composes the configurations of a sweep.

    Hydra takes 0.2 s for one, most of it for choosing and merging files. So that is done once for every choice of groups,
    and what else differs are values, which are set in a copy.
    """

    def __init__(self, loader: ConfigLoader, master: DictConfig) -> None:
        self.loader = loader
        self.master = master
        self._groups: dict[str, bool] = {}
        self._bases: dict[tuple[str, ...], DictConfig] = {}

    def settings(self, overrides: list[str]) -> DictConfig:
        """What a run is told that Hydra's launchers start with ``overrides``.

        Raises:
            HydraException: as Hydra does.
        """
        cfg = copy.deepcopy(self._base(tuple(text for text in overrides if not self._is_value(parse(text)))))
        try:
            for override in filter(self._is_value, map(parse, overrides)):
                OmegaConf.update(cfg, override.key_or_group, override.value(), merge=True)
        except OmegaConfBaseException:  # Hydra says it better
            return without_hydra(self.whole(overrides))
        return cfg

    def whole(self, overrides: list[str]) -> DictConfig:
        """The same with Hydra's own part, as Hydra composes it."""
        return self.loader.load_sweep_config(self.master, overrides)

    def _base(self, overrides: tuple[str, ...]) -> DictConfig:
        if overrides not in self._bases:
            self._bases[overrides] = without_hydra(self.whole(list(overrides)))
        return self._bases[overrides]

    def _is_value(self, override: Override) -> bool:
        """Whether it sets a value that is there, and chooses no file, adds nothing and deletes nothing."""
        plain = not (override.is_add() or override.is_force_add() or override.is_delete() or override.package)
        return plain and not override.key_or_group.startswith("hydra") and not self._is_group(override.key_or_group)

    def _is_group(self, name: str) -> bool:
        if name not in self._groups:  # Hydra looks into the folders
            self._groups[name] = bool(self.loader.get_group_options(name))
        return self._groups[name]
