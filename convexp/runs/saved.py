"""The configuration kept in a run folder, as Hydra keeps it: ``.hydra/{config,hydra,overrides}.yaml``."""

import os
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from convexp.atomic import whole
from convexp.errors import ConfigError

FOLDER = ".hydra"


def read_config(folder: Path, setting: str) -> DictConfig:
    """The configuration of the run in ``folder``.

    Raises:
        ConfigError: naming ``setting``, if there is none or it cannot be read.
    """
    file = folder / FOLDER / "config.yaml"
    if not file.is_file():
        raise ConfigError(f"{setting}={folder}: there is no run in this folder (no {FOLDER}/config.yaml)")
    try:
        cfg = OmegaConf.load(file)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{setting}={folder}: {FOLDER}/config.yaml cannot be read ({type(error).__name__})") from None
    if not isinstance(cfg, DictConfig):
        raise ConfigError(f"{setting}={folder}: {FOLDER}/config.yaml holds no configuration")
    root, here = OmegaConf.select(cfg, "data.source.root"), os.environ.get("CONVEXP_DATA")
    downloads = OmegaConf.select(cfg, "data.source.download") is not None  # of torchvision's, not a folder of one's own
    if here is not None and downloads and isinstance(root, str) and not Path(root).is_dir():
        cfg.data.source.root = here  # the data has moved, or the run was started in another folder
    if OmegaConf.select(cfg, "data.source.cache") is not None:
        cfg.data.source.cache = os.environ.get("CONVEXP_CACHE", "~/.cache/convexp")  # what a run folder says is not written to
    return cfg


def write_config(folder: Path, cfg: DictConfig, hydra_cfg: Any, keep: bool) -> None:
    """Keep ``cfg``, resolved, with what Hydra was told; with ``keep`` a configuration that is there stays."""
    target = folder / FOLDER
    if keep and (target / "config.yaml").exists():
        return
    target.mkdir(exist_ok=True)
    _save(hydra_cfg.overrides.task, target / "overrides.yaml")
    _save(OmegaConf.create({"hydra": hydra_cfg}), target / "hydra.yaml")
    _save(OmegaConf.create(OmegaConf.to_container(cfg, resolve=True)), target / "config.yaml")  # the last: now it is a run


def _save(value: Any, file: Path) -> None:
    with whole(file) as partial:
        OmegaConf.save(value, partial)
