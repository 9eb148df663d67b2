"""The runs of a sweep: their configurations, their folders, and which of them are done already."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

from convexp.config import parse_config
from convexp.config.command_line.groups import normalize_choice
from convexp.config.folders import check_subfolder
from convexp.errors import ConfigError
from convexp.records import RunStatus, read_record
from convexp.records.index import records_below
from convexp.records.plan import PlannedRun, read_plan
from convexp.records.settings import completed, flatten
from convexp.records.statuses import statuses_of
from convexp.records.values import same_value, unique
from convexp.studies.checking import Checker
from convexp.studies.composer import Composer
from convexp.studies.grid import Axis, Point
from convexp.terminal import console

MANY = 100  # jobs

FolderName = Callable[[int, list[str], Any], str]  # (number, overrides, settings) of a run -> name of its folder


@dataclass(frozen=True)
class Job:
    """One run of a sweep.

    Attributes:
        number: Index of the run in the sweep, finished runs included; ``${hydra:job.num}``.
        folder: Name of the run's folder in the sweep's.
        overrides: Overrides that configure the run, as on the command line.
        point: The run's place in the grid.
        error: What is wrong with the configuration, if it is.
        identity: The identity hash of the configuration; None if that is wrong.
        state: The state of the run's folder.
    """

    number: int
    folder: str
    overrides: list[str]
    point: Point
    error: ConfigError | None
    identity: str | None
    state: RunStatus = RunStatus.NEW

    @property
    def values(self) -> dict[str, Any]:
        """The run's value on each axis, by the key of the axis; of a number that is not finite, its text."""
        found = {axis.key: axis.value(row) for axis, row in self.point}
        return {key: str(value) if isinstance(value, float) and not isfinite(value) else value for key, value in found.items()}

    def planned_run(self) -> PlannedRun:
        """The run as ``study.json`` lists it."""
        return PlannedRun(self.folder, self.identity, self.values)


def plan_jobs(points: list[Point], constant: list[str], composer: Composer, name: FolderName, first: int = 0) -> list[Job]:
    """Make a job for each point, and check its configuration.

    Args:
        points: The points.
        constant: Overrides that are the same for all.
        composer: Composes their configurations.
        name: Names their folders.
        first: Number of the first job.

    Raises:
        HydraException: if a configuration cannot be composed.
        ConfigError: if two runs would share a folder, or one would lie outside the sweep's.
    """
    jobs: list[Job] = []
    checker = Checker()
    for number, point in enumerate(console.track(points, "plan"), first):
        texts = [f"{setting}={value}" for axis, row in point for setting, value in zip(axis.settings, row, strict=True)]
        overrides = [normalize_choice(text, composer.sources) for text in (*constant, *texts)]
        identity, error, settings = _checked(number, overrides, composer, checker)
        folder = name(number, overrides, settings)
        check_subfolder("hydra.sweep.subdir", folder)
        jobs.append(Job(number, folder, overrides, point, error, identity))
    _check_folders(jobs)
    return jobs


def check_some_valid(jobs: list[Job]) -> None:
    """Check that the settings of at least one job are valid.

    Raises:
        ConfigError: what is wrong with the first job, if all are wrong.
    """
    if jobs and all(job.error for job in jobs):
        assert jobs[0].error is not None
        raise jobs[0].error


def _checked(
    number: int, overrides: list[str], composer: Composer, checker: Checker
) -> tuple[str | None, ConfigError | None, Any]:
    """The identity of a configuration, or what is wrong with it, and its settings."""
    settings: Any = None
    try:
        settings = composer.values(number, overrides)
        return checker.identity(settings), None, settings
    except ConfigError as error:
        return None, error, settings or composer.compose(number, overrides)


def _check_folders(jobs: list[Job]) -> None:
    seen: set[str] = set()
    for job in jobs:
        if job.folder in seen:
            raise ConfigError(
                f"hydra.sweep.subdir: {' '.join(job.overrides)} would share the folder {job.folder} with another run"
            )
        seen.add(job.folder)


def in_known_folders(jobs: list[Job], root: Path) -> list[Job]:
    """The jobs, each that has been begun in ``root`` under another name in its folder of then.

    Folders are named after the values that differ, so that names change when a sweep grows by an axis; identities do not.
    """
    before = read_plan(root)
    known = {run.identity: run.folder for run in before.runs if run.identity and (root / run.folder).is_dir()} if before else {}
    taken, found = {job.folder for job in jobs}, list[Job]()
    for job in jobs:
        folder = known.get(job.identity or "")
        if folder is not None and folder not in taken and not (root / job.folder).is_dir():
            taken.add(folder)
            job = replace(job, folder=folder)
        found.append(job)
    return found


def with_state(jobs: list[Job], root: Path, composer: Composer, look_only: bool = False) -> list[Job]:
    """The jobs with the states of their folders in ``root``.

    Args:
        jobs: The jobs.
        root: The folder of the sweep.
        composer: Composes the configurations of runs.
        look_only: Whether nothing may be written: neither the index, nor the end of leases whose process has died.

    Raises:
        ConfigError: if folders hold runs with other settings.
    """
    recorded = (
        records_below(root, with_maps=False, update=not look_only) if len(jobs) >= MANY else []
    )  # few are looked at one by one
    finished = {run.path: run.identity for run in recorded if run.is_finished}
    open_jobs = [job for job in jobs if job.identity is None or finished.get(job.folder) != job.identity]
    states = statuses_of([(root / job.folder, job.identity) for job in open_jobs], end_stale=not look_only)
    looked_at = dict(zip((job.folder for job in open_jobs), states, strict=True))  # the others need not be looked into
    known = [replace(job, state=looked_at.get(job.folder, RunStatus.FINISHED)) for job in jobs]
    if others := [job for job in known if job.state is RunStatus.OTHER]:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise ConfigError(
            f"{root}: holds {others[0].folder}{more} with other settings ({_differences(others[0], root, composer)}); keep "
            "them apart by another study.name or hydra.sweep.dir"
        )
    return known


def _differences(job: Job, root: Path, composer: Composer) -> str:
    """The first three settings that differ between the run in the folder and the job."""
    record = read_record(root / job.folder)
    before = completed(flatten(record.config or {})) if record else {}
    now = flatten(parse_config(composer.values(job.number, job.overrides)).model_dump(by_alias=True))
    differ = [
        key
        for key in {**before, **now}
        if not same_value(before.get(key), now.get(key)) and not key.startswith(("study.", "name"))
    ]
    return ", ".join(f"{key}={before.get(key)}, now {now.get(key)}" for key in differ[:3]) or "of an older convexp"


def axis_values(grid: list[Axis], points: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """The values that the points have on each axis, in the order of the grid."""
    return {axis.key: unique(point[axis.key] for point in points if axis.key in point) for axis in grid}
