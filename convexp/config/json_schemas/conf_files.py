"""The YAML files of folders of configurations: the group of each, and the section that its settings lie in."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from convexp.config.options import is_option
from convexp.config.search_path import conf_dir

PRIMARY = ("train", "eval", "probe")  # the configurations of the commands, which belong to no group
GLOBAL = "# @package _global_"
OWN_PACKAGE = re.compile(r"^#\s*@package (?!_global_|_group_)", re.MULTILINE)


@dataclass(frozen=True)
class ConfFile:
    """A YAML file of a folder of configurations.

    Attributes:
        path: Where it lies.
        group: Its group, such as ``model`` or ``hydra/launcher``; empty for those of the commands, such as ``train.yaml``.
        section: The section that its settings belong to, such as ``model``; empty if they belong to the whole configuration.
        values: Its settings, as plain values that are not resolved.
    """

    path: Path
    group: str
    section: str
    values: dict[Any, Any]

    @property
    def schema(self) -> str:
        """Name of the file that holds the schema of this one."""
        name = self.group if self.section else self.path.stem if not self.group and self.path.stem in PRIMARY else "train"
        return f"{name.replace('/', '_')}.json"


def groups() -> list[str]:
    """Names of all groups, ``hydra/launcher`` included, and ``local``, whose files are a user's own defaults."""
    conf = Path(conf_dir())
    return sorted({file.parent.relative_to(conf).as_posix() for file in conf.rglob("*.yaml")} - {"."} | {"local"})


def read_conf_files(folders: Sequence[Path]) -> list[ConfFile]:
    """The YAML files of all groups in ``folders``; files that are no mapping, or of a package of their own, are left out."""
    found: list[ConfFile] = []
    for folder in folders:
        for group, path in _paths(folder):
            text = path.read_text(encoding="utf-8")
            if OWN_PACKAGE.search(text) is None and (values := _parse(text)) is not None:
                found.append(ConfFile(path, group, "" if not group or GLOBAL in text else group.replace("/", "."), values))
    return sorted(found, key=lambda file: not _holds_defaults(file))


def _paths(folder: Path) -> Iterator[tuple[str, Path]]:
    """The YAML files of ``folder`` with their groups."""
    yield from (("", path) for path in (folder / f"{name}.yaml" for name in PRIMARY) if path.is_file())
    for group in groups():
        yield from ((group, path) for path in sorted((folder / group).glob("*.yaml")))


def _parse(text: str) -> dict[Any, Any] | None:
    """The settings of a YAML file; None if it holds no mapping, or is being written and not valid yet."""
    try:
        values: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return values if isinstance(values, dict) else {} if values is None else None


def _holds_defaults(file: ConfFile) -> bool:
    """Whether a run has the values of ``file`` unless it is told otherwise; what they mean is said there first."""
    return not file.group or not is_option(file.path) or file.path.stem == _chosen().get(file.group)


@cache
def _chosen() -> dict[str, Any]:
    """The options that ``train.yaml`` chooses, by group."""
    values = _parse(Path(conf_dir(), "train.yaml").read_text(encoding="utf-8")) or {}
    return {group: option for item in values["defaults"] if isinstance(item, dict) for group, option in item.items()}
