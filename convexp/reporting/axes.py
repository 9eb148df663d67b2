"""Positions of groups on the axes of a study: numeric axes, and the values and words that belong to an axis."""

from collections.abc import Collection, Sequence
from typing import Any

from convexp.records.numbers import is_moderate
from convexp.records.plan import settings_of, single_settings
from convexp.records.settings import display_value
from convexp.reporting.formatting import short_setting
from convexp.reporting.groups import Group

SHARE_OR_COUNT = {
    "data.val_size",
    *(f"data.shift.{part}" for part in ("train", "val", "test")),
    *(f"trainer.limit_{part}_batches" for part in ("train", "val", "test")),
}
"""Settings that are a share if they are written with a point, and else a number of pixels, images or batches."""

AxisKey = tuple[tuple[str, str], ...]  # axes with values as text


def axis_value(group: Group, axis: str) -> float | None:
    """Return the value of a group on an axis as a number; None if it is not a number.

    Of ``data.train_size`` it is the number of images, which the record of the run says where the setting is a share of them,
    or null for all of them.
    """
    value: Any = group.point.get(axis)
    if axis == "data.train_size" and (value is None or isinstance(value, float)):
        value = group.runs[0].data.train or value
    return float(value) if is_moderate(value) else None


def numeric_axes(groups: Sequence[Group]) -> list[str]:
    """Return the axes on which the groups have different numbers and nothing else.

    Some groups may have no value on such an axis, as a convolution has no rank. Shares beside pixels, images or batches have no
    order: a shift of 0.25 of the image may be farther than one of 3 pixels.
    """
    axes = dict.fromkeys(axis for group in groups for axis in group.point)
    return [axis for axis in axes if _is_numeric(groups, axis)]


def _is_numeric(groups: Sequence[Group], axis: str) -> bool:
    has_other_values = any(axis_value(g, axis) is None and g.point.get(axis) is not None for g in groups)
    values = {axis_value(g, axis) for g in groups} - {None}
    return not has_other_values and len(values) > 1 and not (axis in SHARE_OR_COUNT and _has_shares_and_counts(groups, axis))


def _has_shares_and_counts(groups: Sequence[Group], axis: str) -> bool:
    kinds = {type(value) for g in groups if (value := g.point.get(axis))}
    return kinds >= {int, float}


def axis_key(group: Group, axes: Collection[str]) -> AxisKey:
    """Return the values of a group on these axes, in a form that can be compared and hashed."""
    return tuple((axis, display_value(value)) for axis, value in group.point.items() if axis in axes)


def axis_label(group: Group, axes: Collection[str]) -> str:
    """Return the words of the group's label that belong to these axes.

    Words that belong to no axis are those of the model. If no axis is the model, they are used for a group that has no other
    words on these axes.
    """
    axis_of = {
        f"{short_setting(setting)}={display_value(value)}": axis
        for axis in group.point
        for setting, value in single_settings({axis: group.point[axis]}).items()
    }
    model = next((axis for axis in group.point if "model" in settings_of(axis)), None)
    words = group.label.split()
    found = [word for word in words if axis_of.get(word, model) in axes]
    return " ".join(found or (word for word in words if model is None and word not in axis_of))
