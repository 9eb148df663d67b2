"""The comments of YAML files on their settings: what stands behind a value, and may continue on the lines below."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml
from omegaconf import DictConfig

from convexp.config.options import chosen_options, is_option, option_files, title, with_bases
from convexp.config.sources import Source, composed_sources


def yaml_files(cfg: DictConfig, config_name: str) -> list[tuple[str, Path]]:
    """The YAML files that a composed configuration consists of, as pairs of package and file.

    Args:
        cfg: the configuration, including its node ``hydra``.
        config_name: name of the primary configuration, ``train`` or ``eval``.

    Returns:
        Each file comes before those in its defaults list, whose settings it may override.
    """
    sources = composed_sources(cfg)
    chosen = [("", config_name), *chosen_options(cfg)]
    return [(_package(name, file), file) for group, option in chosen for name, file in with_bases(sources, Path(group, option))]


def _package(name: Path, file: Path) -> str:
    """The section of the configuration that the settings of an option's file lie in."""
    return "" if "@package _global_" in file.read_text(encoding="utf-8") else ".".join(name.parent.parts)


def option_titles(cfg: DictConfig, group: str) -> dict[str, str]:
    """The options of ``group``, each with the first line of its file, which says what it is."""
    files = {name: file for name, file, _ in _option_files(cfg, group)}
    return {name: title(file) for name, file in sorted(files.items()) if title(file) and is_option(file)}


def option_origins(cfg: DictConfig, group: str) -> dict[str, str]:
    """The options of ``group`` that are not convexp's own, each with the name of the source that it comes from."""
    return {name: source.name for name, _, source in _option_files(cfg, group) if source.name != "convexp"}


def _option_files(cfg: DictConfig, group: str) -> Iterator[tuple[str, Path, Source]]:
    """The options of ``group`` with their files and sources; one with priority comes after others of the same name."""
    for source in reversed(composed_sources(cfg)):
        for name, file in option_files(Path(source.folder, group)).items():
            yield name, file, source


def find_comment(files: list[tuple[str, Path]], setting: str) -> str:
    """The comment on ``setting`` in the first of ``files`` (see ``yaml_files``) that has one; empty if none has."""
    return next(filter(None, (comments(file, package).get(setting) for package, file in files)), "")


@cache
def comments(file: Path, package: str) -> dict[str, str]:
    """The comment on every setting of ``file``, whose settings lie below ``package``."""
    text = file.read_text(encoding="utf-8")
    tree = yaml.compose(text, Loader=yaml.SafeLoader)
    return dict(_comments_below(tree, text.splitlines(), package)) if isinstance(tree, yaml.MappingNode) else {}


def _comments_below(node: yaml.MappingNode, lines: list[str], path: str) -> Iterator[tuple[str, str]]:
    for key, value in node.value:
        setting = f"{path}.{key.value}" if path else str(key.value)
        on_one_line = value.end_mark.line == key.end_mark.line
        end = value.end_mark if on_one_line else key.end_mark
        yield setting, _comment_at(lines, end.line, end.column)
        if isinstance(value, yaml.MappingNode) and not on_one_line:
            yield from _comments_below(value, lines, setting)


def _comment_at(lines: list[str], number: int, column: int) -> str:
    """The comment that begins on line ``number`` after ``column``, with the comment lines below that continue it."""
    start = lines[number].find("# ", column)
    if start < 0:
        return ""
    parts = [lines[number][start + 2 :]]
    for line in lines[number + 1 :]:
        if line.strip()[:1] != "#" or line.index("#") < column:
            break
        parts.append(line.strip()[1:])
    return " ".join(" ".join(parts).split())
