"""Runs that are not in the tables of a report, each with the reason."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from convexp.config.command_line.format import shell_path_override
from convexp.records import Result
from convexp.records.folder import State, busy, state
from convexp.records.plan import Plan, PlannedRun
from convexp.records.settings import printable

RUNNING_ELSEWHERE = "another process is running it"


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
    state: str
    reason: str


def unfinished(root: Path, runs: Sequence[Result], plan: Plan | None) -> list[Unfinished]:
    """Return the runs that did not finish, in the order given, followed by planned runs that have no folder."""
    return [*(_found(root, run) for run in runs if run["state"] != "finished"), *_missing(root, runs, plan)]


def _found(root: Path, run: Result) -> Unfinished:
    path, found = str(run["path"]), str(run["state"])
    lines = str(run.get("error") or "").strip().splitlines()
    reason = printable(lines[-1]) if lines else None
    if found == "running":
        found, reason = _running(root / path, run)
    if found == "failed" and run.get("identity") is None and run.get("mendable"):
        found = "wrong settings"
    if found == "interrupted" and reason is None:
        command = f"convexp-train {shell_path_override('resume', (root / path).resolve())}"
        reason = f"to resume: {command}, or start the study again"
    return Unfinished(path, printable(found), reason or "no reason recorded")


def _running(folder: Path, run: Result) -> tuple[str, str | None]:
    """The state of a run whose record says ``running``: that is true only while a process holds the lock of its folder."""
    with suppress(OSError):
        if state(folder, run.get("identity")) is not State.BUSY:
            return "interrupted", None
    return "running", RUNNING_ELSEWHERE


def _missing(root: Path, runs: Sequence[Result], plan: Plan | None) -> Iterator[Unfinished]:
    found = {str(run["path"]): run for run in runs}
    for planned in plan.runs if plan else ():
        run = found.get(planned.folder)
        if planned.identity is None and (run is None or run["state"] == "finished"):
            yield Unfinished(planned.folder, "wrong settings", "start the study again to see which settings are wrong")
        elif run is None and busy(root / planned.folder):
            yield Unfinished(planned.folder, "running", RUNNING_ELSEWHERE)
        elif run is None:
            yield Unfinished(planned.folder, "missing", "planned but not started")
        elif _is_another_run(planned, run):
            yield Unfinished(planned.folder, "missing", "planned, but its folder holds a run with other settings")


def _is_another_run(planned: PlannedRun, run: Result) -> bool:
    return run["state"] == "finished" and planned.identity is not None and run.get("identity") != planned.identity
