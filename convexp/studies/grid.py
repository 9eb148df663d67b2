"""The grid of a study: the values that settings take, and all their combinations.

A grid maps settings to values: a list (``[1, 3, 5]``), or a text in the syntax of Hydra's sweeps (``range(1, 6, step=2)``).
Settings that change together share a line: ``"model.readout, model.pool": [[flatten, none], [global_avg, max]]``.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from convexp.config.command_line.format import format_value
from convexp.config.command_line.override import parse_override
from convexp.errors import ConfigError
from convexp.studies.overrides import MAX_RUNS, grid_values, sweep_texts

Row = tuple[str, ...]


@dataclass(frozen=True)
class Axis:
    """Settings that change together, and the values that they take.

    Attributes:
        settings: Names of the settings; mostly one.
        rows: One row for each step along the axis, with one value for each setting, formatted for Hydra's command line.
    """

    settings: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def key(self) -> str:
        """The settings as the grid names them, separated by commas."""
        return ", ".join(map(_plain, self.settings))

    def value(self, row: Row) -> Any:
        """The parsed value of a row, or a list of values if the axis has several settings."""
        values = [parse_override(f"{setting}={text}").value() for setting, text in zip(self.settings, row, strict=True)]
        return values[0] if len(values) == 1 else values


Point = tuple[tuple[Axis, Row], ...]  # one row of every axis


def axes(grid: dict[str, Any], where: str = "study.grid") -> list[Axis]:
    """Parse a grid into its axes, in its order.

    Raises:
        ConfigError: if an axis has no values, or values that do not fit its settings, or a setting is on two axes.
    """
    found: list[Axis] = []
    for key, values in grid.items():
        settings = tuple(part.strip() for part in str(key).split(","))
        rows = grid_values(settings[0] if len(settings) == 1 else "x", values)
        if not rows:
            raise ConfigError(f"{where}: {key} has no values; name at least one")
        found.append(Axis(settings, tuple(_row(where, str(key), settings, row) for row in rows)))
    settings = [setting for axis in found for setting in axis.settings]
    if twice := [setting for setting in settings if settings.count(setting) > 1]:
        raise ConfigError(f"{where}: {twice[0]} stands on two lines; settings that change together share one")
    return found


def _row(where: str, key: str, settings: tuple[str, ...], row: Any) -> Row:
    values: Sequence[Any] = [row] if len(settings) == 1 else row
    if not isinstance(values, list | tuple) or len(values) != len(settings):
        raise ConfigError(f"{where}: {key}={row}: should be a list of {len(settings)} values, one for each setting")
    try:
        return tuple(map(format_value, values))
    except ValueError as error:
        raise ConfigError(f"{where}: {key}: {error}") from None


def product(grid: Iterable[Axis]) -> list[Point]:
    """All combinations of the rows of the axes; the last axis changes fastest.

    Raises:
        ConfigError: if there are more than ``MAX_RUNS``.
    """
    grid = list(grid)
    if (count := math.prod(len(axis.rows) for axis in grid)) > MAX_RUNS:
        settings = "; ".join(axis.key for axis in grid)
        raise ConfigError(f"{settings}: make {count:,} runs; a sweep has at most {MAX_RUNS:,}")
    return [tuple(point) for point in itertools.product(*([(axis, row) for row in axis.rows] for axis in grid))]


def apply_overrides(grid: list[Axis], overrides: Sequence[str]) -> tuple[list[Axis], list[str]]:
    """Apply the overrides of the command line to a grid.

    An override of a setting of the grid replaces its axis; one that sweeps over another setting adds an axis.

    Returns:
        The changed axes, and the overrides that are the same for all runs.

    Raises:
        ConfigError: if one of several settings that change together is overridden.
    """
    parsed = [parse_override(text) for text in overrides]
    given = {_plain(override.get_key_element()): override for override in parsed}  # the last override of a setting counts
    joint = {_plain(setting): axis.key for axis in grid if len(axis.settings) > 1 for setting in axis.settings}
    if found := [setting for setting in given if setting in joint]:
        raise ConfigError(
            f"{found[0]}: changes together with others in this study ({joint[found[0]]}); change its study.grid instead"
        )
    changed = {
        key: Axis((override.get_key_element(),), tuple((text,) for text in sweep_texts(override)))
        for key, override in given.items()
    }
    known = {_plain(axis.settings[0]) for axis in grid}
    new = [changed[key] for key, override in given.items() if override.is_sweep_override() and key not in known]
    constant = [o.input_line or "" for key, o in given.items() if not o.is_sweep_override() and key not in known]
    return [*(changed.get(_plain(axis.settings[0]), axis) for axis in grid), *new], constant


def _plain(setting: str) -> str:
    """The name of a setting that is added, ``+name``, or overridden whether it is there or not, ``++name``."""
    return setting.lstrip("+")
