"""The configuration of a run folder, checked and trusted, with which the run can be evaluated again."""

from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from convexp.config.check import checked, parsed
from convexp.config.hydra_files import read_config
from convexp.config.schema import Config
from convexp.config.trust import trusted
from convexp.errors import ConfigError
from convexp.records.contents import check_inside

CHECKPOINT = Path("checkpoints", "best.ckpt")


def trusted_config(
    folder: Path, setting: str, data_root: str | Path | None = None, changes: dict[str, Any] | None = None
) -> Config:
    """The checked configuration of a run that has a checkpoint, whoever the folder is from; without loggers and callbacks.

    Args:
        folder: of the run.
        setting: what to call it in errors.
        data_root: where the data lies now, if it has moved.
        changes: other values for some settings, which may name what they like.

    Raises:
        ConfigError: if the folder holds no run with a checkpoint, names code it may not name, or the data is not there.
    """
    changes = changes or {}
    saved: dict[str, Any] = read_config(folder, setting, data_root) | {"logger": None, "callbacks": None}
    check_inside(folder)
    trusted(saved | ({"probes": None} if "probes" in changes else {}))
    for key, value in changes.items():
        *sections, name = key.split(".")
        within: Any = reduce(getitem, sections, saved)
        within[name] = value
    config = parsed(saved)
    checked(config if "probes" in changes else config.model_copy(update={"probes": None}))  # the folder's are not measured
    if not (folder / CHECKPOINT).is_file():
        raise ConfigError(
            f"{setting}={folder}: has no {CHECKPOINT}; it trained nothing, or did not get through its first epoch"
        )
    return config
