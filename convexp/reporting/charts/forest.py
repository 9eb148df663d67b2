"""Forest plots: paired differences with their confidence intervals, one row per comparison."""

from collections.abc import Sequence
from textwrap import wrap

from matplotlib.axes import Axes

from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.legend import new_figure
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.charts.style import INK, PAPER
from convexp.reporting.comparison import Comparison
from convexp.reporting.findings import finding, split_common_words
from convexp.reporting.formatting import truncate
from convexp.reporting.groups import Group
from convexp.reporting.metrics import is_percentage, metric_title

MAX_ROWS = 24
MAX_CHARTS = 6
CAPTION = (
    "Mean of the paired differences; bar: confidence interval, at the level of its step in Holm's correction. The interval "
    "excludes 0 exactly where a difference is shown (filled marker)."
)


def forest_charts(comparisons: Sequence[Comparison], groups: Sequence[Group], styles: Sequence[SeriesStyle]) -> list[Chart]:
    """Draw a forest plot for each metric that groups are compared on."""
    colour = {g.label: style.colour for g, style in zip(groups, styles, strict=True)}
    metrics = list(dict.fromkeys(c.metric for c in comparisons if c.difference is not None))
    return [_forest(metric, [c for c in comparisons if c.metric == metric], colour) for metric in metrics[:MAX_CHARTS]]


def _forest(metric: str, comparisons: list[Comparison], colour: dict[str, str]) -> Chart:
    known = [c for c in comparisons if c.difference is not None]
    drawn = known[:MAX_ROWS]
    baselines = {c.baseline for c in drawn}
    figure, axes = new_figure(height=0.85 + (0.34 if len(baselines) == 1 else 0.42) * len(drawn))
    for row, comparison in enumerate(drawn):
        _draw_row(axes, row, comparison, colour.get(comparison.label, INK), 100 if is_percentage(metric) else 1)
    axes.axvline(0, color=INK, lw=1, alpha=0.6, zorder=1)
    axes.set(ylim=(len(drawn) - 0.5, -0.5), xlabel=_axis_label(metric, baselines))
    axes.set_yticks(range(len(drawn)), [_row_label(c, one_baseline=len(baselines) == 1) for c in drawn], fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=6)  # more numbers of five characters would overlap
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    omitted = (
        f" Drawn: the first {len(drawn)} of {len(comparisons)}; all are in the table." if len(drawn) < len(comparisons) else ""
    )
    alt_text = f"Differences in {metric_title(metric)}. {'; '.join(map(finding, drawn))}."
    name = f"difference {metric.removeprefix('probe/')}"
    return finish_chart(name, "comparisons", f"Difference in {metric_title(metric)}", alt_text, CAPTION + omitted, figure)


def _row_label(comparison: Comparison, one_baseline: bool) -> str:
    """The label; if there are several baselines, what is subtracted from what, and below it what both have in common."""
    if one_baseline:
        return "\n".join(wrap(comparison.label, 28, max_lines=2, placeholder="…"))
    first, other, common = split_common_words(comparison.label, comparison.baseline)
    return f"{truncate(first, 16)} − {truncate(other, 16)}" + (f"\n{truncate(common, 34)}" if common else "")


def _axis_label(metric: str, baselines: set[str]) -> str:
    to = f" to {truncate(next(iter(baselines)), 36)}" if len(baselines) == 1 else ""
    return f"difference{to}{' (points)' if is_percentage(metric) else ''}"


def _draw_row(axes: Axes, row: int, comparison: Comparison, colour: str, factor: float) -> None:
    assert comparison.difference is not None
    if comparison.low is not None and comparison.high is not None:
        axes.plot([factor * comparison.low, factor * comparison.high], [row, row], color=colour, lw=2, solid_capstyle="butt")
    fill = colour if comparison.shows_difference else PAPER
    axes.plot(factor * comparison.difference, row, "o", ms=7.5, mec=colour, mew=1.8, mfc=fill)
