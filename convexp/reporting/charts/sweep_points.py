"""The means along a numeric axis, line by line."""

from collections.abc import Sequence

from convexp.reporting.axes import axis_value
from convexp.reporting.groups import Group
from convexp.reporting.lines import SweepLine, sweep_lines
from convexp.reporting.statistics import Mean

Curve = list[tuple[float, Mean]]


def lines_along(groups: Sequence[Group], axis: str, metric: str) -> tuple[list[tuple[SweepLine, Curve]], list[float]]:
    """Return the lines with the metric at each value, constant ones from end to end; and all values on the axis."""
    curves = [(line, _curve(groups, line, axis, metric)) for line in sweep_lines(groups, axis)]
    x = sorted({value for line, curve in curves for value, _ in curve if not line.constant})
    return [(line, _extended(line, curve, x)) for line, curve in curves if curve and (line.constant or len(curve) > 1)], x


def _curve(groups: Sequence[Group], line: SweepLine, axis: str, metric: str) -> Curve:
    points = [(axis_value(groups[i], axis), groups[i].metric(metric)) for i in line.indices]
    return [(0.0 if x is None else x, value) for x, value in points if value is not None]


def _extended(line: SweepLine, curve: Curve, x: list[float]) -> Curve:
    return [(end, curve[0][1]) for end in (x[0], x[-1])] if line.constant and x else curve
