"""Baselines: which group each group is compared with."""

from collections.abc import Sequence

from convexp.records.plan import Plan, settings_of
from convexp.reporting.groups import Group
from convexp.reporting.labels import Point


def with_baselines(groups: Sequence[Group], plan: Plan | None = None) -> list[tuple[Group, Group]]:
    """Return pairs of a group and its baseline; groups without a baseline are left out.

    The baseline has the value that the plan's ``compare`` gives for an axis, and equal values on all its other axes. Without a
    plan, or without ``compare``, it is the first group on the same data set.
    """
    return _by_plan(groups, plan) if plan and plan.compare else _with_first(groups)


def _with_first(groups: Sequence[Group]) -> list[tuple[Group, Group]]:
    first: dict[str, Group] = {}
    for group in groups:
        first.setdefault(repr(group.point.get("data")), group)
    pairs = [(group, first[repr(group.point.get("data"))]) for group in groups]
    return [(group, baseline) for group, baseline in pairs if group is not baseline]


def _by_plan(groups: Sequence[Group], plan: Plan) -> list[tuple[Group, Group]]:
    pairs: list[tuple[Group, Group]] = []
    for compared, value in plan.compare.items():
        axis = next((axis for axis in plan.axes if settings_of(axis) == settings_of(compared)), None)
        for group in groups:
            if axis is not None and axis in group.point and group.point[axis] != value:
                wanted = {**group.point, axis: value}
                pairs += [(group, baseline) for baseline in groups if _is_at(baseline.point, wanted)][:1]
    return pairs


def _is_at(point: Point, wanted: Point) -> bool:
    """Whether a baseline has the wanted values on all axes that it has; a convolution, for example, has no rank."""
    return all(axis in wanted and wanted[axis] == value for axis, value in point.items())
