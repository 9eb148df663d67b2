"""Paired differences and their intervals, a row each."""

from collections.abc import Sequence
from textwrap import wrap

from matplotlib.axes import Axes

from convexp.reporting.charts.chart import Chart, chart
from convexp.reporting.charts.series_style import Look
from convexp.reporting.charts.style import INK, PAPER, new_figure
from convexp.reporting.comparisons import Comparison
from convexp.reporting.formatting import apart, finding, is_share, shortened, title
from convexp.reporting.groups import Group

MOST_ROWS = 24
MOST_CHARTS = 6
CAPTION = (
    "Mean of the paired differences; bar: the interval that the verdict rests on, at the level of its step of Holm's "
    "correction for all of them. It leaves out 0 just where a difference is shown (filled)."
)


def forests(comparisons: Sequence[Comparison], groups: Sequence[Group], looks: Sequence[Look]) -> list[Chart]:
    """A chart per metric that is compared."""
    colour = {g.label: look.colour for g, look in zip(groups, looks, strict=True)}
    metrics = list(dict.fromkeys(c.metric for c in comparisons if c.difference is not None))
    return [_forest(metric, [c for c in comparisons if c.metric == metric], colour) for metric in metrics[:MOST_CHARTS]]


def _forest(metric: str, comparisons: list[Comparison], colour: dict[str, str]) -> Chart:
    known = [c for c in comparisons if c.difference is not None]
    drawn = known[:MOST_ROWS]
    baselines = {c.baseline for c in drawn}
    figure, axes = new_figure(height=0.85 + (0.34 if len(baselines) == 1 else 0.42) * len(drawn))
    for row, comparison in enumerate(drawn):
        _row(axes, row, comparison, colour.get(comparison.label, INK), 100 if is_share(metric) else 1)
    axes.axvline(0, color=INK, lw=1, alpha=0.6, zorder=1)
    axes.set(ylim=(len(drawn) - 0.5, -0.5), xlabel=_difference(metric, baselines))
    axes.set_yticks(range(len(drawn)), [_name(c, one=len(baselines) == 1) for c in drawn], fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=6)  # as many numbers of five signs as stand side by side
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    left_out = (
        f" Drawn: the first {len(drawn)} of {len(comparisons)}; all are in the table." if len(drawn) < len(comparisons) else ""
    )
    words = f"Differences in {title(metric)}. {'; '.join(map(finding, drawn))}."
    name = f"difference {metric.removeprefix('probe/')}"
    return chart(name, "comparisons", f"Difference in {title(metric)}", words, CAPTION + left_out, figure)


def _name(comparison: Comparison, one: bool) -> str:
    """The label; where there is more than one baseline: what is compared, and below it what both have in common."""
    if one:
        return "\n".join(wrap(comparison.label, 28, max_lines=2, placeholder="…"))
    first, other, common = apart(comparison.label, comparison.baseline)
    return f"{shortened(first, 16)} − {shortened(other, 16)}" + (f"\n{shortened(common, 34)}" if common else "")


def _difference(metric: str, baselines: set[str]) -> str:
    to = f" to {shortened(next(iter(baselines)), 36)}" if len(baselines) == 1 else ""
    return f"difference{to}{' (points)' if is_share(metric) else ''}"


def _row(axes: Axes, row: int, comparison: Comparison, colour: str, factor: float) -> None:
    assert comparison.difference is not None
    if comparison.low is not None and comparison.high is not None:
        axes.plot([factor * comparison.low, factor * comparison.high], [row, row], color=colour, lw=2, solid_capstyle="butt")
    shown = comparison.verdict in ("higher", "lower")
    axes.plot(factor * comparison.difference, row, "o", ms=7.5, mec=colour, mew=1.8, mfc=colour if shown else PAPER)
