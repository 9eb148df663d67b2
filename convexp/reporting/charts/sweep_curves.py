"""Charts along the numeric axes of a study, such as training images, kernel size or rank."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from matplotlib.axes import Axes

from convexp.reporting.axes import axis_value, numeric_axes
from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.intervals import draw_band
from convexp.reporting.charts.legend import Entry, add_legend, new_figure
from convexp.reporting.charts.series_style import COLOURS, LINES, MARKERS, SeriesStyle
from convexp.reporting.charts.ticks import set_scale
from convexp.reporting.formatting import format_mean, short_setting
from convexp.reporting.groups import Group
from convexp.reporting.lines import SweepLine, sweep_lines
from convexp.reporting.metrics import is_percentage, metric_title
from convexp.reporting.selection import evenly_spaced, omission_note
from convexp.reporting.statistics import Mean

MAX_LINES = 12
MAX_CHARTS = 12
AXIS_TITLES = {
    "data.train_size": "training images",
    "model.kernel_size": "kernel size (pixels)",
    "data.canvas": "canvas size (pixels)",
}
ACCURACIES = ("test/acc", "probe/shift_map/mean")
LOG_RATIO = 8  # an axis is logarithmic if its largest value is at least this many times its smallest

Curve = list[tuple[float, Mean]]


def sweep_charts(groups: Sequence[Group], styles: Sequence[SeriesStyle]) -> list[Chart]:
    """Draw a chart for each numeric axis and metric: accuracies or, for runs that only count, costs."""
    accuracies = [m for m in ACCURACIES if any(g.metric(m) for g in groups)]
    costs = sorted({m for g in groups for run in g.runs for m in run.metrics if m.startswith("cost/")})
    wanted = [(axis, metric) for axis in numeric_axes(groups) for metric in (accuracies or costs)]
    charts = (_sweep_chart(groups, styles, axis, metric) for axis, metric in wanted[:MAX_CHARTS])
    return [chart for chart in charts if chart is not None]


def _sweep_chart(groups: Sequence[Group], styles: Sequence[SeriesStyle], axis: str, metric: str) -> Chart | None:
    curves, x = _curves(groups, axis, metric)
    if len(x) < 2:
        return None
    drawn = [curves[k] for k in evenly_spaced(len(curves), MAX_LINES)]
    styles = line_styles(styles, [line for line, _ in drawn])
    entries = [Entry(line.name, style.colour, style.marker, style.line) for (line, _), style in zip(drawn, styles, strict=True)]
    figure, axes = new_figure(entries)
    for (_, curve), style in zip(drawn, styles, strict=True):
        draw_band(axes, curve, style, is_percentage(metric))
    _set_scales(axes, x, [value.mean for _, curve in drawn for _, value in curve], metric)
    axis_title, title = AXIS_TITLES.get(axis, short_setting(axis)), metric_title(metric)
    axes.set(xlabel=axis_title, ylabel=f"{title}{' (%)' if is_percentage(metric) else ''}")
    add_legend(figure, entries)
    alt_text = f"{title} by {axis_title}. {'; '.join(_ends(line, curve, metric) for line, curve in drawn)}."
    has_constant = any(line.constant for line, _ in drawn)
    constant = f" Horizontal line: configuration without {short_setting(axis)}." if has_constant else ""
    caption = f"Mean over seeds; band: 95 % interval.{constant}{omission_note(drawn, curves, 'lines')}"
    name = f"{short_setting(axis)} {metric.removeprefix('probe/')}"
    return finish_chart(name, "axes", f"{title} against {axis_title}", alt_text, caption, figure)


def _curves(groups: Sequence[Group], axis: str, metric: str) -> tuple[list[tuple[SweepLine, Curve]], list[float]]:
    """The lines with the metric at each value, constant ones from end to end; and all values on the axis."""
    curves = [(line, _curve(groups, line, axis, metric)) for line in sweep_lines(groups, axis)]
    x = sorted({value for line, curve in curves for value, _ in curve if not line.constant})
    return [(line, _extended(line, curve, x)) for line, curve in curves if curve and (line.constant or len(curve) > 1)], x


def _curve(groups: Sequence[Group], line: SweepLine, axis: str, metric: str) -> Curve:
    points = [(axis_value(groups[i], axis), groups[i].metric(metric)) for i in line.indices]
    return [(0.0 if x is None else x, value) for x, value in points if value is not None]


def _extended(line: SweepLine, curve: Curve, x: list[float]) -> Curve:
    return [(end, curve[0][1]) for end in (x[0], x[-1])] if line.constant and x else curve


def _set_scales(axes: Axes, x: list[float], y: list[float], metric: str) -> None:
    is_cost = not is_percentage(metric)
    set_scale(axes, "x", x, log=x[0] > 0 and (is_cost or x[-1] / x[0] >= LOG_RATIO))
    if is_cost:
        set_scale(axes, "y", y, log=min(y) > 0 and max(y) / min(y) >= LOG_RATIO)


def line_styles(styles: Sequence[SeriesStyle], lines: Sequence[SweepLine]) -> list[SeriesStyle]:
    """Return a style for each line; lines of one colour differ in dash and marker, as far as there are enough of them.

    Args:
        styles: Styles of all groups.
        lines: Lines that are drawn.
    """
    found = [_line_style(styles, line) for line in lines]
    by_colour = Counter(style.colour for style in found)
    numbers = {colour: count() for colour in by_colour}
    return [
        _numbered(style, next(numbers[style.colour])) if by_colour[style.colour] > 1 and style.marker else style
        for style in found
    ]


def _line_style(styles: Sequence[SeriesStyle], line: SweepLine) -> SeriesStyle:
    """The style of the groups on a line, or a plain one if the colour of a group stands for its value on the axis."""
    first = styles[line.indices[0]]
    if len({styles[i].colour for i in line.indices}) > 1:
        return SeriesStyle(COLOURS[0], "o", "-", first.category, "")
    if line.constant:
        return SeriesStyle(first.colour, "", "--", first.category, "")
    return SeriesStyle(first.colour, first.marker, first.line, first.category, "")


def _numbered(style: SeriesStyle, number: int) -> SeriesStyle:
    return replace(style, line=LINES[number % len(LINES)], marker=MARKERS[number % len(MARKERS)])


def _ends(line: SweepLine, curve: Curve, metric: str) -> str:
    (x0, first), (x1, last) = curve[0], curve[-1]
    unit = " %" if is_percentage(metric) else ""
    if line.constant:
        return f"{line.name}: {format_mean(first, metric)}{unit}, constant"
    return f"{line.name}: {format_mean(first, metric)}{unit} at {x0:g}, {format_mean(last, metric)}{unit} at {x1:g}"
