"""The charts of a report's section on errors."""

from collections.abc import Sequence

from convexp.reporting.charts.chart import Chart
from convexp.reporting.charts.errors_by_class import class_shifts_chart, recall_chart
from convexp.reporting.charts.errors_changes import changes_chart
from convexp.reporting.charts.errors_confusion import confusion_chart
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.error_tables import ErrorTable


def error_charts(tables: Sequence[ErrorTable], styles: Sequence[SeriesStyle]) -> list[Chart]:
    """Draw confusion, accuracy by class, and what shifts do to each class; nothing without tables.

    Args:
        tables: The errors of those groups that have the probe ``errors``.
        styles: The style of every group of the report.
    """
    if not tables:
        return []
    shown = [styles[table.index] for table in tables]
    charts = [confusion_chart(tables), recall_chart(tables, shown), class_shifts_chart(tables), changes_chart(tables, shown)]
    return [chart for chart in charts if chart is not None]
