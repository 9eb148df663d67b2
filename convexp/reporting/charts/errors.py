"""The charts of a report's section on errors."""

from collections.abc import Sequence
from pathlib import Path

from convexp.reporting.charts.chart import Chart
from convexp.reporting.charts.errors_by_class import class_shifts_chart, recall_chart
from convexp.reporting.charts.errors_changes import changes_chart
from convexp.reporting.charts.errors_confusion import confusion_chart
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.error_tables import error_tables
from convexp.reporting.groups import Group


def error_charts(groups: Sequence[Group], styles: Sequence[SeriesStyle], root: Path) -> list[Chart]:
    """Draw confusion, accuracy by class, and what shifts do to each class; nothing if no run has the probe ``errors``."""
    tables, _ = error_tables(groups, root)
    if not tables:
        return []
    shown = [styles[table.index] for table in tables]
    charts = [confusion_chart(tables), recall_chart(tables, shown), class_shifts_chart(tables), changes_chart(tables, shown)]
    return [chart for chart in charts if chart is not None]
