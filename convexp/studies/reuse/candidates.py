"""Which runs of a sweep others have finished already, with the same identity."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from convexp.config.hydra_files import is_signed
from convexp.config.run_folder import CHECKPOINT
from convexp.records import RunRecord, RunStatus
from convexp.records.neighbours import runs_in
from convexp.records.settings import lookup
from convexp.studies.planning import Job


@dataclass(frozen=True)
class Finished:
    """A run that somebody else has finished.

    Attributes:
        folder: Its folder.
        record: Its record as a report reads it.
    """

    folder: Path
    record: RunRecord


@dataclass(frozen=True)
class Reusable:
    """Runs of a sweep that others have finished.

    Attributes:
        runs: Where each was finished, by its folder in the sweep: at least one place, the best first.
    """

    runs: dict[str, tuple[Finished, ...]] = field(default_factory=dict[str, tuple[Finished, ...]])


def find_reusable(jobs: Sequence[Job], root: Path, collections: Iterable[Path], update: bool) -> Reusable:
    """Find those jobs that nobody has begun in the folder of the sweep, and others have finished.

    Of several that have, those that were done there come first, and of these the one that ended first.

    Args:
        jobs: The jobs.
        root: The folder of the sweep.
        collections: The folders that hold runs of others.
        update: Whether the indices of other sweeps may be written.
    """
    wanted: dict[str, list[str]] = {}
    for job in jobs:
        if job.state is RunStatus.NEW and job.identity is not None:
            wanted.setdefault(job.identity, []).append(job.folder)
    if not wanted:
        return Reusable()
    found: dict[str, list[Finished]] = {}
    for folder, record in runs_in(collections, wanted.keys(), root, update):
        if is_complete(folder, record) and is_signed(folder):
            found.setdefault(record.identity or "", []).append(Finished(folder, record))
    ranked = {identity: tuple(sorted(runs, key=_rank)) for identity, runs in found.items()}
    return Reusable({folder: runs for identity, runs in ranked.items() for folder in wanted[identity]})


def _rank(run: Finished) -> tuple[bool, str, str]:
    return run.record.taken_over is not None, run.record.ended or "", str(run.folder)


def is_complete(folder: Path, record: RunRecord) -> bool:
    """Whether a run is finished and has all that belongs to it: the checkpoint, unless it only counted costs."""
    return record.is_finished and (lookup(record.config, "only_costs") is True or (folder / CHECKPOINT).is_file())


def reuse_line(reusable: Reusable, total: int, reuse: bool) -> Iterator[str]:
    """Yield a line that says how many runs others have finished, if there are any, and how they are taken over."""
    if reusable.runs:
        are, them = ("is", "it") if len(reusable.runs) == 1 else ("are", "them")
        rest = "and would be taken over" if reuse else f"reuse=true takes {them} over"
        sign = " " if reuse else ": "
        yield f"{len(reusable.runs):,} of {total:,} runs {are} finished in other folders{sign}{rest}"
