"""The runs of other sweeps below a folder such as ``outputs``, found with the plans and indices of these sweeps."""

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from convexp.errors import ConvexpError
from convexp.records.damage import DamagedError
from convexp.records.decode import RecordDecoder
from convexp.records.index import STAGING, records_below
from convexp.records.plan import FILE as PLAN
from convexp.records.plan import read_plan
from convexp.records.record import RunRecord
from convexp.records.record_file import FILE as RECORD
from convexp.records.record_file import load_record

RUN_FOLDERS = {".hydra", "checkpoints"}  # a run that has no record yet has both
MANY = 100  # runs of a sweep, from which on its index is read in the place of their records

FoundRun = tuple[Path, RunRecord]  # the folder of a run, and its record


def collections_below(root: Path, skipped: Path | None = None) -> Iterator[Path]:
    """Yield the folders below ``root``, itself included, that hold runs: those of sweeps, and those that runs lie in.

    Links are not followed, and nothing is yielded of what lies below a folder that is yielded.

    Args:
        root: The folder.
        skipped: A folder that is left out with all that lies below it.
    """
    folders = [_list(root)]
    while folders:
        folder = folders.pop()
        if folder.path == skipped:
            continue
        below = None if folder.has_plan or folder.is_run else _below(folder)
        if below is None:
            yield folder.path
        else:
            folders.extend(reversed(below))


@dataclass(frozen=True)
class _Listed:
    """What a folder holds: whether it has a plan, whether it is that of a run, and the folders in it, sorted."""

    path: Path
    has_plan: bool
    is_run: bool
    below: list[Path]


def _list(folder: Path) -> _Listed:
    """List a folder; of one that cannot be read nothing is known."""
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError:
        return _Listed(folder, has_plan=False, is_run=False, below=[])
    names = {entry.name for entry in entries}
    below = {e.name for e in entries if e.is_dir(follow_symlinks=False) and not e.name.startswith(STAGING)}
    return _Listed(folder, PLAN in names, RECORD in names or below >= RUN_FOLDERS, [folder / name for name in sorted(below)])


def _below(folder: _Listed) -> list[_Listed] | None:
    """List the folders in a folder, each once; None if one of them is that of a run."""
    found: list[_Listed] = []
    for path in folder.below:
        listed = _list(path)
        if listed.is_run:
            return None
        found.append(listed)
    return found


def runs_below(root: Path, update: bool) -> Iterator[FoundRun]:
    """Yield the runs of all collections below ``root``, each with its record as ``convexp.records.index.collect`` reads it.

    Args:
        root: The folder.
        update: Whether the indices of the collections may be written.
    """
    for folder in collections_below(root):
        for record in records_below(folder, with_maps=False, update=update):
            yield folder / record.path, record


def runs_in(collections: Iterable[Path], identities: Collection[str], skipped: Path, update: bool) -> Iterator[FoundRun]:
    """Yield the runs in ``collections`` that have one of the identities.

    Of a sweep with a plan only those of its runs are looked at that the plan says to have one of them.

    Args:
        collections: The folders, as ``collections_below`` yields them.
        identities: The identities.
        skipped: The folder of a sweep that is left out.
        update: Whether the indices of the collections may be written.
    """
    decoder = RecordDecoder(for_report=True)
    for folder in collections:
        planned = _planned(folder, identities)
        if planned is None or len(planned) >= MANY:
            found = [(folder / record.path, record) for record in records_below(folder, with_maps=False, update=update)]
        else:
            found = [run for name in planned if (run := _read(folder / name, decoder))]
        yield from (run for run in found if run[1].identity in identities and not run[0].is_relative_to(skipped))


def _planned(folder: Path, identities: Collection[str]) -> list[str] | None:
    """The folders of the runs that the plan in ``folder`` names with one of the identities; None if there is no plan."""
    try:
        plan = read_plan(folder)
    except ConvexpError:  # of a newer version
        return None
    return None if plan is None else [run.folder for run in plan.runs if run.identity in identities and _is_within(run.folder)]


def _is_within(name: str) -> bool:
    """Whether a folder that a plan names, which may come from anybody, lies in that of its sweep."""
    return not Path(name).is_absolute() and ".." not in Path(name).parts


def _read(folder: Path, decoder: RecordDecoder) -> FoundRun | None:
    try:
        return folder, load_record(folder, decoder)
    except (DamagedError, ConvexpError):
        return None
