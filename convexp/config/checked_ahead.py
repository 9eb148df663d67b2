"""Configurations that are checked before their run starts, so that the same process does not check them twice.

A single run is checked before Hydra creates its folder, and a sweep checks its runs when it plans them. Later Hydra hands the
composed configuration to the run, mostly in the same process. It is recognised by its values.
"""

import hashlib
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from convexp.config.load import load_values, resolve
from convexp.config.schema import Config

_checked: dict[bytes, Config] = {}  # by a hash of the resolved values


def check_ahead(cfg: DictConfig, base: Path | None = None) -> Config:
    """Load a configuration as ``load_config`` does, and keep it for ``load_checked_config``."""
    values = resolve(cfg, base)
    config = _checked[_hash(values)] = load_values(values)
    return config


def load_checked_config(cfg: DictConfig, base: Path | None = None) -> Config:
    """Load a configuration as ``load_config`` does, but check it only if ``check_ahead`` has not."""
    values = resolve(cfg, base)
    config = _checked.pop(_hash(values), None)
    return load_values(values) if config is None else config


def forget_checked_configs() -> None:
    """Forget all configurations, as a new command begins: files and variables may have changed since."""
    _checked.clear()


def _hash(values: dict[Any, Any]) -> bytes:
    return hashlib.sha256(repr(values).encode()).digest()
