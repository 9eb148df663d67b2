"""The points of a grid that a study leaves out (``study.exclude``)."""

from typing import Any

from convexp.config.command_line.format import format_value
from convexp.errors import ConfigError
from convexp.studies.grid import Point
from convexp.studies.overrides import grid_values

Exclusion = dict[str, set[str]]  # setting: its excluded values, formatted for Hydra's command line


def parse_exclusion(settings: dict[str, Any]) -> Exclusion:
    """Parse one entry of ``study.exclude``, which maps settings to one value or several."""
    return {setting: {format_value(value) for value in grid_values(setting, values)} for setting, values in settings.items()}


def is_excluded(point: Point, exclusion: Exclusion) -> bool:
    """Whether every setting of the exclusion has one of the excluded values at the point."""
    at = {setting: text for axis, row in point for setting, text in zip(axis.settings, row, strict=True)}
    return all(at.get(setting) in values for setting, values in exclusion.items())


def parse_exclusions(points: list[Point], entries: list[dict[str, Any]]) -> list[Exclusion]:
    """Parse ``study.exclude``.

    Raises:
        ConfigError: if an entry is empty or excludes none of the points.
    """
    exclusions = [parse_exclusion(entry) for entry in entries]
    for entry, exclusion in zip(entries, exclusions, strict=True):
        if not exclusion or not any(is_excluded(point, exclusion) for point in points):
            raise ConfigError(
                f"study.exclude: {entry}: no point of the grid is like this; name settings and values of study.grid"
            )
    return exclusions
