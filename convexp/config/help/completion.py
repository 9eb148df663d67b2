"""TAB completion of what Hydra cannot complete: values of settings, and whatever lies in folders that the typed line names."""

from collections.abc import Iterator
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from convexp.config.command_line.parse import CommandLine, parse_command_line
from convexp.config.help.values import complete_values
from convexp.config.options import list_options


def complete(typed: str, config_name: str) -> list[str]:
    """The completions of the last word of ``typed``; an empty list leaves the answer to Hydra.

    A word ``group=`` or ``setting=`` is completed by each value, also after commas and within a list. The name of a setting is
    completed here only if the line names folders of the user's own.

    Args:
        typed: the command line, with the name of the program.
        config_name: name of the primary configuration, ``train`` or ``eval``.
    """
    *before, word = typed.split(" ")
    line = parse_command_line(before[1:])
    setting, equals, value = word.partition("=")
    if equals:
        start = value[: max(value.rfind(","), value.rfind("[")) + 1]  # values that have been typed already
        values = _values(line, config_name, setting.lstrip("+"))
        return [f"{setting}={start}{each}" for each in values if each.startswith(value.removeprefix(start))]
    cfg = _composed(line, config_name) if line.search_path and not word.startswith("-") else None
    return [] if cfg is None else [name for name in _names(cfg, line, word.rpartition(".")[0]) if name.startswith(word)]


def _values(line: CommandLine, config_name: str, setting: str) -> list[str]:
    if options := list_options(setting, line.sources()):
        return options
    cfg = _composed(line, config_name)
    return [] if cfg is None else complete_values(cfg, setting)


def _names(cfg: DictConfig, line: CommandLine, section: str) -> Iterator[str]:
    """Settings and groups directly below ``section``: ``name=``, or ``name.`` for what has settings of its own."""
    found: Any = OmegaConf.select(cfg, section) if section else cfg
    prefix = f"{section}." if section else ""
    for key in found if isinstance(found, DictConfig) else ():
        if not str(key).startswith("_"):
            has_settings = OmegaConf.is_dict(OmegaConf.select(cfg, f"{prefix}{key}"))
            yield f"{prefix}{key}." if has_settings else f"{prefix}{key}="
    if not section:
        folders = {path.name for source in line.sources() for path in source.folder.iterdir() if path.is_dir()}
        yield from (f"{group}=" for group in sorted(folders) if list_options(group, line.sources()))


def _composed(line: CommandLine, config_name: str) -> DictConfig | None:
    """The configuration; None if the words before are incomplete or wrong."""
    try:
        return line.compose(config_name)
    except HydraException:
        return None
