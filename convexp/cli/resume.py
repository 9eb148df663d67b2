"""Which run is gone on with, from which configuration, and where its data lies now."""

from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from convexp.config import Config
from convexp.config.hydra_files import read_config
from convexp.config.user_paths import parse_path
from convexp.errors import ConfigError
from convexp.records import identity_hash, read_record
from convexp.records.identity import LOCATIONS, OUTSIDE_IDENTITY
from convexp.records.settings import flatten, within

MAY_CHANGE = ("resume", "data_root")
MAY_DIFFER = (*OUTSIDE_IDENTITY, *LOCATIONS, "data.source.file")  # in a run whose data lies elsewhere now


def resumed(cfg: DictConfig) -> tuple[dict[str, Any], Path]:
    """The configuration and the folder of the run to go on with.

    Raises:
        ConfigError: if it is no run folder, or the command line wants to change its configuration.
    """
    given = [o for o in HydraConfig.get().overrides.task if o.partition("=")[0] not in MAY_CHANGE]
    if given:
        raise ConfigError(f"resume={cfg.resume}: goes on with the run's own configuration; leave out {' '.join(given)}")
    folder = parse_path("resume", cfg.resume)
    return read_config(folder, "resume", cfg.data_root), folder


def identity_of(config: Config, folder: Path) -> str:
    """The identity that the run in ``folder`` noted, if it is the run of ``config`` wherever its data lies; else ``config``'s.

    Whether it is the same data is told by its checksum, once it has been read.
    """
    record = read_record(folder)
    if record and record.identity is not None and _settled(record.config) == _settled(config.model_dump(by_alias=True)):
        return record.identity
    return identity_hash(config.identity())


def _settled(config: Any) -> dict[str, Any]:
    return {setting: value for setting, value in flatten(config).items() if not within(setting, MAY_DIFFER)}
