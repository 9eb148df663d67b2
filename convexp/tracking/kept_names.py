"""What trackers call a run, kept in its folder, so that a resumed run goes on in the same one."""

import re
from pathlib import Path
from typing import Any, cast

from convexp.files.json_files import read_json, write_json

FILE = "trackers.json"
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # the folder may come from anybody, and a tracker makes paths of a name


def keep_name(folder: Path, tracker: str, name: str) -> None:
    """Keep what a tracker calls the run in a folder.

    Args:
        folder: Folder of the run.
        tracker: Name of the tracker.
        name: What it calls the run.
    """
    found = _read(folder)
    kept = {"folder": str(folder.resolve()), "names": _names(found) | {tracker: name}}
    if kept != found:
        write_json(folder / FILE, kept)


def kept_name(folder: Path, tracker: str, purge_step: int | None) -> str | None:
    """Return what a tracker calls the run that goes on.

    Args:
        folder: Folder of the run.
        tracker: Name of the tracker.
        purge_step: First step that a resumed run writes again; None for one that starts at the beginning.

    Returns:
        The name; None for a run that the tracker is to begin, also for a copy of a run, which has its name in its own folder.
    """
    found = _read(folder)
    name = None if purge_step is None else _names(found).get(tracker)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return None
    first = Path(str(found.get("folder")))
    is_copy = first != folder.resolve() and _names(_read(first)).get(tracker) == name
    return None if is_copy else name


def _read(folder: Path) -> dict[str, Any]:
    return read_json(folder / FILE) or {}


def _names(kept: dict[str, Any]) -> dict[str, Any]:
    names = kept.get("names")
    return cast(dict[str, Any], names) if isinstance(names, dict) else {}
