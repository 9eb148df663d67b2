"""The configuration of a run as its folder keeps it, in Hydra's format: ``.hydra/{config,hydra,overrides}.yaml``."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from convexp.config.schema.config import OF_THE_COMMAND
from convexp.config.signed import signature
from convexp.config.signed.key import KeyProblem
from convexp.config.user_paths import absolute_path, parse_path
from convexp.errors import ConfigError, one_line
from convexp.files.atomic import atomic_write
from convexp.files.yaml_files import parse_yaml, read_limited

FOLDER = ".hydra"


@dataclass(frozen=True)
class SavedConfig:
    """The configuration of a run folder, not checked yet.

    Attributes:
        values: The configuration as plain values.
        doubt: Why it may have been written by somebody else; None if its signature proves that this user's command wrote it.
    """

    values: dict[str, Any]
    doubt: str | None


def read_saved_config(folder: Path, setting: str, data_root: str | Path | None = None) -> SavedConfig:
    """Read the configuration of a run, as plain values that are not checked yet, and verify its signature.

    The file is read once: the bytes that are parsed are those that the signature was verified for.

    A run folder may come from another machine or person. So the folders of data and cache become those of this machine, and
    nothing is downloaded or cached merely because a run folder says so.

    Args:
        folder: folder of the run.
        setting: name of the setting that gave the folder, for error messages.
        data_root: folder of the data if it has moved; None if it has not.

    Raises:
        ConfigError: naming ``setting``, if the folder holds no run, or if its configuration cannot be read.
    """
    moved_to = None if data_root is None else parse_path("data_root", data_root)
    file = folder / FOLDER / "config.yaml"
    if not file.is_file():
        raise ConfigError(f"{setting}={folder}: there is no run in this folder (no {FOLDER}/config.yaml)")
    try:
        content = read_limited(file)
        values = parse_yaml(content)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{setting}={folder}: {FOLDER}/config.yaml cannot be read ({one_line(error)})") from None
    doubt = signature.doubt(folder, content)
    data = values.get("data")
    source = data.get("source") if isinstance(data, dict) else None
    if isinstance(source, dict):
        _relocate_source(source, moved_to)
    return SavedConfig(values, doubt)


def is_signed(folder: Path) -> bool:
    """Whether the signature in a run folder proves that this user's own command wrote the configuration there."""
    try:
        return signature.doubt(folder, read_limited(folder / FOLDER / "config.yaml")) is None
    except OSError:
        return False


def _relocate_source(source: dict[Any, Any], moved_to: Path | None) -> None:
    """Set the paths of ``data.source`` for this machine, and whether data may be downloaded, in place."""
    base, variable = Path.cwd(), os.environ.get("CONVEXP_DATA")
    data_folder = absolute_path("CONVEXP_DATA", variable, base) if variable else None
    if "cache" in source:
        source["cache"] = os.environ.get("CONVEXP_CACHE") or "~/.cache/convexp"
    if moved_to is not None and "file" in source:
        source["file"] = moved_to / Path(str(source["file"])).name
    elif moved_to is not None and "root" in source:
        source["root"] = moved_to
    elif moved_to is not None:
        raise ConfigError(f"data_root={moved_to}: the images of this run are not read from a folder; leave it out")
    elif "download" in source and data_folder and not Path(str(source.get("root"))).is_dir():
        source["root"] = data_folder  # the data has moved, or the run was started in another folder
    for key in {"root", "file", "cache"} & source.keys():
        source[key] = str(absolute_path(f"data.source.{key}", source[key], base))
    if "download" in source and moved_to is None:
        source["download"] = source["download"] is True and source.get("root") == str(data_folder)


def write_config(folder: Path, cfg: Any, hydra_cfg: Any, keep: bool) -> str | None:
    """Write the resolved configuration of a run and its signature, with Hydra's own configuration and the overrides.

    Args:
        folder: folder of the run.
        cfg: the configuration that this user's command has composed. One that was read from a run folder must not be signed.
        hydra_cfg: its node ``hydra``.
        keep: whether to keep files that are there already.

    Returns:
        Why the configuration is not signed; None if it is, or if the files are kept.
    """
    target = folder / FOLDER
    if keep and (target / "config.yaml").exists():
        return None
    target.mkdir(exist_ok=True)
    _save(hydra_cfg.overrides.task, target / "overrides.yaml")
    _save(OmegaConf.create({"hydra": hydra_cfg}), target / "hydra.yaml")
    values: Any = OmegaConf.to_container(cfg, resolve=True)
    own = {key: value for key, value in values.items() if key not in OF_THE_COMMAND}
    content = OmegaConf.to_yaml(OmegaConf.create(own)).encode()
    problem = _sign(target, content)
    with atomic_write(target / "config.yaml") as partial:  # last: its presence makes the folder a run
        partial.write_bytes(content)
    return problem


def rewrite_epochs(folder: Path, epochs: int) -> None:
    """Replace ``trainer.max_epochs`` in the configuration of a run folder; it is signed afterwards if it was signed before.

    A kill at any moment leaves the old or the new configuration, and either is signed.

    Raises:
        OSError: if a file cannot be written.
        ValueError: if the configuration cannot be read.
    """
    target = folder / FOLDER
    content = read_limited(target / "config.yaml")
    values = parse_yaml(content)
    if values["trainer"]["max_epochs"] == epochs:
        return
    values["trainer"]["max_epochs"] = epochs
    changed = OmegaConf.to_yaml(OmegaConf.create(values)).encode()
    if signature.doubt(folder, content) is None:
        _sign(target, changed, also=content)
    with atomic_write(target / "config.yaml") as partial:
        partial.write_bytes(changed)


def _sign(target: Path, content: bytes, also: bytes | None = None) -> str | None:
    """Write the signature of ``content`` into the folder ``target``; returns why it cannot be signed, None if it is.

    Args:
        target: the folder.
        content: a configuration.
        also: the configuration that it replaces, whose signature is kept.
    """
    file = target / signature.FILE
    try:
        signed = b"".join(signature.sign(each) for each in (content, also) if each is not None)
    except KeyProblem as problem:
        file.unlink(missing_ok=True)  # of an earlier configuration
        return str(problem)
    with atomic_write(file) as partial:
        partial.write_bytes(signed)
    return None


def _save(value: Any, file: Path) -> None:
    with atomic_write(file) as partial:
        OmegaConf.save(value, partial)
