"""Which runs of a sweep others have finished already, with the same identity."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from convexp.config.hydra_files import is_signed
from convexp.config.run_folder import CHECKPOINT
from convexp.records import RunRecord, RunStatus
from convexp.records.neighbours import FoundRun, runs_with_identity
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
        runs: Where each was finished, by its folder in the sweep.
    """

    runs: dict[str, Finished] = field(default_factory=dict[str, Finished])


def find_reusable(jobs: Sequence[Job], root: Path, outputs: Path, update: bool) -> Reusable:
    """Find those jobs that nobody has begun in the folder of the sweep, and others have finished below ``outputs``.

    Of several that have, the one that was done there counts, and of these the one that ended first.

    Args:
        jobs: The jobs.
        root: The folder of the sweep.
        outputs: The folder of all results.
        update: Whether the indices of other sweeps may be written.
    """
    wanted: dict[str, list[str]] = {}
    for job in jobs:
        if job.state is RunStatus.NEW and job.identity is not None:
            wanted.setdefault(job.identity, []).append(job.folder)
    if not wanted or not outputs.is_dir():
        return Reusable()
    best: dict[str, FoundRun] = {}
    for run in runs_with_identity(outputs, wanted.keys(), root, update):
        identity = run[1].identity or ""
        if (identity not in best or _rank(run) < _rank(best[identity])) and is_complete(*run) and is_signed(run[0]):
            best[identity] = run
    return Reusable({folder: Finished(*found) for identity, found in best.items() for folder in wanted[identity]})


def _rank(run: FoundRun) -> tuple[bool, str, str]:
    folder, record = run
    return record.taken_over is not None, record.ended or "", str(folder)


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
