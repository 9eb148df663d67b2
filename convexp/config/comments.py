"""What the YAML files say of their settings: the comment behind a value, which may go on in the lines below."""

from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig

SEVERAL = ("probes", "logger")  # groups of which several options may be chosen, each called after its file


def used_files(cfg: DictConfig, config_name: str) -> list[tuple[str, Path]]:
    """The files that a configuration (with Hydra's part) is made of, each after those that it rests on, with their packages."""
    folders = [Path(source.path) for source in cfg.hydra.runtime.config_sources if source.schema == "file"]
    several = {key: list(cfg[key]) for key in SEVERAL if cfg.get(key) is not None}  # Hydra notes no choice of several options
    choices = {**several, **cfg.hydra.runtime.choices}
    used = list(_with_bases(folders, "", config_name))
    for group, chosen in choices.items():
        for option in chosen if isinstance(chosen, list) else [chosen]:
            used += _with_bases(folders, str(group), str(option))
    return used


def options(cfg: DictConfig, group: str) -> dict[str, str]:
    """The options of a group and what each is: the first line of its file."""
    folders = [Path(source.path, group) for source in cfg.hydra.runtime.config_sources if source.schema == "file"]
    files = {file.stem: file for folder in reversed(folders) for file in sorted(folder.glob("*.yaml"))}
    return {name: _title(file) for name, file in sorted(files.items()) if _title(file) and "not a choice" not in _head(file)}


def meaning(used: list[tuple[str, Path]], setting: str) -> str:
    """What the first file that comments on a setting says of it."""
    return next(filter(None, (_comments(file, package).get(setting) for package, file in used)), "")


def _with_bases(folders: list[Path], group: str, option: str) -> Iterator[tuple[str, Path]]:
    """The file of an option, and those of the same group in its defaults list."""
    file = next((found for folder in folders if (found := folder / group / f"{option}.yaml").is_file()), None)
    if file is None:
        return
    yield "" if "@package _global_" in file.read_text(encoding="utf-8") else group.replace("/", "."), file
    said: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    for base in said.get("defaults", []) if isinstance(said, dict) and group else []:
        if isinstance(base, str) and base != "_self_":
            yield from _with_bases(folders, group, base)


def _head(file: Path) -> str:
    lines = file.read_text(encoding="utf-8").splitlines()
    return "\n".join(takewhile(lambda line: line.startswith("#"), lines)).lower()


def _title(file: Path) -> str:
    lines = (line for line in file.read_text(encoding="utf-8").splitlines() if "@package" not in line)
    first = next(lines, "")
    return first.removeprefix("#").strip() if first.startswith("#") else ""


@cache
def _comments(file: Path, package: str) -> dict[str, str]:
    text = file.read_text(encoding="utf-8")
    tree = yaml.compose(text, Loader=yaml.SafeLoader)
    return dict(_below(tree, text.splitlines(), package)) if isinstance(tree, yaml.MappingNode) else {}


def _below(node: yaml.MappingNode, lines: list[str], path: str) -> Iterator[tuple[str, str]]:
    for key, value in node.value:
        setting = f"{path}.{key.value}" if path else str(key.value)
        on_one_line = value.end_mark.line == key.end_mark.line
        end = value.end_mark if on_one_line else key.end_mark
        yield setting, _comment(lines, end.line, end.column)
        if isinstance(value, yaml.MappingNode) and not on_one_line:
            yield from _below(value, lines, setting)


def _comment(lines: list[str], number: int, column: int) -> str:
    """The comment that begins behind ``column``, with the lines below that hold nothing but its continuation."""
    start = lines[number].find("# ", column)
    if start < 0:
        return ""
    parts = [lines[number][start + 2 :]]
    for line in lines[number + 1 :]:
        if line.strip()[:1] != "#" or line.index("#") < column:
            break
        parts.append(line.strip()[1:])
    return " ".join(" ".join(parts).split())
