"""What trackers call a run, kept in its folder, so that a resumed run goes on in the same one."""

import re
from pathlib import Path

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
    known = read_json(folder / FILE) or {}
    if known.get(tracker) != name:
        write_json(folder / FILE, known | {tracker: name})


def kept_name(folder: Path, tracker: str, purge_step: int | None) -> str | None:
    """Return what a tracker calls the run that goes on.

    Args:
        folder: Folder of the run.
        tracker: Name of the tracker.
        purge_step: First step that a resumed run writes again; None for one that starts at the beginning.

    Returns:
        The name; None for a run that the tracker is to begin.
    """
    name = None if purge_step is None else (read_json(folder / FILE) or {}).get(tracker)
    return name if isinstance(name, str) and NAME.fullmatch(name) else None
