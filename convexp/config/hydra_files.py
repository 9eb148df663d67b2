"""The configuration kept in a run folder, as Hydra keeps it: ``.hydra/{config,hydra,overrides}.yaml``."""

import os
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from convexp.config.places import absolute, path
from convexp.errors import ConfigError, one_line
from convexp.files.atomic import atomic_write
from convexp.files.yaml_files import read_yaml

FOLDER = ".hydra"


def read_config(folder: Path, setting: str, data_root: str | Path | None = None) -> dict[str, Any]:
    """The configuration of the run in ``folder``: plain values, in which places to write to are this machine's own.

    Args:
        folder: of the run.
        setting: what to call it in errors.
        data_root: where the data lies now, if it has moved.

    Raises:
        ConfigError: naming ``setting``, if there is none, it cannot be read, or it holds more than plain values.
    """
    moved = None if data_root is None else path("data_root", data_root)
    file = folder / FOLDER / "config.yaml"
    if not file.is_file():
        raise ConfigError(f"{setting}={folder}: there is no run in this folder (no {FOLDER}/config.yaml)")
    try:
        values = read_yaml(file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{setting}={folder}: {FOLDER}/config.yaml cannot be read ({one_line(error)})") from None
    data = values.get("data")
    source = data.get("source") if isinstance(data, dict) else None
    if isinstance(source, dict):
        _place(source, moved)
    return values


def _place(source: dict[Any, Any], moved: Path | None) -> None:
    """Say where the data lies and what may be written: nothing is downloaded or cached where only a run folder says so."""
    base, said = Path.cwd(), os.environ.get("CONVEXP_DATA")
    here = absolute("CONVEXP_DATA", said, base) if said else None
    if "cache" in source:
        source["cache"] = os.environ.get("CONVEXP_CACHE") or "~/.cache/convexp"
    if moved is not None and "file" in source:
        source["file"] = moved / Path(str(source["file"])).name
    elif moved is not None and "root" in source:
        source["root"] = moved
    elif moved is not None:
        raise ConfigError(f"data_root={moved}: the images of this run lie in no folder; leave it out")
    elif "download" in source and here and not Path(str(source.get("root"))).is_dir():
        source["root"] = here  # the data has moved, or the run was started in another folder
    for key in {"root", "file", "cache"} & source.keys():
        source[key] = str(absolute(f"data.source.{key}", source[key], base))
    if "download" in source and moved is None:
        source["download"] = source["download"] is True and source.get("root") == str(here)


def write_config(folder: Path, cfg: Any, hydra_cfg: Any, keep: bool) -> None:
    """Keep ``cfg``, resolved, with what Hydra was told; with ``keep`` a configuration that is there stays."""
    target = folder / FOLDER
    if keep and (target / "config.yaml").exists():
        return
    target.mkdir(exist_ok=True)
    _save(hydra_cfg.overrides.task, target / "overrides.yaml")
    _save(OmegaConf.create({"hydra": hydra_cfg}), target / "hydra.yaml")
    _save(OmegaConf.create(OmegaConf.to_container(cfg, resolve=True)), target / "config.yaml")  # the last: now it is a run


def _save(value: Any, file: Path) -> None:
    with atomic_write(file) as partial:
        OmegaConf.save(value, partial)
