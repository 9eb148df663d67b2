"""Baselines: which group each group is compared with."""

from collections.abc import Mapping, Sequence
from typing import Any

from convexp.errors import ConfigError
from convexp.records.plan import settings_of
from convexp.records.settings import display_value
from convexp.records.values import same_value, value_key
from convexp.reporting.formatting import short_setting
from convexp.reporting.groups import Group
from convexp.reporting.labels import Point

MAX_NAMED = 12  # settings or values in a message


def with_baselines(groups: Sequence[Group], compare: Mapping[str, Any]) -> list[tuple[Group, Group]]:
    """Return pairs of a group and its baseline; groups without a baseline are left out.

    The baseline has the value that ``compare`` gives for an axis, and equal values on all its other axes. If ``compare`` is
    empty, it is the first group on the same data set.
    """
    return _by_axes(groups, compare) if compare else _with_first(groups)


def _with_first(groups: Sequence[Group]) -> list[tuple[Group, Group]]:
    first: dict[str, Group] = {}
    for group in groups:
        first.setdefault(repr(group.point.get("data")), group)
    pairs = [(group, first[repr(group.point.get("data"))]) for group in groups]
    return [(group, baseline) for group, baseline in pairs if group is not baseline]


def _by_axes(groups: Sequence[Group], compare: Mapping[str, Any]) -> list[tuple[Group, Group]]:
    pairs: list[tuple[Group, Group]] = []
    axes = dict.fromkeys(axis for group in groups for axis in group.point)
    for compared, value in compare.items():
        axis = next((axis for axis in axes if settings_of(axis) == settings_of(compared)), None)
        possible = _at(groups, axis, value) if axis is not None else []
        for group in groups:
            if axis is not None and axis in group.point and not any(group is baseline for baseline in possible):
                wanted = {**group.point, axis: value}
                pairs += [(group, baseline) for baseline in possible if _is_at(baseline.point, wanted)][:1]
    return pairs


def _at(groups: Sequence[Group], axis: str, value: Any) -> list[Group]:
    """The groups with a value on an axis: those in which it is spelled like that, or else those in which it is the same."""
    same = [group for group in groups if same_value(group.point.get(axis), value)]
    return [group for group in same if value_key(group.point.get(axis)) == value_key(value)] or same


def _is_at(point: Point, wanted: Point) -> bool:
    """Whether a baseline has the wanted values on all axes that it has; a convolution, for example, has no rank."""
    return all(axis in wanted and same_value(wanted[axis], value) for axis, value in point.items())


def chosen_baseline(groups: Sequence[Group], text: str) -> tuple[str, Any]:
    """Return the axis and the value on it that a user has chosen as the baseline.

    Args:
        groups: All groups.
        text: ``SETTING=VALUE``, as ``model=dense``; a setting may be named without its first component.

    Raises:
        ConfigError: If no axis has this name, or no group this value.
    """
    name, equals, wanted = (part.strip() for part in text.partition("="))
    if not name or not equals:
        raise ConfigError(f"--baseline {text}: has to be SETTING=VALUE, such as model=dense")
    axes = list(dict.fromkeys(axis for group in groups for axis in group.point))
    named = [axis for axis in axes if settings_of(axis) == settings_of(name)] or [a for a in axes if short_setting(a) == name]
    if not named:
        there = f"those that do are {_few(axes)}" if axes else "none does"
        raise ConfigError(f"--baseline {text}: {name} does not differ between the finished runs; {there}")
    values = {display_value(group.point[named[0]]): group.point[named[0]] for group in groups if named[0] in group.point}
    if wanted not in values:
        raise ConfigError(f"--baseline {text}: no finished run has {named[0]}={wanted}; there are {_few(list(values))}")
    return named[0], values[wanted]


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:MAX_NAMED]) + (f" and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else "")
