"""Comparisons along the numeric axes of a study: each value with the one before it, and the last with the first."""

from collections.abc import Sequence
from dataclasses import dataclass

from convexp.records.plan import Plan, settings_of
from convexp.reporting.axes import axis_value, numeric_axes
from convexp.reporting.groups import Group
from convexp.reporting.lines import SweepLine, sweep_lines


@dataclass(frozen=True)
class Step:
    """Two groups that differ on one numeric axis only.

    Attributes:
        group: The group with the larger value on the axis.
        baseline: The group with the smaller value.
        axis: The axis.
        line: What the groups have in common, in words.
        start: The value of the baseline.
        stop: The value of the group.
        whole: Whether these are the ends of a line that has values between them.
    """

    group: Group
    baseline: Group
    axis: str
    line: str
    start: float
    stop: float
    whole: bool = False


def axes_to_compare(groups: Sequence[Group], plan: Plan | None) -> list[str]:
    """Return the numeric axes of the plan, without those of ``compare``, whose values have a baseline already."""
    if plan is None:
        return []
    compared = {settings_of(axis) for axis in plan.compare}
    return [axis for axis in numeric_axes(groups) if axis in plan.axes and settings_of(axis) not in compared]


def steps(groups: Sequence[Group], axis: str) -> list[Step]:
    """Return for each line along the axis the steps from value to value, and then that from end to end if there are several."""
    return [step for line in sweep_lines(groups, axis) if not line.constant for step in _steps(groups, axis, line)]


def _steps(groups: Sequence[Group], axis: str, line: SweepLine) -> list[Step]:
    members = [groups[i] for i in line.indices]
    pairs = [(low, high, False) for low, high in zip(members, members[1:], strict=False)]
    pairs += [(members[0], members[-1], True)] if len(pairs) > 1 else []
    values = [(axis_value(low, axis), axis_value(high, axis)) for low, high, _ in pairs]
    return [
        Step(high, low, axis, line.name, start, stop, whole)
        for (low, high, whole), (start, stop) in zip(pairs, values, strict=True)
        if start is not None and stop is not None and start < stop
    ]
