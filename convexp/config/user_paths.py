"""Paths that a user writes: ``~`` is the home folder, an empty text is an error, relative paths are made absolute."""

import os
import re
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from convexp.errors import ConfigError

SETTINGS = ("outputs", "resume", "data_root", "data.source.root", "data.source.file", "data.source.cache")
VARIABLES = ("CONVEXP_DATA", "CONVEXP_CACHE")
HOME = re.compile(r"([\w./+@-]+)=(~[^'\",\[\]{}()]*)")


def check_working_directory() -> None:
    """Check that the folder in which the process works is still there: relative paths start from it.

    Raises:
        ConfigError: If it was removed.
    """
    try:
        Path.cwd()
    except FileNotFoundError:
        raise ConfigError("the working directory does not exist any more; change to another one") from None


def parse_path(setting: str, value: object) -> Path:
    """The path that the value of ``setting`` stands for, with ``~`` expanded.

    Raises:
        ConfigError: naming the setting, if the value is empty, or if its home folder is not known.
    """
    text = str(value)
    if not text.strip():
        raise ConfigError(f"{setting}='': is empty; should be a path, or be left out (is an environment variable not set?)")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ConfigError(
            f"{setting}={text}: ~ stands for a home folder that is not known; set HOME, or write the whole path"
        ) from None


def absolute_path(setting: str, value: object, base: Path) -> Path:
    """The path that the value of ``setting`` stands for, absolute; relative paths start from the folder ``base``.

    Raises:
        ConfigError: as ``parse_path`` does.
    """
    path = parse_path(setting, value)
    return (base / path).resolve() if ".." in path.parts else base / path


def make_paths_absolute(cfg: DictConfig, base: Path) -> None:
    """Make the paths in ``cfg`` absolute, in place; relative ones start from the folder ``base``.

    Raises:
        ConfigError: naming the setting, if its value is no path.
        OmegaConfBaseException: if a value cannot be resolved.
    """
    for setting in SETTINGS:
        if isinstance(value := OmegaConf.select(cfg, setting), str):
            OmegaConf.update(cfg, setting, str(absolute_path(setting, value, base)))
    if OmegaConf.is_list(folders := OmegaConf.select(cfg, "pythonpath")):
        cfg.pythonpath = [str(absolute_path("pythonpath", folder, base)) for folder in folders]


def quote_home(override: str) -> str:
    """The override ``setting=~/x`` with its value in quotes, which Hydra needs for a ``~``; other overrides are unchanged."""
    found = HOME.fullmatch(override)
    return f"{found[1]}='{found[2]}'" if found else override


def drop_empty_variables() -> None:
    """Remove convexp's environment variables that are empty, so that they count as not set, as in a shell's ``${NAME:-x}``."""
    for name in VARIABLES:
        if not os.environ.get(name, "").strip():
            os.environ.pop(name, None)
