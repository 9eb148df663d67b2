"""Configurations that are checked before their run starts, so that the same process does not check them twice.

A single run is checked before Hydra creates its folder, and a sweep checks its runs when it plans them. Later Hydra hands the
composed configuration to the run, mostly in the same process. It is recognised by its values.
"""

import hashlib
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from convexp.config.load import load_config
from convexp.config.schema import Config
from convexp.config.user_paths import make_paths_absolute

_checked: dict[bytes, Config] = {}  # by a hash of the composed values


def check_ahead(cfg: DictConfig, base: Path | None = None) -> Config:
    """Load a configuration as ``load_config`` does, and keep it for ``load_checked_config``."""
    config = load_config(cfg, base)
    _checked[_hash(cfg)] = config
    return config


def load_checked_config(cfg: DictConfig, base: Path | None = None) -> Config:
    """Load a configuration as ``load_config`` does, but check it only if ``check_ahead`` has not."""
    try:
        make_paths_absolute(cfg, base or Path.cwd())
        config = _checked.pop(_hash(cfg), None)
    except OmegaConfBaseException:  # load_config explains it
        config = None
    return load_config(cfg, base) if config is None else config


def forget_checked_configs() -> None:
    """Forget all configurations, as a new command begins: files and variables may have changed since."""
    _checked.clear()


def _hash(cfg: DictConfig) -> bytes:
    return hashlib.sha256(repr(OmegaConf.to_container(cfg, resolve=True)).encode()).digest()
