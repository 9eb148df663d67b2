"""Clauses with the values of one metric along a numeric axis of a study."""

from collections.abc import Sequence

from convexp.reporting.answer.wording import listed, name, number
from convexp.reporting.axes import axis_value, numeric_axes
from convexp.reporting.formatting import format_number, short_setting
from convexp.reporting.groups import Group
from convexp.reporting.lines import SweepLine, sweep_lines
from convexp.reporting.metrics import is_percentage

MAX_LINES = 4

Curve = list[tuple[float, float]]  # values on the axis, and means


def main_axis(groups: Sequence[Group]) -> str | None:
    """Return the numeric axis with most values, if all groups lie on a few lines along it; else None."""
    found = [(axis, len({axis_value(g, axis) for g in groups})) for axis in numeric_axes(groups)]
    axis = max(found, key=lambda each: each[1])[0] if found else None
    if axis is None:
        return None
    lines = sweep_lines(groups, axis)
    covered = sum(len(line.indices) for line in lines)
    rises = any(not line.constant for line in lines)
    return axis if len(lines) <= MAX_LINES and covered == len(groups) and rises else None


def clause_along(groups: Sequence[Group], axis: str, metric: str, again: bool = False) -> str:
    """Return how the metric goes along the axis, line by line; an empty string if no group has it.

    Such as ``local goes from 88.4 % at kernel_size=1 to 93.2 % at 55 (at best 94.3 % at 15) and conv from ...``: the ends of
    the axis stand only in the first line that has them.

    Args:
        groups: Groups on a few lines along the axis.
        axis: The axis.
        metric: The metric.
        again: Whether the sentence has said the same of another metric, so that the ends are known.
    """
    curves = [(line, curve) for line in sweep_lines(groups, axis) if (curve := _curve(groups, line, axis, metric))]
    ends = _ends(curves[0][1]) if curves and again else None
    said: list[str] = []
    verb = "" if again else " goes"  # at the first line with two ends, and again after one that "has" a value
    for line, curve in curves:
        said.append(_line(line, curve, axis, metric, ends, verb))
        verb = " goes" if _is_flat(line, curve) else ""
        ends = ends if line.constant else _ends(curve)
    return listed(said)


def _curve(groups: Sequence[Group], line: SweepLine, axis: str, metric: str) -> Curve:
    points = [(axis_value(groups[i], axis), groups[i].metric(metric)) for i in line.indices]
    return [(0.0 if x is None else x, mean.mean) for x, mean in points if mean is not None]


def _ends(curve: Curve) -> tuple[float, float]:
    return curve[0][0], curve[-1][0]


def _is_flat(line: SweepLine, curve: Curve) -> bool:
    """Whether there is one value to name, and not two ends."""
    return line.constant or len(curve) == 1


def _line(line: SweepLine, curve: Curve, axis: str, metric: str, known: tuple[float, float] | None, verb: str) -> str:
    """The first value and the last, and the largest if it is neither; ``known`` are the ends that were named before."""
    subject = "accuracy" if line.name == "all" and is_percentage(metric) else "it" if line.name == "all" else name(line.name)
    (first, low), (last, end) = curve[0], curve[-1]
    start, stop = f" at {short_setting(axis)}={format_number(first)}", f" at {format_number(last)}"
    if _is_flat(line, curve):
        return f"{subject} has {number(low, metric)}{'' if line.constant else start}"
    start, stop = ("", "") if known == (first, last) else (start, stop)
    said = f"{subject}{verb} from {number(low, metric)}{start} to {number(end, metric)}{stop}"
    top, most = max(curve, key=lambda point: point[1])
    best = f" (at best {number(most, metric)} at {format_number(top)})"
    return said + (best if is_percentage(metric) and top not in (first, last) else "")
