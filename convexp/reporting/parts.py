"""The runs of one or several folders, and the parts of a report on them: one for each sweep, study or data set."""

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, count
from pathlib import Path

from msgspec.structs import replace

from convexp.records import RunRecord, collect
from convexp.records.plan import FILE as PLAN
from convexp.records.search import FILE as SEARCH
from convexp.records.settings import display_value, lookup, printable


@dataclass(frozen=True)
class Part:
    """Runs that belong together.

    Attributes:
        name: Folder of the sweep relative to that of the report, or else the name of the study or the data set.
        folder: Folder of the sweep, or that of the report.
        runs: The runs, with paths relative to ``folder``.
    """

    name: str
    folder: Path
    runs: list[RunRecord]


def gather(roots: Sequence[Path]) -> tuple[Path, list[RunRecord]]:
    """Read the runs below several folders; a run that lies below two of them, or is reached by two paths, counts once.

    Returns:
        The folder that all have in common, and the runs by path, relative to it.

    Raises:
        ConfigError: If one is not a folder that can be read, or has no run in it.
    """
    if len(roots) == 1:
        return roots[0], collect(roots[0])
    common = Path(os.path.commonpath([os.path.realpath(root) for root in roots]))
    found: dict[str, RunRecord] = {}
    for root in roots:
        for run in collect(root):
            path = os.path.relpath(os.path.realpath(root / run.path), common)
            found.setdefault(path, replace(run, path=path))
    return common, [found[path] for path in sorted(found)]


def parts_of(root: Path, runs: Sequence[RunRecord]) -> list[Part]:
    """Return the parts in the order of their first runs; a single one if ``root`` is itself the folder of a sweep.

    No two have the same name.
    """
    sweeps: dict[str, str | None] = {}
    members: dict[tuple[str | None, str], list[RunRecord]] = {}
    for run in runs:
        sweep = _sweep_of(root, run.path, sweeps)
        members.setdefault((sweep, "" if sweep is not None else _name(run)), []).append(run)
    if len(members) == 1:
        members = {(sweep, printable(root.resolve().name)): found for (sweep, _), found in members.items()}
    return _with_unique_names([_part(root, sweep, name, found) for (sweep, name), found in members.items()])


def _with_unique_names(parts: list[Part]) -> list[Part]:
    """The parts, of which those whose name another has are numbered."""
    taken = {part.name for part in parts}
    seen: set[str] = set()
    for index, part in enumerate(parts):
        if part.name in seen:
            name = next(name for n in count(2) if (name := f"{part.name} ({n})") not in taken)
            parts[index] = dataclasses.replace(part, name=name)
            taken.add(name)
        seen.add(part.name)
    return parts


def _sweep_of(root: Path, path: str, known: dict[str, str | None]) -> str | None:
    """The folder of the sweep that a run belongs to, relative to ``root``: the outermost that has a plan or a search."""
    above = accumulate(Path(path).parts[:-1], lambda folder, name: f"{folder}/{name}")
    for folder in (".", *above):
        if folder not in known:
            known[folder] = folder if any((root / folder / name).is_file() for name in (PLAN, SEARCH)) else None
        if known[folder] is not None:
            return known[folder]
    return None


def _name(run: RunRecord) -> str:
    """The study of a run of no sweep, or else its data set."""
    study, data = lookup(run.config, "study"), lookup(run.config, "data")
    return display_value(study or data or "")


def _part(root: Path, sweep: str | None, name: str, runs: list[RunRecord]) -> Part:
    if sweep in (None, "."):
        return Part(name or "runs", root, runs)
    assert sweep is not None
    moved = [replace(run, path=os.path.relpath(run.path, sweep)) for run in runs]
    return Part(name or printable(sweep), root / sweep, moved)
