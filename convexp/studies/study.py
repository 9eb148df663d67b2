"""From a study and the overrides of the command line to the points that are run."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from convexp.config.command_line.override import parse_override
from convexp.config.folders import check_name
from convexp.config.schema import Study
from convexp.config.schema.config import OF_THE_COMMAND
from convexp.config.validated import validated
from convexp.errors import ConfigError
from convexp.studies.exclusions import Exclusion, is_excluded, parse_exclusions
from convexp.studies.grid import Axis, Point, apply_overrides, axes, product

# The same for all runs of a sweep; of two folders of modules a process imports from one.
FIXED = ("study", "study.name", "outputs", "resume", "on_failure", "data_root", "pythonpath", *OF_THE_COMMAND)


class ExpandedStudy(NamedTuple):
    """The runs that a study and the command line ask for.

    Attributes:
        axes: All axes of all grids of the study.
        points: The points to run, without those excluded; none twice.
        constant: Overrides that are the same for all runs.
    """

    axes: list[Axis]
    points: list[Point]
    constant: list[str]


def read_study(cfg: DictConfig) -> Study | None:
    """The validated study of a configuration; None if it has none.

    Raises:
        ConfigError: naming the setting that is wrong.
    """
    if cfg.get("study") is None:
        return None
    values: Any = OmegaConf.to_container(cfg.study, resolve=True)
    study = validated(Study, values, "study")
    check_name("study.name", study.name)
    return study


def expand(study: Study | None, overrides: Sequence[str]) -> ExpandedStudy:
    """Expand the grids of a study, changed by the overrides of the command line, into points.

    Raises:
        ConfigError: if no point is left, or the study contradicts itself.
    """
    grids = [axes(grid) for grid in _grids(study)]
    exclusions: list[Exclusion] = []
    if study:
        exclusions = parse_exclusions([point for grid in grids for point in product(grid)], study.exclude)
        _check_compare(study, grids)
    every: list[Axis] = []
    points: dict[object, Point] = {}  # by their values: two grids may have a point in common
    constant: list[str] = []
    for grid in grids:
        grid, constant = apply_overrides(grid, overrides)
        every += [axis for axis in grid if axis.key not in [other.key for other in every]]
        included = [point for point in product(grid) if not any(is_excluded(point, exclusion) for exclusion in exclusions)]
        points |= {tuple((axis.settings, row) for axis, row in point): point for point in included}
    if fixed := [axis.key for axis in every if axis.key in FIXED]:
        raise ConfigError(f"{fixed[0]}: is the same for all runs of a sweep; give it one value")
    if empty := [axis.key for axis in every if not axis.rows]:
        raise ConfigError(f"{empty[0]}: should have a value, and this range or list has none")
    if not points:
        raise ConfigError("study.exclude: leaves no run of the grid")
    return ExpandedStudy(every, list(points.values()), without_those_of_the_command(constant))


def without_those_of_the_command(overrides: Sequence[str]) -> list[str]:
    """Return the overrides without those of settings that say what the command does: its runs do not have them."""
    return [text for text in overrides if parse_override(text).get_key_element() not in OF_THE_COMMAND]


def _grids(study: Study | None) -> list[dict[str, Any]]:
    """The grids of a study; a single empty one for a sweep of the command line alone."""
    if study is None:
        return [{}]
    grids = study.grid if isinstance(study.grid, list) else [study.grid]
    if not grids or not all(grids):
        raise ConfigError(f"study.grid={study.grid}: is empty; name settings and their values, as in model: [conv, local]")
    return grids


def _check_compare(study: Study, grids: list[list[Axis]]) -> None:
    known: dict[str, list[Any]] = {}
    for axis in (axis for grid in grids for axis in grid):
        known.setdefault(axis.key, []).extend(axis.value(row) for row in axis.rows)
    for key, value in study.compare.items():
        if key not in known:
            raise ConfigError(f"study.compare: {key} is on no axis of study.grid; there are {'; '.join(known)}")
        if value not in known[key]:
            raise ConfigError(f"study.compare: {key}={value}: is no value of study.grid; there are {known[key]}")
