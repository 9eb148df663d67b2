"""Runs that are not in the tables of a report, each with the reason."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from convexp.config.command_line.format import shell_path_override
from convexp.records import RunRecord, RunStatus
from convexp.records.plan import Plan, PlannedRun
from convexp.records.settings import last_line
from convexp.records.statuses import busy_among, statuses_of

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
    running = _states([(root / run.path, run.identity) for run in runs if run.state is RunStatus.RUNNING])
    found = [_found(root, run, running.get(root / run.path)) for run in runs if not run.is_finished]
    return [*found, *_missing(root, runs, plan)]


def _states(running: list[tuple[Path, str | None]]) -> dict[Path, RunStatus]:
    """The states of runs whose records say ``running``; those whose folders may not be read are left out."""
    readable = [each for each in running if os.access(each[0], os.R_OK | os.X_OK)]
    return dict(zip([path for path, _ in readable], statuses_of(readable), strict=True))


def _found(root: Path, run: RunRecord, now: RunStatus | None) -> Unfinished:
    path, found, reason = run.path, run.state, last_line(run.error)
    if found is RunStatus.RUNNING:
        found, reason = _running(now)
    if run.has_wrong_settings:
        found = RunStatus.WRONG
    if found is RunStatus.PRUNED and reason is not None:
        reason = reason.removeprefix("pruned ")  # which the status says
    if found is RunStatus.INTERRUPTED and reason is None:
        command = f"convexp-train {shell_path_override('resume', (root / path).resolve())}"
        reason = f"to resume: {command}, or start the study again"
    return Unfinished(path, found, reason or "no reason recorded")


def _running(now: RunStatus | None) -> tuple[RunStatus, str | None]:
    """The state of a run whose record says ``running``: that is true only while a process holds its folder."""
    if now is RunStatus.FINISHED:
        return RunStatus.RUNNING, FINISHED_SINCE
    if now in (RunStatus.BUSY, None):
        return RunStatus.RUNNING, RUNNING_ELSEWHERE
    return RunStatus.INTERRUPTED, None


def _missing(root: Path, runs: Sequence[RunRecord], plan: Plan | None) -> Iterator[Unfinished]:
    found = {run.path: run for run in runs}
    busy = busy_among(root / planned.folder for planned in plan.runs if planned.folder not in found) if plan else set[Path]()
    for planned in plan.runs if plan else ():
        run = found.get(planned.folder)
        if planned.identity is None and (run is None or run.is_finished):
            yield Unfinished(planned.folder, RunStatus.WRONG, "start the study again to see which settings are wrong")
        elif root / planned.folder in busy:
            yield Unfinished(planned.folder, RunStatus.RUNNING, RUNNING_ELSEWHERE)
        elif run is None:
            yield Unfinished(planned.folder, RunStatus.MISSING, "planned but not started")
        elif _is_another_run(planned, run):
            yield Unfinished(planned.folder, RunStatus.MISSING, "planned, but its folder holds a run with other settings")


def _is_another_run(planned: PlannedRun, run: RunRecord) -> bool:
    return run.is_finished and planned.identity is not None and run.identity != planned.identity
