"""The configurations of the runs of a sweep as Hydra composes them, without merging the same files again for each."""

import copy
from collections.abc import Sequence
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from convexp.config.command_line.override import parse_override

OF_EACH_RUN = ("hydra.sweep.subdir", "hydra.job.num")  # of Hydra's own settings; others may change how it composes


class SweepConfigs:
    """Composes configurations with Hydra's own section, as ``load_sweep_config`` of Hydra's loader does.

    That takes 0.12 s, most of it to choose and merge files. Here files are merged once for every choice of options, and the
    values that differ besides are set in a copy, which takes 0.012 s.

    Args:
        loader: Hydra's loader.
        master: The configuration of the sweep.
    """

    def __init__(self, loader: ConfigLoader, master: DictConfig) -> None:
        self.loader = loader
        self.master = master
        self._groups: dict[str, bool] = {}
        self._are_values: dict[str, bool] = {}
        self._bases: dict[tuple[str, ...], DictConfig] = {}

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """The configuration of a run with these overrides.

        Raises:
            HydraException: as Hydra raises it.
            ConfigError: if an override cannot be read.
        """
        choices, values = self.split(overrides)
        cfg = copy.deepcopy(self.base(choices))
        try:
            for override in values:
                OmegaConf.update(cfg, override.key_or_group, override.value(), merge=True)
        except OmegaConfBaseException:  # Hydra's message is better
            return self.loader.load_sweep_config(self.master, list(overrides))
        self._note_overrides(cfg, overrides)
        return cfg

    def split(self, overrides: Sequence[str]) -> tuple[tuple[str, ...], list[Override]]:
        """The overrides that choose files, add or delete, or change how Hydra composes; and those that only set a value."""
        choices = tuple(text for text in overrides if not self._is_value(text))
        return choices, [parse_override(text) for text in overrides if self._is_value(text)]

    def base(self, choices: tuple[str, ...]) -> DictConfig:
        """What Hydra composes of these overrides: the same object each time, so it must not be changed."""
        if choices not in self._bases:
            self._bases[choices] = self.loader.load_sweep_config(self.master, list(choices))
        return self._bases[choices]

    def _is_value(self, text: str) -> bool:
        if text not in self._are_values:
            override = parse_override(text)
            plain = not (override.is_add() or override.is_force_add() or override.is_delete() or override.package)
            name = override.key_or_group
            of_hydra = name.startswith("hydra") and name not in OF_EACH_RUN
            self._are_values[text] = plain and not of_hydra and not self._is_group(name)
        return self._are_values[text]

    def _is_group(self, name: str) -> bool:
        if name not in self._groups:  # Hydra reads the folders
            self._groups[name] = bool(self.loader.get_group_options(name))
        return self._groups[name]

    def _note_overrides(self, cfg: DictConfig, overrides: Sequence[str]) -> None:
        """Note them where Hydra does: as they are, and as a text of which names of folders may be made."""
        parsed = [parse_override(text) for text in overrides]
        own = [override for override in parsed if not override.is_hydra_override()]
        of_hydra = [override.input_line for override in parsed if override.is_hydra_override()]
        cfg.hydra.overrides.task = [override.input_line for override in own]
        of_sweep: Any = OmegaConf.to_container(self.master.hydra.overrides.hydra)  # an interpolation stays one
        cfg.hydra.overrides.hydra = of_sweep + of_hydra
        form = cfg.hydra.job.config.override_dirname
        lines = sorted(str(override.input_line) for override in own if override.key_or_group not in form.exclude_keys)
        cfg.hydra.job.override_dirname = form.item_sep.join(lines).replace("=", form.kv_sep)
