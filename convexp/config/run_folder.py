"""Load the configuration of a run folder, to evaluate the run again."""

from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from convexp.config.hydra_files import SavedConfig, read_saved_config
from convexp.config.load import check_config, parse_config
from convexp.config.schema import Config
from convexp.config.trust import parse_saved_config
from convexp.errors import ConfigError
from convexp.records.contents import check_inside

CHECKPOINT = Path("checkpoints", "best.ckpt")


def load_run_config(
    folder: Path, setting: str, data_root: str | Path | None = None, changes: dict[str, Any] | None = None
) -> Config:
    """The checked configuration of a run that has a checkpoint, without its loggers, callbacks and augmentations.

    A folder that this user has not signed may only name code that ``convexp.config.trust`` allows.

    Args:
        folder: folder of the run.
        setting: name of the setting that gave the folder, for error messages.
        data_root: folder of the data if it has moved; None if it has not.
        changes: new values of some settings. They come from the user, so they may name any code.

    Raises:
        ConfigError: if the folder holds no run with a checkpoint, if it names code it may not name, or if the data is missing.
    """
    changes = changes or {}
    read = read_saved_config(folder, setting, data_root)
    saved: dict[str, Any] = read.values | {"logger": None, "callbacks": None, "augment": None}
    check_inside(folder)
    trusted = parse_saved_config(SavedConfig(saved | ({"probes": None} if "probes" in changes else {}), read.doubt))
    saved["pythonpath"] = trusted.pythonpath
    for key, value in changes.items():
        *sections, name = key.split(".")
        section: Any = reduce(getitem, sections, saved)
        section[name] = value
    config = parse_config(saved)
    # probes of the folder are not measured again, so they are not checked
    check_config(config if "probes" in changes else config.model_copy(update={"probes": None}))
    if not (folder / CHECKPOINT).is_file():
        raise ConfigError(f"{setting}={folder}: has no {CHECKPOINT}; the run trained nothing, or stopped in its first epoch")
    return config
