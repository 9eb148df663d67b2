"""The charts of a report, as SVG in its page and as files. Imports matplotlib (never pyplot): import this late."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from convexp.reporting.charts.accuracy import against_parameters, against_radius
from convexp.reporting.charts.chart import Chart
from convexp.reporting.charts.forest import forests
from convexp.reporting.charts.maps import shift_maps
from convexp.reporting.charts.overview import write_overview
from convexp.reporting.charts.series_style import looks
from convexp.reporting.charts.style import style
from convexp.reporting.charts.sweep_curves import along_axes
from convexp.reporting.charts.training import training
from convexp.reporting.report import Report

FOLDER = "figures"
__all__ = ["Chart", "draw_charts", "write_charts"]


def draw_charts(report: Report) -> list[Chart]:
    """Every chart that the report has data for, in the order of the page. The same report gives the same SVG."""
    groups = report.groups
    if not groups:
        return []
    with style():
        seen = looks(groups)
        found = [
            *forests(report.comparisons, groups, seen),
            against_parameters(groups, seen, "test/acc"),
            against_parameters(groups, seen, "probe/shift_map/mean"),
            *along_axes(groups, seen),
            against_radius(groups, seen),
            shift_maps(groups),
            *training(groups, seen, report.root),
        ]
    return _apart([chart for chart in found if chart is not None])


def _apart(charts: list[Chart]) -> list[Chart]:
    """Charts whose names are all different: two settings may be spelt alike but for a dot."""
    seen = Counter[str]()
    for index, chart in enumerate(charts):
        seen[chart.name] += 1
        if seen[chart.name] > 1:
            charts[index] = replace(chart, name=f"{chart.name}_{seen[chart.name]}")
    return charts


def write_charts(report: Report, folder: Path, charts: list[Chart] | None = None) -> list[Path]:
    """``figures/NAME.svg`` and ``.png`` of every chart, and ``figures/overview.png``, in ``folder``; returns the files.

    Args:
        report: what is shown.
        folder: of the report.
        charts: of this report, where they are drawn already.
    """
    charts = draw_charts(report) if charts is None else charts
    if not charts:
        return []
    to = folder / FOLDER
    if to.is_symlink():
        raise OSError(f"{to} is a link, and what it leads to may be somebody else's")
    to.mkdir(parents=True, exist_ok=True)
    with style():
        files = [file for chart in charts for file in chart.save(to)]
        return [*files, *write_overview(report, to / "overview.png")]
