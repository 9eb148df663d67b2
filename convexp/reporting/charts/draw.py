"""All charts of a report: which there are, in which order, and their files."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from convexp.reporting.charts.answer import answer_chart
from convexp.reporting.charts.chart import Chart
from convexp.reporting.charts.errors import error_charts
from convexp.reporting.charts.forest import forest_charts
from convexp.reporting.charts.maps import shift_maps_chart
from convexp.reporting.charts.overview import write_overview
from convexp.reporting.charts.parameters import parameters_chart
from convexp.reporting.charts.radius import radius_chart
from convexp.reporting.charts.search import search_charts
from convexp.reporting.charts.series_style import series_styles
from convexp.reporting.charts.style import chart_style
from convexp.reporting.charts.sweep_curves import sweep_charts
from convexp.reporting.charts.training import training_charts
from convexp.reporting.report import Report

FOLDER = "figures"
MAX_PARTS = 24  # of a report that have a chart


def draw_charts(report: Report) -> list[Chart]:
    """Draw every chart that the report has data for, in the order of the page. The same report gives the same SVG."""
    with chart_style():
        if report.parts:
            return [chart for index, part in enumerate(report.parts[:MAX_PARTS]) for chart in _charts_of_part(index, part)]
        charts = [*(search_charts(report.search) if report.search else []), *_charts_of_groups(report)]
    return _with_unique_names(charts)


def part_section(index: int) -> str:
    """Return the section, and the beginning of the names, of the charts of one part of a report."""
    return f"part{index + 1}"


def _charts_of_part(index: int, part: Report) -> list[Chart]:
    """The chart that answers; a report on the part alone has all others."""
    chart = answer_chart(part.groups, series_styles(part.groups)) if part.groups and not part.search else None
    return [replace(chart, section=part_section(index), name=f"{part_section(index)}_{chart.name}")] if chart else []


def _charts_of_groups(report: Report) -> list[Chart]:
    groups = report.groups
    if not groups:
        return []
    styles = series_styles(groups)
    charts = [
        None if report.search else answer_chart(groups, styles),
        *forest_charts(report.comparisons, groups, styles),
        parameters_chart(groups, styles, "test/acc"),
        parameters_chart(groups, styles, "probe/shift_map/mean"),
        *([] if report.search else sweep_charts(groups, styles)),  # every trial has values of its own
        radius_chart(groups, styles),
        shift_maps_chart(groups, styles),
        *training_charts(groups, styles, report.root),
        *error_charts(report.errors[0], styles),
    ]
    return [chart for chart in charts if chart is not None]


def _with_unique_names(charts: list[Chart]) -> list[Chart]:
    """Names may coincide because they keep only letters and digits of the names of settings."""
    seen = Counter[str]()
    for index, chart in enumerate(charts):
        seen[chart.name] += 1
        if seen[chart.name] > 1:
            charts[index] = replace(chart, name=f"{chart.name}_{seen[chart.name]}")
    return charts


def write_charts(report: Report, folder: Path, charts: list[Chart] | None = None) -> list[Path]:
    """Write ``figures/NAME.svg`` and ``.png`` of every chart, and ``figures/overview.png``, and return the files.

    Args:
        report: The report that is shown.
        folder: Folder of the report, in which the folder ``figures`` is made.
        charts: Charts of this report, if they have been drawn already.

    Raises:
        OSError: If ``figures`` is a link, or a file cannot be written.
    """
    charts = draw_charts(report) if charts is None else charts
    if not charts:
        return []
    figures = folder / FOLDER
    if figures.is_symlink():
        raise OSError(f"{figures} is a link, and the folder it leads to may belong to somebody else")
    figures.mkdir(parents=True, exist_ok=True)
    with chart_style():
        files = [file for chart in charts for file in chart.save(figures)]
        return [*files, *write_overview(report, figures / "overview.png")]
