"""The override ``hydra.searchpath=[...]``: folders with YAML files that the user names."""

from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from convexp.config.sources import find_folder
from convexp.config.user_paths import parse_path
from convexp.errors import ConfigError

FILE, PACKAGE = "file://", "pkg://"


def parse_search_path(override: str) -> list[str]:
    """The entries of an override of ``hydra.searchpath``, folders as ``file://`` and absolute.

    A package (``pkg://name.conf``) becomes its folder, as Hydra would import it. Entries that lead nowhere, and overrides that
    are not lists of texts, are left to Hydra: the list is empty, or has the entry as it is.
    """
    try:
        value: Any = OverridesParser.create().parse_override(override).value() if override else []
    except HydraException:
        return []
    entries: list[Any] = value if isinstance(value, list) else []
    return [_absolute(entry) for entry in entries if isinstance(entry, str)]


def _absolute(entry: str) -> str:
    if entry.startswith(PACKAGE):
        folder = find_folder(entry.removeprefix(PACKAGE))
        return f"{FILE}{folder}" if folder else entry
    if "://" in entry.removeprefix(FILE):
        return entry
    return f"{FILE}{parse_path('hydra.searchpath', entry.removeprefix(FILE)).resolve()}"


def check_search_path(entries: list[str]) -> None:
    """Check that every folder exists, and that every package is installed.

    Raises:
        ConfigError: naming the one that is not there.
    """
    for entry in entries:
        if entry.startswith(PACKAGE) or (entry.startswith(FILE) and not Path(entry.removeprefix(FILE)).is_dir()):
            raise ConfigError(f"hydra.searchpath={entry}: there is no such folder")
