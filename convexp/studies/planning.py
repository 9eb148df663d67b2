"""The runs of a sweep: their configurations, their folders, and which of them are done already."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from convexp.config import Config
from convexp.config.checked_ahead import check_ahead
from convexp.config.command_line.groups import normalize_choice
from convexp.config.folders import check_subfolder
from convexp.config.hydra_context import set_job_number
from convexp.errors import ConfigError
from convexp.records import RunStatus, identity_hash, read_record
from convexp.records.plan import PlannedRun
from convexp.records.settings import completed, flatten
from convexp.records.statuses import statuses_of
from convexp.studies.composer import Composer
from convexp.studies.grid import Axis, Point
from convexp.terminal import console

FolderName = Callable[[int, list[str], DictConfig], str]  # (number, overrides, configuration) of a run -> name of its folder


@dataclass(frozen=True)
class Job:
    """One run of a sweep.

    Attributes:
        number: Index of the run in the sweep, finished runs included; ``${hydra:job.num}``.
        folder: Name of the run's folder in the sweep's.
        overrides: Overrides that configure the run, as on the command line.
        point: The run's place in the grid.
        config: The checked configuration; None if it is wrong.
        error: What is wrong with the configuration, if it is.
        identity: The identity hash of the configuration; None if that is wrong.
        state: The state of the run's folder.
    """

    number: int
    folder: str
    overrides: list[str]
    point: Point
    config: Config | None
    error: ConfigError | None
    identity: str | None
    state: RunStatus = RunStatus.NEW

    @property
    def values(self) -> dict[str, Any]:
        """The run's value on each axis, by the key of the axis."""
        return {axis.key: axis.value(row) for axis, row in self.point}

    def planned_run(self) -> PlannedRun:
        """The run as ``study.json`` lists it."""
        return PlannedRun(self.folder, self.identity, self.values)


def plan_jobs(points: list[Point], constant: list[str], composer: Composer, name: FolderName) -> list[Job]:
    """Make a job for each point, and check its configuration.

    Raises:
        HydraException: if a configuration cannot be composed.
        ConfigError: if all configurations are wrong, or two runs would share a folder, or one would lie outside the sweep's.
    """
    jobs: list[Job] = []
    for number, point in enumerate(console.track(points, "plan")):
        texts = [f"{setting}={value}" for axis, row in point for setting, value in zip(axis.settings, row, strict=True)]
        overrides = [normalize_choice(text, composer.sources) for text in (*constant, *texts)]
        set_job_number(number)
        settings = composer.compose(overrides)
        config, error = _checked(settings)
        folder = name(number, overrides, settings)
        check_subfolder("hydra.sweep.subdir", folder)
        identity = None if config is None else identity_hash(config.identity())
        jobs.append(Job(number, folder, overrides, point, config, error, identity))
    if jobs and all(job.error for job in jobs):
        assert jobs[0].error is not None
        raise jobs[0].error
    _check_folders(jobs)
    return jobs


def _checked(settings: DictConfig) -> tuple[Config | None, ConfigError | None]:
    try:
        return check_ahead(settings), None
    except ConfigError as error:
        return None, error


def _check_folders(jobs: list[Job]) -> None:
    seen: set[str] = set()
    for job in jobs:
        if job.folder in seen:
            raise ConfigError(
                f"hydra.sweep.subdir: {' '.join(job.overrides)} would share the folder {job.folder} with another run"
            )
        seen.add(job.folder)


def with_state(jobs: list[Job], root: Path) -> list[Job]:
    """The jobs with the states of their folders in ``root``.

    Raises:
        ConfigError: if folders hold runs with other settings.
    """
    states = statuses_of([(root / job.folder, job.identity) for job in jobs], end_stale=True)
    known = [replace(job, state=state) for job, state in zip(jobs, states, strict=True)]
    if others := [job for job in known if job.state is RunStatus.OTHER]:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise ConfigError(
            f"{root}: holds {others[0].folder}{more} with other settings ({_differences(others[0], root)}); keep them apart by "
            "another study.name or hydra.sweep.dir"
        )
    return known


def _differences(job: Job, root: Path) -> str:
    """The first three settings that differ between the run in the folder and the job."""
    record = read_record(root / job.folder)
    before = completed(flatten(record.config or {})) if record else {}
    assert job.config is not None
    now = flatten(job.config.model_dump(by_alias=True))
    differ = [key for key in {**before, **now} if before.get(key) != now.get(key) and not key.startswith(("study.", "name"))]
    return ", ".join(f"{key}={before.get(key)}, now {now.get(key)}" for key in differ[:3]) or "of an older convexp"


def axis_values(grid: list[Axis], jobs: list[Job]) -> dict[str, list[Any]]:
    """The values that the jobs have on each axis, in the order of the grid."""
    points = [job.values for job in jobs]
    used = {axis.key: [point[axis.key] for point in points if axis.key in point] for axis in grid}
    return {key: [v for i, v in enumerate(values) if v not in values[:i]] for key, values in used.items()}
