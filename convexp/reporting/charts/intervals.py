"""Drawing of means with their intervals: error bars and bands."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.charts.style import PAPER
from convexp.reporting.statistics import Mean

MAX_MARKERS = 30  # points of a line that each get a marker


def error_bar(value: Mean) -> list[list[float]] | None:
    """Return the distances of the interval's ends from the mean of a proportion, in per cent, for matplotlib's ``errorbar``.

    None means that there is no interval. Shape ``(2, 1)``: below, above.
    """
    if value.low is None or value.high is None:
        return None
    return [[100 * (value.mean - value.low)], [100 * (value.high - value.mean)]]


def draw_band(axes: Axes, curve: Sequence[tuple[float, Mean]], style: SeriesStyle, percentage: bool = True) -> None:
    """Draw a line through means, with their intervals as a band around it."""
    factor = 100 if percentage else 1
    x = [position for position, _ in curve]
    axes.plot(
        x,
        [factor * value.mean for _, value in curve],
        color=style.colour,
        ls=style.line,
        marker=style.marker if len(x) <= MAX_MARKERS else "",
        mec=PAPER,
        mew=0.5,
    )
    low = [factor * (value.mean if value.low is None else value.low) for _, value in curve]
    high = [factor * (value.mean if value.high is None else value.high) for _, value in curve]
    if low != high:
        axes.fill_between(x, low, high, color=style.colour, alpha=0.16, lw=0)
