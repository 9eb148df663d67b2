"""Configurations that are checked before their run starts, so that the same process does not check them twice.

A single run is checked before Hydra creates its folder, and a sweep checks its runs when it plans them. Later Hydra hands the
composed configuration to the run, mostly in the same process. It is recognised by its values. Of the runs of a sweep, which are
many, only a hash is kept; they are parsed again, and not checked.
"""

import hashlib
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from convexp.config.folders import check_name
from convexp.config.load import load_values, parse_config, resolve
from convexp.config.schema import Config

_checked: dict[bytes, Config] = {}  # by a hash of the resolved values
_noted: set[bytes] = set()  # hashes of values without seed and name


def check_ahead(cfg: DictConfig, base: Path | None = None) -> Config:
    """Load a configuration as ``load_config`` does, and keep it for ``load_checked_config``."""
    values = resolve(cfg, base)
    config = _checked[_hash(values)] = load_values(values)
    return config


def note_checked(values: bytes) -> None:
    """Note that configurations with these values, as ``without_seed_and_name`` returns them, have been checked."""
    _noted.add(values)


def load_checked_config(cfg: DictConfig, base: Path | None = None) -> Config:
    """Load a configuration as ``load_config`` does, but check it only if that has not been done."""
    values = resolve(cfg, base)
    config = _checked.pop(_hash(values), None)
    if config is not None:
        return config
    if without_seed_and_name(values) not in _noted:
        return load_values(values)
    config = parse_config(values)
    check_name("name", config.name)
    return config


def forget_checked_configs() -> None:
    """Forget all configurations, as a new command begins: files and variables may have changed since."""
    _checked.clear()
    _noted.clear()


def without_seed_and_name(values: dict[Any, Any]) -> bytes:
    """A hash of resolved values without ``seed`` and ``name``, which no check asks for beyond their types and ranges."""
    return _hash({key: value for key, value in values.items() if key not in ("seed", "name")})


def _hash(values: dict[Any, Any]) -> bytes:
    return hashlib.sha256(repr(values).encode()).digest()
