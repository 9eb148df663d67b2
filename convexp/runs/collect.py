"""All runs below a folder."""

import os
from collections.abc import Iterator
from pathlib import Path

from convexp.runs.result import FILE, Result, read_result


def run_folders(root: Path) -> Iterator[Path]:
    """Folders below ``root`` (itself included) that a run has been started in, sorted by path."""
    for folder, subfolders, files in os.walk(root):
        subfolders.sort()
        if FILE in files or (".hydra" in subfolders and "checkpoints" in subfolders):
            subfolders.clear()  # runs do not nest
            yield Path(folder)


def collect(root: Path) -> list[Result]:
    """The results of all runs below ``root``, each with its folder as ``path`` (relative to ``root``).

    A run whose result is damaged or missing is listed with the state ``damaged``.
    """
    found: list[Result] = []
    for folder in run_folders(root):
        result = read_result(folder) or {"state": "damaged"}
        found.append({**result, "path": str(folder.relative_to(root))})
    return found
