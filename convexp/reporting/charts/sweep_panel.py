"""A panel along a numeric axis: lines with their intervals and every seed as a dot."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from convexp.reporting.axes import axis_value
from convexp.reporting.charts.intervals import draw_band, mean_text, seed_marks
from convexp.reporting.charts.marks import Mark, tag
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.charts.sweep_points import Curve
from convexp.reporting.charts.ticks import set_scale
from convexp.reporting.formatting import format_mean, short_setting
from convexp.reporting.groups import Group
from convexp.reporting.lines import SweepLine
from convexp.reporting.metrics import is_percentage

AXIS_TITLES = {
    "data.train_size": "training images",
    "data.shift.train": "shifts in training (share of the size)",
    "model.kernel_size": "kernel size (pixels)",
    "data.canvas": "canvas size (pixels)",
}
LOG_RATIO = 8  # an axis is logarithmic if its largest value is at least this many times its smallest
MAX_DOTS = 400  # of a line; beyond that the band says enough


def axis_title(axis: str) -> str:
    """Return the title of a numeric axis in plain words, or the name of the setting if it has none."""
    return AXIS_TITLES.get(axis, short_setting(axis))


def draw_line(
    axes: Axes,
    groups: Sequence[Group],
    line: SweepLine,
    curve: Curve,
    style: SeriesStyle,
    along: tuple[str, str],
    aside: float = 0.0,
) -> list[Mark]:
    """Draw a line with its band and its seeds, and return the marks of its means and seeds.

    Args:
        axes: The panel.
        groups: All groups of the report.
        line: The line.
        curve: Its means by position.
        style: Its style.
        along: The numeric axis and the metric.
        aside: Distance in points to the right of the means at which the seeds are drawn.
    """
    axis, metric = along
    factor = 100 if is_percentage(metric) else 1
    draw_band(axes, curve, style, is_percentage(metric))
    beside = axes.transData + ScaledTranslation(aside / 72, 0, axes.figure.dpi_scale_trans)
    marks: list[Mark] = []
    for index in line.indices if not line.constant else ():
        group, x = groups[index], axis_value(groups[index], axis)
        value = group.metric(metric)
        if x is None or value is None:
            continue
        seeds = [(x, factor * run.metrics[metric]) for run in group.runs if metric in run.metrics]
        marks.append(Mark(axes, x, factor * value.mean, style.keys, mean_text(group.label, value, metric)))
        if 1 < len(seeds) <= MAX_DOTS:
            x_and_y = zip(*seeds, strict=True)
            dots = axes.plot(*x_and_y, "o", ms=2.8, color=style.colour, mec="none", alpha=0.6, transform=beside, clip_on=False)
            tag(dots, style.keys)
            marks += seed_marks(axes, group, style, metric, seeds, aside)
    return marks


def set_scales(axes: Axes, x: Sequence[float], y: Sequence[float], metric: str) -> None:
    """Set logarithmic scales where values span much, with ticks at the values drawn.

    Args:
        axes: The panel.
        x: All positions on the numeric axis, ascending.
        y: All means.
        metric: The metric, which is a cost if it is no percentage.
    """
    is_cost = not is_percentage(metric)
    set_scale(axes, "x", x, log=x[0] > 0 and (is_cost or x[-1] / x[0] >= LOG_RATIO))
    if is_cost:
        set_scale(axes, "y", y, log=min(y) > 0 and max(y) / min(y) >= LOG_RATIO)


def ends_text(line: SweepLine, curve: Curve, metric: str) -> str:
    """Return the values at both ends of a line in words."""
    (x0, first), (x1, last) = curve[0], curve[-1]
    unit = " %" if is_percentage(metric) else ""
    if line.constant:
        return f"{line.name}: {format_mean(first, metric)}{unit}, constant"
    return f"{line.name}: {format_mean(first, metric)}{unit} at {x0:g}, {format_mean(last, metric)}{unit} at {x1:g}"
