"""Groups that belong on one line along an axis: those that differ on one numeric axis only."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from convexp.reporting.axes import axis_key, axis_label, axis_value
from convexp.reporting.groups import Group


@dataclass(frozen=True)
class SweepLine:
    """Groups that differ on one numeric axis only, by ascending value on it.

    Attributes:
        name: Words that the labels of the groups have in common.
        indices: Indices of the groups in the report.
        constant: Whether it is a single group without a value on the axis, which is drawn as a horizontal line.
    """

    name: str
    indices: list[int]
    constant: bool = False


def sweep_lines(groups: Sequence[Group], axis: str) -> list[SweepLine]:
    """Return all lines along ``axis`` that have two or more points or are constant, in the order of the report."""
    other_axes = [{a for a in group.point if a != axis} for group in groups]
    keys = [axis_key(group, others) for group, others in zip(groups, other_axes, strict=True)]
    rank = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    order = sorted(range(len(groups)), key=lambda i: (rank[keys[i]], axis_value(groups[i], axis) or 0.0))
    members = [list(indices) for _, indices in groupby(order, key=lambda i: keys[i])]
    lines = [
        SweepLine(
            axis_label(groups[indices[0]], other_axes[indices[0]]) or "all",
            indices,
            constant=axis_value(groups[indices[0]], axis) is None,
        )
        for indices in members
    ]
    return [line for line in lines if line.constant or len({axis_value(groups[i], axis) for i in line.indices}) > 1]
