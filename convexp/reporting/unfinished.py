"""Runs that are in no table, and why."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from convexp.config.spelling import typed
from convexp.records import Result
from convexp.records.folder import State, busy, state
from convexp.records.plan import Plan, PlannedRun
from convexp.records.settings import printable

BUSY = "another process is working on it"


@dataclass(frozen=True)
class Unfinished:
    """A run that is in no table.

    Attributes:
        path: of its folder, relative to the report's.
        state: failed, running, interrupted, damaged, newer (of a convexp that is), missing (planned, no folder) or wrong
            settings.
        reason: in one line.
    """

    path: str
    state: str
    reason: str


def unfinished(root: Path, runs: Sequence[Result], plan: Plan | None) -> list[Unfinished]:
    """Runs that did not finish, as they were found, and after them planned ones that have no folder."""
    return [*(_found(root, run) for run in runs if run["state"] != "finished"), *_missing(root, runs, plan)]


def _found(root: Path, run: Result) -> Unfinished:
    path, found = str(run["path"]), str(run["state"])
    lines = str(run.get("error") or "").strip().splitlines()
    said = printable(lines[-1]) if lines else None
    if found == "running":
        found, said = _running(root / path, run)
    if found == "failed" and run.get("identity") is None and run.get("mendable"):
        found = "wrong settings"
    if found == "interrupted" and said is None:
        said = f"to go on: convexp-train {typed('resume', (root / path).resolve())}, or start the study again"
    return Unfinished(path, printable(found), said or "no reason noted")


def _running(folder: Path, run: Result) -> tuple[str, str | None]:
    """A run that says that it runs does so only as long as its process holds the folder."""
    with suppress(OSError):
        if state(folder, run.get("identity")) is not State.BUSY:
            return "interrupted", None
    return "running", BUSY


def _missing(root: Path, runs: Sequence[Result], plan: Plan | None) -> Iterator[Unfinished]:
    found = {str(run["path"]): run for run in runs}
    for planned in plan.runs if plan else ():
        run = found.get(planned.folder)
        if planned.identity is None and (run is None or run["state"] == "finished"):
            yield Unfinished(planned.folder, "wrong settings", "the study says which, when it is started again")
        elif run is None and busy(root / planned.folder):
            yield Unfinished(planned.folder, "running", BUSY)
        elif run is None:
            yield Unfinished(planned.folder, "missing", "planned, and not started")
        elif _another(planned, run):
            yield Unfinished(planned.folder, "missing", "planned, but its folder holds a run of other settings")


def _another(planned: PlannedRun, run: Result) -> bool:
    return run["state"] == "finished" and planned.identity is not None and run.get("identity") != planned.identity
