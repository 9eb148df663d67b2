"""Runs that are not in the tables of a report, each with the reason."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from convexp.config.command_line.format import shell_path_override
from convexp.records import RunRecord, RunStatus
from convexp.records.folder import is_busy, status_of
from convexp.records.plan import Plan, PlannedRun
from convexp.records.settings import last_line

RUNNING_ELSEWHERE = "another process is running it"
FINISHED_SINCE = "has finished since the results were read; call convexp-report again"


@dataclass(frozen=True)
class Unfinished:
    """A run that is not in the tables.

    Attributes:
        path: Path of the run folder, relative to the folder of the report.
        state: ``failed``, ``running``, ``interrupted``, ``damaged``, ``newer`` (written by a newer version of convexp),
            ``missing`` (planned, but without a folder) or ``wrong settings``.
        reason: The reason, in one line.
    """

    path: str
    state: RunStatus
    reason: str


def unfinished(root: Path, runs: Sequence[RunRecord], plan: Plan | None) -> list[Unfinished]:
    """Return the runs that did not finish, in the order given, followed by planned runs that have no folder."""
    return [*(_found(root, run) for run in runs if not run.is_finished), *_missing(root, runs, plan)]


def _found(root: Path, run: RunRecord) -> Unfinished:
    path, found, reason = run.path, run.state, last_line(run.error)
    if found is RunStatus.RUNNING:
        found, reason = _running(root / path, run)
    if found is RunStatus.FAILED and run.identity is None and run.config_error:
        found = RunStatus.WRONG
    if found is RunStatus.INTERRUPTED and reason is None:
        command = f"convexp-train {shell_path_override('resume', (root / path).resolve())}"
        reason = f"to resume: {command}, or start the study again"
    return Unfinished(path, found, reason or "no reason recorded")


def _running(folder: Path, run: RunRecord) -> tuple[RunStatus, str | None]:
    """The state of a run whose record says ``running``: that is true only while a process holds the lock of its folder."""
    with suppress(OSError):
        now = status_of(folder, run.identity)
        if now is RunStatus.FINISHED:
            return RunStatus.RUNNING, FINISHED_SINCE
        if now is not RunStatus.BUSY:
            return RunStatus.INTERRUPTED, None
    return RunStatus.RUNNING, RUNNING_ELSEWHERE


def _missing(root: Path, runs: Sequence[RunRecord], plan: Plan | None) -> Iterator[Unfinished]:
    found = {run.path: run for run in runs}
    for planned in plan.runs if plan else ():
        run = found.get(planned.folder)
        if planned.identity is None and (run is None or run.is_finished):
            yield Unfinished(planned.folder, RunStatus.WRONG, "start the study again to see which settings are wrong")
        elif run is None and is_busy(root / planned.folder):
            yield Unfinished(planned.folder, RunStatus.RUNNING, RUNNING_ELSEWHERE)
        elif run is None:
            yield Unfinished(planned.folder, RunStatus.MISSING, "planned but not started")
        elif _is_another_run(planned, run):
            yield Unfinished(planned.folder, RunStatus.MISSING, "planned, but its folder holds a run with other settings")


def _is_another_run(planned: PlannedRun, run: RunRecord) -> bool:
    return run.is_finished and planned.identity is not None and run.identity != planned.identity
