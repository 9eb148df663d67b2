"""From a composed configuration to a checked ``Config``, or to one line that says which setting is wrong."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from convexp.config.checks.augment import check_augment
from convexp.config.checks.combinations import check_batch_norm, check_combinations
from convexp.config.checks.data_files import check_data_files
from convexp.config.checks.environment import check_environment
from convexp.config.checks.geometry import check_geometry, check_layers
from convexp.config.checks.machine import check_image_memory, check_logger_packages, check_threads
from convexp.config.checks.monitors import check_monitors
from convexp.config.checks.networks import check_network
from convexp.config.checks.optimizer import check_groups
from convexp.config.checks.plain_values import check_plain
from convexp.config.checks.probes import check_probes
from convexp.config.checks.processes import check_processes
from convexp.config.checks.relaxed import check_relaxed
from convexp.config.checks.sections import (
    check_global_files,
    check_kind_of_model,
    check_named,
    check_nothing_missing,
)
from convexp.config.checks.sizes import check_numbers, check_width, check_windows
from convexp.config.checks.targets import check_targets
from convexp.config.checks.tasks import check_task
from convexp.config.checks.trackers import check_tracking_uri
from convexp.config.checks.trainer import check_trainer
from convexp.config.folders import check_name
from convexp.config.importable import make_importable
from convexp.config.schema import Config
from convexp.config.user_paths import make_paths_absolute
from convexp.config.validated import validated
from convexp.config.wirings import in_dimensions_of_data
from convexp.errors import ConfigError
from convexp.records.renamed import renamed


def load_config(cfg: DictConfig, base: Path | None = None) -> Config:
    """Resolve, parse and check a composed configuration: all that a run needs of it before torch is imported.

    Args:
        cfg: the configuration, without Hydra's part. Its paths are made absolute in place.
        base: the folder that relative paths start from; None for the working directory.

    Raises:
        ConfigError: naming the setting, its value and what would be right.
    """
    return load_values(resolve(cfg, base))


def resolve(cfg: DictConfig, base: Path | None = None) -> dict[Any, Any]:
    """The plain values of a composed configuration, as ``load_config`` reads them. Its paths are made absolute in place.

    Raises:
        ConfigError: if a value is missing, if a file was named by its name alone, or if an interpolation leads nowhere.
    """
    unresolved: Any = OmegaConf.to_container(cfg, resolve=False)
    check_nothing_missing(unresolved)
    check_named(unresolved)
    try:
        make_paths_absolute(cfg, base or Path.cwd())
        values = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        setting, text = error.full_key or "configuration", str(error).splitlines()[0]
        if missing := re.fullmatch("Interpolation key '(.+)' not found", text):
            raise ConfigError(f"{missing[1]}: is missing, and {setting} takes its value from it") from None
        raise ConfigError(f"{setting}: {text}") from None
    assert isinstance(values, dict)
    return values


def load_values(values: Mapping[Any, Any]) -> Config:
    """Parse and check the values that ``resolve`` returns.

    Raises:
        ConfigError: naming the setting, its value and what would be right.
    """
    config = parse_config(values)
    check_name("name", config.name)  # not in check_config: the folder of a saved run has its name already
    return check_config(config)


def parse_config(values: Mapping[Any, Any]) -> Config:
    """Parse plain values: every setting gets the type and the range that the schema has for it. Nothing is imported.

    A wiring of convexp is the one for the dimensions of the data.

    Raises:
        ConfigError: naming the setting, its value and what would be right.
    """
    check_nothing_missing(values)
    check_plain(values)
    check_global_files(values)
    check_kind_of_model(values)
    return in_dimensions_of_data(validated(Config, renamed(values)))


def check_config(config: Config) -> Config:
    """Check that the settings of a parsed configuration fit their targets, each other and this machine.

    Returns:
        ``config`` itself.

    Raises:
        ConfigError: naming the setting, its value and what would be right.
    """
    check_environment()
    make_importable(config.pythonpath)
    check_targets(config)
    check_groups(config)
    check_relaxed(config)
    check_trainer(config)
    check_processes(config)
    check_task(config)
    check_geometry(config)
    check_network(config)
    check_probes(config)
    check_augment(config)
    check_data_files(config)
    check_combinations(config)
    check_threads(config)
    check_image_memory(config)
    check_width(config)
    check_windows(config)
    check_layers(config)
    check_batch_norm(config)
    for setting, target in config.targets().items():
        check_numbers(setting, target)
    check_monitors(config)
    check_tracking_uri(config)
    check_logger_packages(config)
    return config
