"""Charts along the numeric axes of a study, such as training images, kernel size or rank."""

from collections.abc import Sequence

from convexp.reporting.axes import numeric_axes
from convexp.reporting.charts.chance import limit_accuracies
from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.legend import add_legend, new_figure
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.charts.sweep_panel import axis_title, draw_line, ends_text, set_scales
from convexp.reporting.charts.sweep_points import lines_along
from convexp.reporting.charts.sweep_styles import line_entries, line_styles
from convexp.reporting.formatting import short_setting
from convexp.reporting.groups import Group
from convexp.reporting.metrics import is_percentage, metric_title
from convexp.reporting.selection import evenly_spaced, omission_note

MAX_LINES = 12
MAX_CHARTS = 12
ACCURACIES = ("test/acc", "probe/shift_map/mean")


def sweep_charts(groups: Sequence[Group], styles: Sequence[SeriesStyle]) -> list[Chart]:
    """Draw a chart for each numeric axis and metric: accuracies or, for runs that only count, costs."""
    accuracies = [m for m in ACCURACIES if any(g.metric(m) for g in groups)]
    costs = sorted({m for g in groups for run in g.runs for m in run.metrics if m.startswith("cost/")})
    wanted = [(axis, metric) for axis in numeric_axes(groups) for metric in (accuracies or costs)]
    charts = (_sweep_chart(groups, styles, axis, metric) for axis, metric in wanted[:MAX_CHARTS])
    return [chart for chart in charts if chart is not None]


def _sweep_chart(groups: Sequence[Group], styles: Sequence[SeriesStyle], axis: str, metric: str) -> Chart | None:
    curves, x = lines_along(groups, axis, metric)
    if len(x) < 2:
        return None
    drawn = [curves[k] for k in evenly_spaced(len(curves), MAX_LINES)]
    styles = line_styles(styles, [line for line, _ in drawn])
    entries = line_entries([line for line, _ in drawn], styles)
    figure, axes = new_figure(entries)
    marks = [
        mark
        for (line, curve), style in zip(drawn, styles, strict=True)
        for mark in draw_line(axes, groups, line, curve, style, (axis, metric))
    ]
    means = [value.mean for _, curve in drawn for _, value in curve]
    set_scales(axes, x, means, metric)
    if is_percentage(metric):
        ends = [end for _, curve in drawn for _, v in curve for end in (v.low, v.high) if end is not None]
        limit_accuracies(axes, groups, metric, means, ends)
    titles = axis_title(axis), metric_title(metric)
    axes.set(xlabel=titles[0], ylabel=f"{titles[1]}{' (%)' if is_percentage(metric) else ''}")
    add_legend(figure, entries)
    alt_text = f"{titles[1]} by {titles[0]}. {'; '.join(ends_text(line, curve, metric) for line, curve in drawn)}."
    has_constant = any(line.constant for line, _ in drawn)
    constant = f" Horizontal line: configuration without {short_setting(axis)}." if has_constant else ""
    caption = f"Line: mean over seeds; band: 95 % interval; dots: seeds.{constant}{omission_note(drawn, curves, 'lines')}"
    name = f"{short_setting(axis)} {metric.removeprefix('probe/')}"
    return finish_chart(name, "axes", f"{titles[1]} against {titles[0]}", alt_text, caption, figure, marks)
