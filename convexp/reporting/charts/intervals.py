"""Drawing of means with their intervals: error bars and bands."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from convexp.reporting.charts.marks import Mark, tag
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.charts.style import PAPER
from convexp.reporting.formatting import format_mean
from convexp.reporting.groups import Group
from convexp.reporting.metrics import is_percentage
from convexp.reporting.statistics import Mean

MAX_MARKERS = 30  # points of a line that each get a marker


def error_bar(value: Mean) -> list[list[float]] | None:
    """Return the distances of the interval's ends from the mean of a proportion, in per cent, for matplotlib's ``errorbar``.

    None means that there is no interval. Shape ``(2, 1)``: below, above.
    """
    if value.low is None or value.high is None:
        return None
    return [[100 * (value.mean - value.low)], [100 * (value.high - value.mean)]]


def marker_style(style: SeriesStyle) -> dict[str, Any]:
    """Return how a marker is filled and edged, for matplotlib's ``plot``."""
    if style.hollow:
        return {"marker": style.marker, "mfc": PAPER, "mec": style.colour, "mew": 1.3}
    return {"marker": style.marker, "mfc": style.colour, "mec": PAPER, "mew": 0.5}


def draw_band(
    axes: Axes,
    curve: Sequence[tuple[float, Mean]],
    style: SeriesStyle,
    percentage: bool = True,
    markers: bool = True,
    lines: int = 1,
) -> None:
    """Draw a line through means, with their intervals as a band around it, and a marker at each mean if they are few.

    Args:
        axes: The panel.
        curve: The means by position.
        style: How they are drawn.
        percentage: Whether they are proportions, which are drawn in per cent.
        markers: Whether means have markers.
        lines: Number of lines in the panel: the more, the fainter are their bands.
    """
    factor = 100 if percentage else 1
    x = [position for position, _ in curve]
    means = [factor * value.mean for _, value in curve]
    signs = marker_style(style) if markers and len(x) <= MAX_MARKERS else {}
    tag(axes.plot(x, means, color=style.colour, ls=style.line, **signs), style.keys)
    low = [factor * (value.mean if value.low is None else value.low) for _, value in curve]
    high = [factor * (value.mean if value.high is None else value.high) for _, value in curve]
    if low != high:
        tag(axes.fill_between(x, low, high, color=style.colour, alpha=min(0.16, 0.7 / lines), lw=0), style.keys)


def mean_text(name: str, value: Mean, metric: str) -> str:
    """Return a mean with its 95 % interval in words, as a page shows it: ``conv: mean 97.6 % (95.4–98.8), n = 3``."""
    found = format_mean(value, metric)
    if is_percentage(metric):
        number, bracket, rest = found.partition(" (")
        found = f"{number}\u00a0%{bracket}{rest}"
    return f"{name}: mean {found}, n\u00a0=\u00a0{value.n}"


def seed_text(name: str, seed: int | None, value: float, metric: str) -> str:
    """Return the value of one run in words: ``conv, seed 1: 97.2 %``."""
    number = f"{100 * value:.2f}\u00a0%" if is_percentage(metric) else f"{value:.5g}"
    return f"{name}, seed {seed}: {number}"


def seed_marks(
    axes: Axes, group: Group, style: SeriesStyle, metric: str, at: Sequence[tuple[float, float]], aside: float = 0.0
) -> list[Mark]:
    """Return a mark for each run of a group that has the metric, where its dots are drawn (``Mark.aside``)."""
    runs = [run for run in group.runs if metric in run.metrics]
    return [
        Mark(axes, x, y, style.keys, seed_text(group.label, run.seed, run.metrics[metric], metric), aside)
        for run, (x, y) in zip(runs, at, strict=True)
    ]
