"""Bring a command line into the form that Hydra takes."""

import re
from pathlib import Path

from convexp.config.command_line.format import format_value
from convexp.config.command_line.groups import normalize_choice
from convexp.config.command_line.parse import SEARCH_PATH, CommandLine, parse_command_line
from convexp.config.command_line.search_path import check_search_path
from convexp.config.user_paths import quote_home
from convexp.errors import ConfigError

PYTHON_PATH = "pythonpath"


def arrange_arguments(arguments: list[str]) -> list[str]:
    """The command line with all switches before the overrides, as Hydra requires, and overrides in Hydra's syntax.

    The folders that ``hydra.searchpath`` names become absolute, so that the run can be composed again from anywhere, and
    modules beside a folder of YAML files that the user names can be imported (``pythonpath``).

    Raises:
        ConfigError: for an override that names no setting, or that chooses no option of a group, and for a folder in
            ``hydra.searchpath`` that does not exist.
    """
    switches: list[str] = []
    overrides: list[str] = []
    for previous, argument in zip(["", *arguments], arguments, strict=False):
        if re.match(r"[+~]*=", argument):
            raise ConfigError(f"{argument}: names no setting; write setting=value")
        is_value = previous.startswith(("--config-", "-c")) and "=" not in previous  # of a switch; a folder may be called a=b
        is_override = not argument.startswith("-") and ("=" in argument or argument.startswith("~")) and not is_value
        (overrides if is_override else switches).append(argument)
    line = parse_command_line([*switches, *map(quote_home, overrides)])
    check_search_path(line.searched)
    sources = line.sources()
    chosen = [normalize_choice(override, sources) for override in line.overrides if override != line.override(SEARCH_PATH)]
    return [*switches, *chosen, *_named_folders(line)]


def _named_folders(line: CommandLine) -> list[str]:
    """Overrides for the folders of YAML files that the user names, and for the modules beside them."""
    given = line.override(SEARCH_PATH)
    found = [] if given is None else [f"{SEARCH_PATH}={format_value(line.searched)}" if line.searched else given]
    folders = [Path(entry.removeprefix("file://")) for entry in line.search_path]
    beside = dict.fromkeys(str(folder.parent) for folder in folders if folder.is_dir())
    if beside and line.override(PYTHON_PATH) is None:
        found.append(f"{PYTHON_PATH}={format_value(list(beside))}")
    return found
