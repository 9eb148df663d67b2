"""What a sweep is going to do, and what is done already."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from convexp.config import Config, load
from convexp.config.folders import check_subfolder
from convexp.config.groups import chosen
from convexp.config.hydra_values import be_job
from convexp.errors import ConfigError
from convexp.records import identity_hash, read_result
from convexp.records.folder import State, state
from convexp.records.plan import PlannedRun
from convexp.records.settings import flatten
from convexp.studies.composing import Composer
from convexp.studies.grid import Axis, Point
from convexp.terminal import console

Name = Callable[[int, list[str], DictConfig], str]  # of a run's folder: from its number, overrides and settings


@dataclass(frozen=True)
class Job:
    """One run of a sweep: its folder's name, what it is told, and what is known of it.

    Attributes:
        number: among all of them, whatever is done already; ``${hydra:job.num}``.
        overrides: as on the command line.
        config: None if it is wrong, and then ``error`` says why.
    """

    number: int
    folder: str
    overrides: list[str]
    point: Point
    config: Config | None
    error: ConfigError | None
    state: State = State.NEW

    @property
    def identity(self) -> str | None:
        """Of its configuration."""
        return None if self.config is None else identity_hash(self.config.identity())

    def planned(self) -> PlannedRun:
        """As the plan notes it."""
        return PlannedRun(self.folder, self.identity, {axis.key: axis.value(row) for axis, row in self.point})


def jobs(points: list[Point], constant: list[str], composer: Composer, name: Name) -> list[Job]:
    """A job for each point, its configuration checked.

    Raises:
        HydraException: if a configuration cannot be composed.
        ConfigError: if all of them are wrong, or one has no folder of its own within the sweep's.
    """
    found: list[Job] = []
    for number, point in enumerate(console.track(points, "plan")):
        said = [f"{setting}={value}" for axis, row in point for setting, value in zip(axis.settings, row, strict=True)]
        overrides = [chosen(text) for text in (*constant, *said)]
        be_job(number)
        settings = composer.settings(overrides)
        config, error = _checked(settings)
        folder = name(number, overrides, settings)
        check_subfolder("hydra.sweep.subdir", folder)
        found.append(Job(number, folder, overrides, point, config, error))
    if found and all(job.error for job in found):
        assert found[0].error is not None
        raise found[0].error
    folders: dict[str, Job] = {}
    for job in found:
        if job.folder in folders:
            raise ConfigError(
                f"hydra.sweep.subdir: {' '.join(job.overrides)} would share the folder {job.folder} with another run"
            )
        folders[job.folder] = job
    return found


def _checked(settings: DictConfig) -> tuple[Config | None, ConfigError | None]:
    try:
        return load(settings), None
    except ConfigError as error:
        return None, error


def looked_up(found: list[Job], root: Path) -> list[Job]:
    """The jobs with the state in which their folders are.

    Raises:
        ConfigError: if folders hold runs of other settings.
    """
    known = [replace(job, state=state(root / job.folder, job.identity)) for job in found]
    if others := [job for job in known if job.state is State.OTHER]:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise ConfigError(
            f"{root}: holds {others[0].folder}{more} with other settings ({_differences(others[0], root)}); keep them apart by "
            "another study.name or hydra.sweep.dir"
        )
    return known


def _differences(job: Job, root: Path) -> str:
    """Which settings of the run in the folder are others than the job's: the first three."""
    before = flatten((read_result(root / job.folder) or {}).get("config"))
    assert job.config is not None
    now = flatten(job.config.model_dump(by_alias=True))
    apart = [key for key in {**before, **now} if before.get(key) != now.get(key) and not key.startswith(("study.", "name"))]
    return ", ".join(f"{key}={before.get(key)}, now {now.get(key)}" for key in apart[:3]) or "of an older convexp"


def values(grid: list[Axis], found: list[Job]) -> dict[str, list[Any]]:
    """The axes with the values that the jobs have on them, in the order of the grid."""
    points = [job.planned().point for job in found]
    used = {axis.key: [point[axis.key] for point in points if axis.key in point] for axis in grid}
    return {key: [v for i, v in enumerate(seen) if v not in seen[:i]] for key, seen in used.items()}
