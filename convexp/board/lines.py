"""Lines along the numeric axes of a study, and along the number of parameters: series whose steps are no time."""

from collections.abc import Sequence

from convexp.board.series import Curve, Series, are_steps, places
from convexp.records.settings import lookup
from convexp.reporting.axes import axis_value, numeric_axes
from convexp.reporting.formatting import short_setting
from convexp.reporting.groups import Group
from convexp.reporting.lines import SweepLine, sweep_lines
from convexp.reporting.statistics import Mean

METRICS = {"test/acc": "accuracy", "probe/shift_map/mean": "accuracy under shifts"}
PARAMETERS = "parameters"
MAX_LINES = 60
MAX_AXES = 12


def lines(groups: Sequence[Group], axes: bool = True) -> list[Series]:
    """Return the lines along each numeric axis, and those along the number of parameters.

    Args:
        groups: The groups of the report.
        axes: Whether there are lines along axes; the values that a search draws make none, as hardly two groups share one.
    """
    titles = _titles(numeric_axes(groups)[:MAX_AXES]) if axes else {}
    along_axes = [line for axis, title in titles.items() for line in _along(groups, axis, title)]
    return [*along_axes, *_along_parameters(groups)][:MAX_LINES]


def _titles(axes: Sequence[str]) -> dict[str, str]:
    """Return the title of each axis: its short name, or the whole setting where several have the same short name."""
    short = [short_setting(axis) for axis in axes]
    return {axis: axis if short.count(name) > 1 else name for axis, name in zip(axes, short, strict=True)}


def _along(groups: Sequence[Group], axis: str, title: str) -> list[Series]:
    """Return the lines of groups that differ on ``axis`` only; a group without a value on it is a level line."""
    found = sweep_lines(groups, axis)
    values = [
        value for line in found if not line.constant for i in line.indices if (value := axis_value(groups[i], axis)) is not None
    ]
    if len(set(values)) < 2:
        return []
    step, said = places(values)
    made = [
        Series(
            f"along {title}/{line.name}",
            {f"{name} by {title}{said}": _curve(groups, line, axis, metric, step) for metric, name in METRICS.items()},
        )
        for line in found
    ]
    return [kept for series in made if (kept := _without_empty(series)).curves]


def _curve(groups: Sequence[Group], line: SweepLine, axis: str, metric: str, step: dict[float, int]) -> Curve:
    if line.constant:
        level = groups[line.indices[0]].metric(metric)
        return [] if level is None else [(end, level) for end in (min(step.values()), max(step.values()))]
    points = {axis_value(groups[i], axis): groups[i].metric(metric) for i in line.indices}
    return sorted(((step[x], value) for x, value in points.items() if x is not None and value is not None), key=_step)


def _along_parameters(groups: Sequence[Group]) -> list[Series]:
    """Return a line for each model whose groups differ in their parameters; if there is none, one line for all models."""
    groups = [group for group in groups if are_steps([group.parameters])]
    by_model: dict[str, list[Group]] = {}
    for group in groups:
        by_model.setdefault(str(lookup(group.runs[0].config, "model")), []).append(group)
    found = {model: members for model, members in by_model.items() if _differ(members)}
    if not found and _differ(groups):
        found = {"all": groups}
    made = [
        Series(
            f"along {PARAMETERS}/{name}",
            {f"{title} by {PARAMETERS}": _by_parameters(members, metric) for metric, title in METRICS.items()},
        )
        for name, members in found.items()
    ]
    return [kept for series in made if (kept := _without_empty(series)).curves]


def _differ(groups: Sequence[Group]) -> bool:
    """Whether there are several groups, each with another number of parameters: steps of a line must not repeat."""
    return len({group.parameters for group in groups}) == len(groups) > 1


def _by_parameters(groups: Sequence[Group], metric: str) -> Curve:
    return sorted(((group.parameters, value) for group in groups if (value := group.metric(metric))), key=_step)


def _without_empty(series: Series) -> Series:
    return Series(series.name, {chart: curve for chart, curve in series.curves.items() if len(curve) > 1})


def _step(point: tuple[int, Mean]) -> int:
    return point[0]
