"""The charts of a report, as SVG in its page and as files. Imports matplotlib (never pyplot), so it is imported late."""

from convexp.reporting.charts.chart import Chart
from convexp.reporting.charts.draw import draw_charts, write_charts

__all__ = ["Chart", "draw_charts", "write_charts"]
