"""Overview figure, as for a README: accuracy against the distance of the shift, and against the number of parameters."""

from dataclasses import replace
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from convexp.reporting.charts.chance import chance_level, draw_chance
from convexp.reporting.charts.chart import save_png
from convexp.reporting.charts.intervals import draw_band, error_bar, marker_style
from convexp.reporting.charts.legend import add_legend, entries_for
from convexp.reporting.charts.radius import MAX_LINES
from convexp.reporting.charts.series_style import SeriesStyle, series_styles
from convexp.reporting.charts.ticks import set_scale
from convexp.reporting.curves import radius_curve
from convexp.reporting.formatting import truncate
from convexp.reporting.groups import Group
from convexp.reporting.report import Report
from convexp.reporting.selection import evenly_spaced


def write_overview(report: Report, file: Path) -> list[Path]:
    """Write both panels as PNG and return the file; no file if no run has a shift map."""
    styles = series_styles(report.groups)
    drawn = [(report.groups[i], styles[i]) for i in evenly_spaced(len(report.groups), MAX_LINES)]
    if not any(radius_curve(group) for group, _ in drawn):
        return []
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for group, style in drawn:
        draw_band(left, radius_curve(group), style)
        _draw_points(right, group, style)
    level = chance_level([group for group, _ in drawn], "test/acc")
    draw_chance(left, level, label="left")  # where curves are high
    draw_chance(right, level)
    left.set(xlabel="distance of the shift (pixels)", ylabel="test accuracy (%)", ylim=(0, 102))
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.set(xlabel="parameters", ylim=(0, 102), title="filled: without shift, hollow: mean over all shifts")
    right.title.set_fontsize(9)
    sizes = [float(group.parameters) for group, _ in drawn]
    set_scale(right, "x", sizes, log=min(sizes) > 0)
    entries = entries_for([group for group, _ in drawn], [style for _, style in drawn])
    add_legend(figure, entries, below=True)
    figure.suptitle(truncate(report.title, 110), fontsize=11)
    save_png(figure, file)
    return [file]


def _draw_points(axes: Axes, group: Group, style: SeriesStyle) -> None:
    for metric, hollow in (("test/acc", False), ("probe/shift_map/mean", True)):
        value = group.metric(metric)
        if value is not None:
            x, y = float(group.parameters), 100 * value.mean
            looks = marker_style(replace(style, hollow=hollow))
            axes.errorbar(x, y, error_bar(value), ls="", color=style.colour, capsize=3, ms=7, **looks)
