"""The run that ``resume=DIR`` names: its folder, its configuration and its identity."""

from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from convexp.config import Config
from convexp.config.hydra_files import SavedConfig, read_saved_config
from convexp.config.user_paths import parse_path
from convexp.errors import ConfigError
from convexp.records import identity_hash, read_record
from convexp.records.identity import LOCATIONS, OUTSIDE_IDENTITY
from convexp.records.settings import completed, flatten, within

ALLOWED_OVERRIDES = ("resume", "data_root", "pythonpath")
MAY_DIFFER = (*OUTSIDE_IDENTITY, *LOCATIONS, "data.source.file")  # the same data may lie in another place


def find_resumed_run(cfg: DictConfig) -> tuple[SavedConfig, Path]:
    """Return the configuration and the folder of the run that ``cfg.resume`` names.

    Raises:
        ConfigError: if the folder holds no run, or the command line overrides a setting of the run.
    """
    forbidden = [text for text in HydraConfig.get().overrides.task if text.partition("=")[0] not in ALLOWED_OVERRIDES]
    if forbidden:
        raise ConfigError(f"resume={cfg.resume}: the run keeps its own configuration; leave out {' '.join(forbidden)}")
    folder = parse_path("resume", cfg.resume)
    return read_saved_config(folder, "resume", cfg.data_root), folder


def identity_of_resumed(config: Config, folder: Path) -> str:
    """Return the identity that the run in ``folder`` recorded, if ``config`` differs only in where its data lies.

    Otherwise it is the identity of ``config``. Whether the data is the same is checked later, by its checksum.
    """
    record = read_record(folder)
    if record and record.identity is not None and _compared(record.config) == _compared(config.model_dump(by_alias=True)):
        return record.identity
    return identity_hash(config.identity())


def _compared(config: Any) -> dict[str, Any]:
    return {setting: value for setting, value in completed(flatten(config)).items() if not within(setting, MAY_DIFFER)}
