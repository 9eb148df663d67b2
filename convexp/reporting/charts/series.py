"""Which groups belong on one line: the axes of a study that are numbers, and all its other settings."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from convexp.records.plan import settings_of, spread
from convexp.records.settings import shown
from convexp.records.slim import is_moderate
from convexp.reporting.formatting import setting
from convexp.reporting.groups import Group

Key = tuple[tuple[str, str], ...]


def value_on(group: Group, axis: str) -> float | None:
    """The group's value on a numeric axis; all of the training images are as many as the run says. None for no number."""
    value: Any = group.point.get(axis)
    if axis == "data.train_size" and value is None:
        value = (group.runs[0].get("data") or {}).get("train")
    return float(value) if is_moderate(value) else None


def numeric_axes(groups: Sequence[Group]) -> list[str]:
    """Axes on which groups have different numbers, and none has anything else; some may have nothing, as conv has no rank."""
    axes = dict.fromkeys(axis for group in groups for axis in group.point)
    return [axis for axis in axes if _is_numeric(groups, axis)]


def _is_numeric(groups: Sequence[Group], axis: str) -> bool:
    other = any(value_on(g, axis) is None and g.point.get(axis) is not None for g in groups)
    return not other and len({value_on(g, axis) for g in groups} - {None}) > 1


def key_of(group: Group, axes: Collection[str]) -> Key:
    """The group's values on these axes."""
    return tuple((axis, shown(value)) for axis, value in group.point.items() if axis in axes)


def name_of(group: Group, axes: Collection[str]) -> str:
    """The part of the group's label that says where it is on these axes.

    Words that no axis owns are the model's; where no axis is the model they stand for a group of which nothing else is said.
    """
    owner = {f"{setting(s)}={shown(v)}": axis for axis in group.point for s, v in spread({axis: group.point[axis]}).items()}
    model = next((axis for axis in group.point if "model" in settings_of(axis)), None)
    words = group.label.split()
    said = [word for word in words if owner.get(word, model) in axes]
    return " ".join(said or (word for word in words if model is None and word not in owner))


@dataclass(frozen=True)
class Line:
    """Groups that differ on one numeric axis only, by ascending value on it.

    Attributes:
        name: what they have in common.
        at: their indices in the report.
        flat: whether it is a single group that has no value on the axis: the same all along.
    """

    name: str
    at: list[int]
    flat: bool = False


def lines(groups: Sequence[Group], axis: str) -> list[Line]:
    """All lines along ``axis``, in the order of the report; none of fewer than two points, but those that are flat."""
    others = [{a for a in group.point if a != axis} for group in groups]
    keys = [key_of(group, rest) for group, rest in zip(groups, others, strict=True)]
    place = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    order = sorted(range(len(groups)), key=lambda i: (place[keys[i]], value_on(groups[i], axis) or 0.0))
    found = [list(at) for _, at in groupby(order, key=lambda i: keys[i])]
    named = [Line(name_of(groups[at[0]], others[at[0]]) or "all", at, value_on(groups[at[0]], axis) is None) for at in found]
    return [line for line in named if line.flat or len({value_on(groups[i], axis) for i in line.at}) > 1]


def spaced(count: int, most: int) -> list[int]:
    """At most ``most`` (two or more) of ``count`` indices, evenly spaced, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]
