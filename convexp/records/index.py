"""All runs below a folder."""

import gc
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from convexp.errors import ConfigError, ConvexpError
from convexp.records.result import FILE, Result, read_result
from convexp.records.slim import Keeper


def run_folders(root: Path) -> Iterator[Path]:
    """Folders below ``root`` (itself included) that a run has been started in, sorted by path; links are not followed."""
    folders = [root]
    while folders:
        folder = folders.pop()
        below, is_run = _look(folder)
        if is_run:
            yield folder  # runs do not nest
        else:
            folders.extend(folder / name for name in sorted(below, reverse=True))


def _look(folder: Path) -> tuple[list[str], bool]:
    """The folders in ``folder``, and whether it is a run's."""
    below: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name == FILE:
                    return [], True
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.name)
    except OSError:
        return [], True  # to be listed as damaged: what is left out of a report has to be seen
    return below, ".hydra" in below and "checkpoints" in below


def collect(root: Path) -> list[Result]:
    """What reports need of the results of all runs below ``root``, each with its folder as ``path`` (relative to ``root``).

    Of the probes only the maps of the shift map are kept. Sections that are equal in two runs are one object. A run whose
    result is damaged or missing is listed with the state ``damaged`` and the reason as ``error``, and one that a newer convexp
    wrote likewise as ``newer``.

    Raises:
        ConfigError: if ``root`` is no folder that can be read.
    """
    _check(root)
    keeper = Keeper()
    with all_kept():
        return [{**_read(folder, keeper), "path": str(folder.relative_to(root))} for folder in run_folders(root)]


@contextmanager
def all_kept() -> Generator[None]:
    """Python's search for garbage is off: among thousands of results, which are none, it takes a tenth of a report's time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _check(root: Path) -> None:
    if not root.exists():
        raise ConfigError(f"{root}: there is no such folder; name one that runs lie in, such as outputs/studies/NAME")
    if not root.is_dir():
        raise ConfigError(f"{root}: is a file; name the folder that the runs lie in")
    if not os.access(root, os.R_OK | os.X_OK):
        raise ConfigError(f"{root}: you are not permitted to read this folder")


def some(root: Path) -> list[Result]:
    """``collect`` where there is something to collect.

    Raises:
        ConfigError: as ``collect``, or if there are no runs.
    """
    found = collect(root)
    if not found:
        raise ConfigError(f"{root}: there are no runs of convexp in this folder; name one that runs lie in")
    return found


def _read(folder: Path, keeper: Keeper) -> Result:
    try:
        result = read_result(folder)
    except ConvexpError as error:
        return {"state": "newer", "error": str(error)}
    if result is None:
        return {"state": "damaged", "error": f"{FILE} is missing or damaged"}
    try:
        return keeper.kept(result)
    except (ValueError, RecursionError) as error:
        return {"state": "damaged", "error": f"{FILE} is not as a run writes it: {error}"}
