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

MAX_EPOCHS = "trainer.max_epochs"
ALLOWED_OVERRIDES = ("resume", "data_root", "pythonpath", "dry_run", MAX_EPOCHS)
MAY_DIFFER = (*OUTSIDE_IDENTITY, *LOCATIONS, "data.source.file")  # the same data may lie in another place


def find_resumed_run(cfg: DictConfig) -> tuple[SavedConfig, Path]:
    """Return the configuration and the folder of the run that ``cfg.resume`` names.

    The command line may change the number of epochs: the configuration then has the new one.

    Raises:
        ConfigError: if the folder holds no run, or the command line overrides another setting of the run.
    """
    given = [text.partition("=")[0] for text in HydraConfig.get().overrides.task]
    forbidden = [text for text in HydraConfig.get().overrides.task if text.partition("=")[0] not in ALLOWED_OVERRIDES]
    if forbidden:
        raise ConfigError(f"resume={cfg.resume}: the run keeps its own configuration; leave out {' '.join(forbidden)}")
    folder = parse_path("resume", cfg.resume)
    chosen = [text for text in HydraConfig.get().overrides.hydra if text.partition("=")[0] == "hydra.run.dir"]
    if chosen and Path(HydraConfig.get().run.dir).resolve() != folder.resolve():
        raise ConfigError(f"resume={cfg.resume}: the run goes on in its folder; leave out {chosen[-1]}")
    saved = read_saved_config(folder, "resume", cfg.data_root)
    if MAX_EPOCHS in given and isinstance(trainer := saved.values.get("trainer"), dict):
        trainer["max_epochs"] = cfg.trainer.max_epochs
    return saved, folder


def identity_of_resumed(config: Config, folder: Path) -> str:
    """Return the identity that the run in ``folder`` recorded, if it is that of ``config``.

    They may differ in the number of epochs, and in where the data lies. Otherwise it is the identity of ``config``. Whether the
    data is the same is checked later, by its checksum.
    """
    record = read_record(folder)
    if record and record.identity is not None and same_but_for_epochs(record.config, config):
        return record.identity
    return identity_hash(config.identity())


def same_but_for_epochs(recorded: dict[str, Any] | None, config: Config) -> bool:
    """Whether a recorded configuration and ``config`` differ only in the number of epochs and in where the data lies."""
    return _compared(recorded) == _compared(config.model_dump(by_alias=True))


def _compared(config: Any) -> dict[str, Any]:
    may_differ = (*MAY_DIFFER, MAX_EPOCHS)
    return {setting: value for setting, value in completed(flatten(config)).items() if not within(setting, may_differ)}
