"""From the grid of a study and the command line to the runs.

A grid maps settings to values: a list (``[1, 3, 5]``), or a text as Hydra's sweeps have it (``range(1, 6, step=2)``). Settings
that move together share a line: ``"model.readout, model.pool": [[flatten, none], [global_avg, max]]``.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, OverrideParseException

from convexp.config.spelling import spell
from convexp.errors import ConfigError

Row = tuple[str, ...]
MOST = 100_000  # runs of a sweep, each of which is listed, composed and gets a folder


@dataclass(frozen=True)
class Axis:
    """Settings that move together (mostly one) and their values, a row for each step, as Hydra's command line spells them."""

    settings: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def key(self) -> str:
        """As the grid names it."""
        return ", ".join(setting.lstrip("+") for setting in self.settings)

    def value(self, row: Row) -> Any:
        """What the row means: one value, or a list with one for each setting."""
        values = [meaning(spelled) for spelled in row]
        return values[0] if len(values) == 1 else values


Point = tuple[tuple[Axis, Row], ...]


@cache  # a grid has few values and many points
def parse(text: str) -> Override:
    """An override such as ``seed=0,1``.

    Raises:
        ConfigError: if it cannot be read.
    """
    try:
        return OverridesParser.create().parse_override(text)
    except (HydraException, OverrideParseException):
        raise ConfigError(
            f"{text}: cannot be read; write setting=value, and quote a value that holds commas or spaces"
        ) from None


def meaning(spelled: str) -> Any:
    """The value that ``spell`` spelled."""
    return parse(f"x={spelled}").value()


def _values(setting: str, values: Any) -> list[Any]:
    """What a grid says of one line, as a list."""
    if isinstance(values, str):
        override = parse(f"{setting}={values}")
        return [meaning(text) for text in _steps(override)]
    return list(values) if isinstance(values, list | tuple) else [values]


def _steps(override: Override) -> list[str]:
    """The values that an override of the command line sweeps over, or its only one."""
    if not override.is_sweep_override():
        return [override.get_value_element_as_str()]
    if not override.is_discrete_sweep():
        raise ConfigError(f"{override.input_line}: is no list of values; use a,b,c, choice(...) or range(...)")
    try:
        steps = list(itertools.islice(override.sweep_string_iterator(), MOST + 1))
    except (HydraException, ValueError) as error:  # glob, which asks for files; range by steps of 0
        raise ConfigError(f"{override.input_line}: {error}; name the values") from None
    if len(steps) > MOST:
        raise ConfigError(f"{override.input_line}: are more than {MOST:,} values, the most that a sweep may have")
    return steps


def axes(grid: dict[str, Any], where: str = "study.grid") -> list[Axis]:
    """The axes of a grid, in its order.

    Raises:
        ConfigError: if one of them has no values, or values that do not go with its settings, or a setting stands on two.
    """
    found: list[Axis] = []
    for key, values in grid.items():
        settings = tuple(part.strip() for part in str(key).split(","))
        rows = _values(settings[0] if len(settings) == 1 else "x", values)
        if not rows:
            raise ConfigError(f"{where}: {key} has no values; name at least one")
        found.append(Axis(settings, tuple(_row(where, str(key), settings, row) for row in rows)))
    settings = [setting for axis in found for setting in axis.settings]
    if twice := [setting for setting in settings if settings.count(setting) > 1]:
        raise ConfigError(f"{where}: {twice[0]} stands on two lines; settings that move together share one")
    return found


def _row(where: str, key: str, settings: tuple[str, ...], row: Any) -> Row:
    values: Sequence[Any] = [row] if len(settings) == 1 else row
    if not isinstance(values, list | tuple) or len(values) != len(settings):
        raise ConfigError(f"{where}: {key}={row}: should be a list of {len(settings)} values, one for each setting")
    try:
        return tuple(map(spell, values))
    except ValueError as error:
        raise ConfigError(f"{where}: {key}: {error}") from None


def product(grid: Iterable[Axis]) -> list[Point]:
    """All combinations; the last axis moves fastest.

    Raises:
        ConfigError: if they are too many to list them.
    """
    grid = list(grid)
    if (count := math.prod(len(axis.rows) for axis in grid)) > MOST:
        settings = "; ".join(axis.key for axis in grid)
        raise ConfigError(f"{settings}: make {count:,} runs; a sweep has {MOST:,} at most")
    return [tuple(point) for point in itertools.product(*([(axis, row) for row in axis.rows] for axis in grid))]


Rule = dict[str, set[str]]


def rule(settings: dict[str, Any]) -> Rule:
    """What leaves a point out: settings, and for each the values that do."""
    return {setting: {spell(value) for value in _values(setting, values)} for setting, values in settings.items()}


def excluded(point: Point, rule: Rule) -> bool:
    """Whether every setting that the rule names has one of its values at the point."""
    at = {setting: spelled for axis, row in point for setting, spelled in zip(axis.settings, row, strict=True)}
    return all(at.get(setting) in values for setting, values in rule.items())


def exclusions(points: list[Point], rules: list[dict[str, Any]]) -> list[Rule]:
    """The rules of a study.

    Raises:
        ConfigError: naming the one that leaves nothing out.
    """
    found = [rule(settings) for settings in rules]
    for said, made in zip(rules, found, strict=True):
        if not made or not any(excluded(point, made) for point in points):
            raise ConfigError(
                f"study.exclude: {said}: no point of the grid is like this; name settings and values of study.grid"
            )
    return found


def told(grid: list[Axis], arguments: Sequence[str]) -> tuple[list[Axis], list[str]]:
    """The grid with what the command line says in the place of what it said, and what the command line sets for all runs.

    Raises:
        ConfigError: if a setting was given that moves together with another one.
    """
    parsed = [parse(text) for text in arguments]
    given = {override.get_key_element(): override for override in parsed}  # the last word counts
    joint = {setting: axis.key for axis in grid if len(axis.settings) > 1 for setting in axis.settings}
    if found := [setting for setting in given if setting in joint]:
        raise ConfigError(
            f"{found[0]}: moves together with others in this study ({joint[found[0]]}); change its study.grid instead"
        )
    steps = {key: Axis((key,), tuple((text,) for text in _steps(override))) for key, override in given.items()}
    known = {axis.settings[0] for axis in grid}
    new = [steps[key] for key, override in given.items() if override.is_sweep_override() and key not in known]
    constant = [o.input_line or "" for key, o in given.items() if not o.is_sweep_override() and key not in known]
    return [*(steps.get(axis.settings[0], axis) for axis in grid), *new], constant
