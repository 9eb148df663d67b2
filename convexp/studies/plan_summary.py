"""The line that a sweep starts with: how many of its runs are done, and what happens to the others."""

from collections.abc import Mapping
from pathlib import Path

from convexp.machine.own_code import ENDING, changed_on_path
from convexp.records import RunStatus
from convexp.records.index import records_below
from convexp.studies.planning import Job
from convexp.terminal import console
from convexp.terminal.words import plural

MAX_NAMED = 5  # folders

TEXTS = {  # in the order of the line
    RunStatus.FINISHED: "already finished",
    RunStatus.INTERRUPTED: "interrupted, to be resumed ({})",
    RunStatus.PRUNED: "pruned by a search, to be resumed ({})",
    RunStatus.FAILED: "failed, to be retried ({})",
    RunStatus.BUSY: "running in another process ({})",
    RunStatus.NEW: "new",
    RunStatus.WRONG: "with wrong settings ({})",
}


def print_plan(jobs: list[Job], root: Path, name: str | None, held: Mapping[str, str], note: str = "") -> None:
    """Print how many runs are finished, resumed, retried and new, as ``plan_line`` says, and which finished with other code.

    Args:
        jobs: The runs.
        root: Folder of the sweep.
        name: Name of the study; None for a sweep by ``-m``.
        held: Where runs are that an engine holds, by their folders.
        note: What follows the line.
    """
    console.out.print(f"{plan_line(jobs, root, name, held)}{note}", markup=False)
    if said := changed_code(jobs, root):
        console.print_warning(said)


def plan_line(jobs: list[Job], root: Path, name: str | None, held: Mapping[str, str]) -> str:
    """Return in one line how many runs are finished, resumed, retried and new.

    Args:
        jobs: The runs.
        root: Folder of the sweep.
        name: Name of the study; None for a sweep by ``-m``.
        held: Where runs are that an engine holds, by their folders (``convexp.engines.waiting``).
    """
    folders = {state: [job.folder for job in jobs if job.state is state and not _is_held(job, held)] for state in TEXTS}
    parts = [f"{len(names)} {TEXTS[state].format(_listed(names))}" for state, names in folders.items() if names]
    if elsewhere := [f"{job.folder}: {held[job.folder]}" for job in jobs if _is_held(job, held)]:
        parts.append(f"{len(elsewhere)} submitted before ({_listed(elsewhere)})")
    before = f"{name}: " if name else ""
    return f"{before}{plural(len(jobs), 'run')} in {console.display_path(root)}: {', '.join(parts)}"


def changed_code(jobs: list[Job], root: Path) -> str:
    """Return which code of the user's own changed since runs were finished, which are not done again; empty if none did."""
    finished = {job.folder for job in jobs if job.state is RunStatus.FINISHED}
    records = records_below(root, with_maps=False, update=False) if finished else []
    own = {
        record.path: tuple((name, digits) for name, digits in record.versions.items() if name.endswith(ENDING))
        for record in records
        if record.path in finished
    }
    found = {versions: changed_on_path(dict(versions)) for versions in {*own.values()}}  # few are different
    changed = {path: found[versions] for path, versions in own.items() if found[versions]}
    if not changed:
        return ""
    files = ", ".join(dict.fromkeys(file for each in changed.values() for file in each))
    return (
        f"{files} changed since {plural(len(changed), 'run')} finished ({_listed([*changed])}), whose results stay; "
        "for results of the new code choose another study.name or hydra.sweep.dir"
    )


def _is_held(job: Job, held: Mapping[str, str]) -> bool:
    return job.folder in held and job.state is not RunStatus.FINISHED


def _listed(names: list[str]) -> str:
    return ", ".join([*names[:MAX_NAMED], *(["..."] if len(names) > MAX_NAMED else [])])
