"""The runs below a folder with what an overview needs of each: those that were started, and those that are planned."""

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from convexp.records.index import records_below
from convexp.records.plan import Plan, read_plan
from convexp.records.record import RunRecord
from convexp.records.record_file import FILE
from convexp.records.settings import last_line, lookup
from convexp.records.status import RunStatus
from convexp.records.submissions import Submission, read_submissions


class SeenRun(Struct, frozen=True, kw_only=True):
    """A run as its record and the plan of its sweep show it.

    Attributes:
        path: Its folder, relative to the one that is looked at.
        state: What its record says; MISSING if it has none yet, WRONG if its settings are.
        seconds: How long it took so far, over all its starts; None if that is not recorded.
        epochs: For how many epochs it is to be trained; None if that is not recorded.
        error: The last line of its error; None if there is none.
        submission: How it was handed to an engine; None if it was not.
    """

    path: str
    state: RunStatus
    seconds: float | None = None
    epochs: int | None = None
    error: str | None = None
    submission: Submission | None = None


def read_runs(root: Path, plans: dict[Path, Plan | None]) -> list[SeenRun]:
    """Read the runs below ``root``, sorted by path; after those that were started come those that are planned.

    Args:
        root: The folder.
        plans: The plans of the sweeps in it, by their folders; new ones are added.

    Raises:
        ConvexpError: If a newer version of convexp wrote a plan.
    """
    found: dict[str, SeenRun] = {}
    plans[root] = read_plan(root)  # it grows while it is written
    for record in records_below(root, with_maps=False, update=False):
        folder = root / record.path
        found[record.path] = _seen(record, folder)
        if folder != root and folder.parent not in plans:
            plans[folder.parent] = read_plan(folder.parent)
    for sweep, plan in plans.items():
        _add_planned(found, root, sweep, plan)
    return list(found.values())


def _seen(record: RunRecord, folder: Path) -> SeenRun:
    epochs = lookup(record.config, "trainer.max_epochs")
    return SeenRun(
        path=record.path,
        state=_state(record, folder),
        seconds=record.seconds.total,
        epochs=epochs if type(epochs) is int and epochs > 0 else None,
        error=last_line(record.error),
    )


def _state(record: RunRecord, folder: Path) -> RunStatus:
    if record.state is RunStatus.DAMAGED and folder.is_dir() and not (folder / FILE).exists():
        return RunStatus.MISSING  # it is about to begin
    return RunStatus.WRONG if record.has_wrong_settings else record.state


def _add_planned(found: dict[str, SeenRun], root: Path, sweep: Path, plan: Plan | None) -> None:
    """Add the planned runs that were not started, and to all that have not finished how they were handed to an engine."""
    for path, state in _planned(root, sweep, plan):
        found.setdefault(path, SeenRun(path=path, state=state))
    for name, submission in read_submissions(sweep).items():
        run = found.get(str((sweep / name).relative_to(root)))
        if run is not None and run.state is not RunStatus.FINISHED:
            found[run.path] = replace(run, submission=submission)


def _planned(root: Path, sweep: Path, plan: Plan | None) -> Iterator[tuple[str, RunStatus]]:
    for run in plan.runs if plan else ():
        folder = sweep / run.folder
        yield str(folder.relative_to(root)), RunStatus.WRONG if run.identity is None else RunStatus.MISSING
