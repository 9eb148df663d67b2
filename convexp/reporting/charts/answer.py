"""The chart of a report's first screen: every seed as a dot, as images are and under shifts, beside the level of chance."""

from collections.abc import Sequence

from convexp.reporting.axes import axis_value, numeric_axes
from convexp.reporting.charts.answer_axis import answer_axis_chart
from convexp.reporting.charts.answer_rows import answer_rows_chart
from convexp.reporting.charts.chart import Chart
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.groups import Group
from convexp.reporting.metrics import other_test_metrics

METRICS = ("test/acc", "probe/shift_map/mean")
COSTS = ("cost/parameters", "cost/training_bytes", "cost/flops")
MOST = 2  # panels, or points in a row


def answer_chart(groups: Sequence[Group], styles: Sequence[SeriesStyle]) -> Chart | None:
    """Draw what the study asked: along its numeric axis if there is one, otherwise a row for each configuration.

    None is returned if nothing was measured that could be drawn.
    """
    metrics = answer_metrics(groups)
    if not metrics:
        return None
    axes = sorted(numeric_axes(groups), key=lambda axis: -len({axis_value(g, axis) for g in groups}))
    along = (answer_axis_chart(groups, styles, axis, metrics) for axis in axes)
    return next((chart for chart in along if chart), None) or answer_rows_chart(groups, styles, metrics)


def answer_metrics(groups: Sequence[Group]) -> list[str]:
    """Return the one or two metrics that answer: accuracies, those of another task's test, or for counted networks costs."""
    names = dict.fromkeys(name for group in groups for run in group.runs for name in run.metrics)
    for wanted in (METRICS, tuple(sorted(other_test_metrics(names).values())), COSTS):
        if found := [metric for metric in wanted if metric in names]:
            return found[:MOST]
    return []
