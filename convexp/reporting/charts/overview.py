"""One picture for a README: accuracy against the distance of the shift, and against the number of parameters."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from convexp.reporting.charts.accuracy import MOST_LINES, band, error_bar
from convexp.reporting.charts.chart import save_png
from convexp.reporting.charts.curves import radius_curve
from convexp.reporting.charts.series import spaced
from convexp.reporting.charts.series_style import Look, looks
from convexp.reporting.charts.style import PAPER, entries_for, legend, scale
from convexp.reporting.formatting import shortened
from convexp.reporting.groups import Group
from convexp.reporting.report import Report


def write_overview(report: Report, file: Path) -> list[Path]:
    """Both panels on white; nothing if no run has a shift map."""
    seen = looks(report.groups)
    drawn = [(report.groups[i], seen[i]) for i in spaced(len(report.groups), MOST_LINES)]
    if not any(radius_curve(group) for group, _ in drawn):
        return []
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for group, look in drawn:
        band(left, radius_curve(group), look)
        _dots(right, group, look)
    left.set(xlabel="distance of the shift (pixels)", ylabel="test accuracy (%)", ylim=(0, 102))
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.set(xlabel="parameters", ylim=(0, 102), title="filled: without shift, hollow: mean over all shifts")
    right.title.set_fontsize(9)
    scale(right, "x", [group.parameters for group, _ in drawn], log=True)
    entries = entries_for([group for group, _ in drawn], [look for _, look in drawn])
    legend(figure, entries, below=True)
    figure.suptitle(shortened(report.title, 110), fontsize=11)
    save_png(figure, file)
    return [file]


def _dots(axes: Axes, group: Group, look: Look) -> None:
    for metric, face in (("test/acc", look.colour), ("probe/shift_map/mean", PAPER)):
        value = group.metric(metric)
        if value is not None:
            at = (group.parameters, 100 * value.mean)
            axes.errorbar(*at, error_bar(value), fmt=look.marker, color=look.colour, mfc=face, capsize=3, ms=7)
