"""Taking over all runs of a sweep that others have finished."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from convexp.machine.environment import git, versions
from convexp.machine.own_code import changed_on_path
from convexp.records import RunRecord, RunStatus
from convexp.records.index import records_below
from convexp.records.repetitions import result_settings
from convexp.studies.planning import Job
from convexp.studies.reuse.candidates import Finished, Reusable
from convexp.studies.reuse.take_over import NotTakenError, take_over
from convexp.terminal import console
from convexp.terminal.words import plural

MAX_NAMED = 5  # folders
PACKAGES = ("convexp", "torch", "numpy")  # whose versions can change the bits of a result


def take_over_all(jobs: Sequence[Job], reusable: Reusable, root: Path) -> list[Job]:
    """Take over the runs that others have finished, say which, and return the jobs with their states.

    Args:
        jobs: The runs of the sweep.
        reusable: Those that others have finished.
        root: The folder of the sweep.
    """
    found, refused = _with_same_data(reusable, root)
    taken: dict[str, Finished] = {}
    wanted = {job.folder: job for job in jobs}
    for folder, candidates in console.track(found.items(), "taking over", len(found)):
        try:
            taken[folder] = _take_first(candidates, wanted[folder], root)
        except NotTakenError as error:
            refused[folder] = str(error)
    _tell(taken, refused)
    return [replace(job, state=RunStatus.FINISHED) if job.folder in taken else job for job in jobs]


def _take_first(candidates: Sequence[Finished], job: Job, root: Path) -> Finished:
    """Take over the first of the candidates that can be, and return it.

    Raises:
        NotTakenError: if none can be; why the first cannot.
    """
    from convexp.tracking.taken_over import write_taken_row  # imports TensorBoard

    errors: list[NotTakenError] = []
    for candidate in candidates:
        try:
            if others := changed_on_path(candidate.record.versions):
                raise NotTakenError(f"{', '.join(others)} is another one here")
            write = partial(write_taken_row, root, job.folder, job.number)
            take_over(candidate.folder, root / job.folder, root, job.identity or "", write)
        except NotTakenError as error:
            errors.append(error)
        else:
            return candidate
    raise errors[0]


def _with_same_data(reusable: Reusable, root: Path) -> tuple[dict[str, list[Finished]], dict[str, str]]:
    """The runs whose images and split are those of the sweep's other runs on the same data; and why the others are not taken.

    If the sweep has none yet, the run that was finished last decides.
    """
    if not reusable.runs:
        return {}, {}
    decides: dict[str, str] = {}
    own = [run for run in records_below(root, with_maps=False) if run.is_finished]
    latest = sorted((found[0].record for found in reusable.runs.values()), key=lambda run: run.ended or "", reverse=True)
    for run in [*own, *latest]:
        decides.setdefault(_data(run), run.data.images)
    agree = {
        folder: [each for each in found if each.record.data.images == decides[_data(found[0].record)]]
        for folder, found in reusable.runs.items()
    }
    return (
        {folder: found for folder, found in agree.items() if found},
        {folder: "it was trained on other images, or on another split of them" for folder, found in agree.items() if not found},
    )


def _data(run: RunRecord) -> str:
    """The settings of the data as text."""
    found = result_settings({"data": (run.config or {}).get("data")})
    return repr(sorted((key, repr(value)) for key, value in found.items()))


def _tell(taken: dict[str, Finished], refused: dict[str, str]) -> None:
    """Say where runs were taken over from, which of them other code has done, and which were not taken over."""
    sources = Counter(found.folder.parent for found in taken.values())
    for folder, number in sources.items():
        console.out.print(f"{plural(number, 'run')} taken over from {console.display_path(folder)}", markup=False)
    for difference, number in Counter(line for found in taken.values() for line in _differences(found.record)).items():
        console.print_warning(f"{number:,} of them {difference}")
    for folder, reason in list(refused.items())[:MAX_NAMED]:
        console.out.print(f"{folder}: not taken over: {reason}", markup=False)
    if len(refused) > MAX_NAMED:
        console.out.print(f"... and {len(refused) - MAX_NAMED:,} more that were not taken over", markup=False)


def _differences(run: RunRecord) -> list[str]:
    """In what the code that has done a run differs from the one that is installed."""
    here = versions()
    found = [
        f"used {name} {run.versions[name]} instead of {here[name]}"
        for name in PACKAGES
        if name in run.versions and run.versions[name] != here.get(name)
    ]
    if run.git.commit != git().commit:
        found.append(f"used another git commit ({(run.git.commit or 'none')[:8]} instead of {(git().commit or 'none')[:8]})")
    if run.git.dirty:
        found.append("used code with uncommitted changes, which the git commit does not record")
    return found
