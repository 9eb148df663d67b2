"""Paths that a user writes: ``~`` is a home folder, an empty one is none, and a configuration's mean the same from anywhere."""

import os
import re
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from convexp.errors import ConfigError

SETTINGS = ("outputs", "resume", "data_root", "data.source.root", "data.source.file", "data.source.cache")
VARIABLES = ("CONVEXP_DATA", "CONVEXP_CACHE")
HOME = re.compile(r"([\w./+@-]+)=(~[^'\",\[\]{}()]*)")


def path(setting: str, value: object) -> Path:
    """The path that the value of ``setting`` means.

    Raises:
        ConfigError: naming the setting, if it is empty, or ``~`` stands for a home folder that nobody knows.
    """
    text = str(value)
    if not text.strip():
        raise ConfigError(f"{setting}='': is empty, as a variable may be that is not set; should be a path, or not be said")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ConfigError(
            f"{setting}={text}: ~ stands for a home folder that is not known; set HOME, or give the whole path"
        ) from None


def absolute(setting: str, value: object, base: Path) -> Path:
    """The same as seen from the folder ``base``."""
    said = path(setting, value)
    return (base / said).resolve() if ".." in said.parts else base / said


def make_absolute(cfg: DictConfig, base: Path) -> None:
    """Make the paths in ``cfg`` absolute; relative ones are seen from ``base``.

    Raises:
        ConfigError: naming the setting, if it is no path.
        OmegaConfBaseException: if it cannot be resolved.
    """
    for setting in SETTINGS:
        if isinstance(value := OmegaConf.select(cfg, setting), str):
            OmegaConf.update(cfg, setting, str(absolute(setting, value, base)))


def quoted(override: str) -> str:
    """``setting=~/x`` as Hydra takes it, which has no ``~`` in values; other overrides as they are."""
    found = HOME.fullmatch(override)
    return f"{found[1]}='{found[2]}'" if found else override


def forget_empty_variables() -> None:
    """A variable of the environment that is empty counts as not set, as it does to a shell's ``${NAME:-default}``."""
    for name in VARIABLES:
        if not os.environ.get(name, "").strip():
            os.environ.pop(name, None)
