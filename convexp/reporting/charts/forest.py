"""Forest plot: paired differences with their confidence intervals, a row for each comparison and a panel for each metric."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from convexp.pictures.limits import FLOOR
from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.marks import Mark, make_pick, tag
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.charts.style import INK, PAPER
from convexp.reporting.comparison import Comparison
from convexp.reporting.findings import finding, split_common_words
from convexp.reporting.formatting import truncate
from convexp.reporting.groups import Group
from convexp.reporting.metrics import is_percentage, metric_title

MAX_ROWS = 24
PANELS = 3  # beside each other
MAX_PANELS = 6
WIDTH, ROW = 5.6, 0.24  # inches
CAPTION = (
    "Mean of the paired differences; bar: confidence interval, at the level of its step in Holm's correction. The interval "
    "excludes 0 exactly where a difference is shown (filled marker)."
)
SHORT_TITLES = {
    "test/acc": "test accuracy",
    "probe/shift_map/mean": "under shifts",
    "probe/consistency/all": "consistency",
}
MAX_LABEL = 40  # characters of a row's label
LABEL = {1: 40, 2: 30, 3: 24}  # characters that the figure has room for, by the number of panels; longer ones make it wider
LETTER = 0.07  # inches

Pair = tuple[str, str]  # a configuration and its baseline


@dataclass(frozen=True)
class _Row:
    """A row: what is compared, the style of the configuration, and the label."""

    pair: Pair
    style: SeriesStyle | None
    label: str


def forest_charts(comparisons: Sequence[Comparison], groups: Sequence[Group], styles: Sequence[SeriesStyle]) -> list[Chart]:
    """Draw the differences on all metrics in one figure, with rows that go through all panels; none without a difference."""
    known = [c for c in comparisons if c.difference is not None]
    metrics = list(dict.fromkeys(c.metric for c in known))[:MAX_PANELS]
    pairs = list(dict.fromkeys((c.label, c.baseline) for c in known))
    if not pairs:
        return []
    looks = {g.label: style for g, style in zip(groups, styles, strict=True)}
    labels, what = _labels(pairs[:MAX_ROWS])
    rows = [_Row(pair, looks.get(pair[0]), label) for pair, label in zip(pairs, labels, strict=False)]
    across = min(PANELS, len(metrics))
    down = -(-len(metrics) // across)
    longest = max(len(truncate(row.label, MAX_LABEL)) for row in rows)
    width = WIDTH + LETTER * max(0, longest - LABEL[across])
    figure = Figure(figsize=(width, down * (0.75 + ROW * max(len(rows), 2))), layout="constrained")
    panels = list(figure.subplots(down, across, sharey=True, squeeze=False).flat)
    marks: list[Mark] = []
    for panel, metric in zip(panels, metrics, strict=False):
        found = {(c.label, c.baseline): c for c in known if c.metric == metric}
        marks += [mark for i, row in enumerate(rows) if (c := found.get(row.pair)) for mark in _draw_row(panel, i, row, c)]
        _finish_panel(panel, metric, len({is_percentage(m) for m in metrics}) > 1)
    for panel in panels[len(metrics) :]:
        panel.set_axis_off()
    _name_rows(figure.axes[0], rows)
    units = {is_percentage(metric) for metric in metrics}
    figure.supxlabel(f"difference {what}{' (points)' if units == {True} else ''}", fontsize=10)
    drawn = [c for c in known if (c.label, c.baseline) in pairs[:MAX_ROWS]]
    return [_chart(figure, marks, drawn, metrics, len(rows), len(pairs))]


def _labels(pairs: Sequence[Pair]) -> tuple[list[str], str]:
    """A label for each row, and what all rows have in common: the baseline, or what is subtracted from what."""
    baselines = {baseline for _, baseline in pairs}
    if len(baselines) == 1:
        return [label for label, _ in pairs], f"to {truncate(baselines.pop(), 44)}"
    split = [split_common_words(*pair) for pair in pairs]
    others = {other for _, other, _ in split}
    firsts = {first for first, _, _ in split}
    if len(firsts) == len(others) == 1 and all(common for *_, common in split):
        return [common for *_, common in split], f"{truncate(firsts.pop(), 24)} − {truncate(others.pop(), 24)}"
    if len(others) == 1:
        return [" ".join(filter(None, (first, common))) for first, _, common in split], f"to {truncate(others.pop(), 44)}"
    return [", ".join(filter(None, (_minus(first, other), common))) for first, other, common in split], ""


def _minus(first: str, other: str) -> str:
    """``dense − conv``, and ``readout=global_max − flatten`` where both are values of one setting."""
    setting, sign, _ = first.partition("=")
    return f"{first} − {other.removeprefix(setting + sign) if sign and ' ' not in first + other else other}"


def _draw_row(axes: Axes, place: int, row: _Row, comparison: Comparison) -> list[Mark]:
    """Draw the interval and the mean of a comparison and return the mark of the mean."""
    assert comparison.difference is not None
    factor = 100 if is_percentage(comparison.metric) else 1
    colour, keys = (row.style.colour, row.style.keys) if row.style else (INK, ())
    if comparison.low is not None and comparison.high is not None:
        ends = [factor * comparison.low, factor * comparison.high]
        tag(axes.plot(ends, [place, place], color=colour, lw=2, solid_capstyle="butt"), keys)
    fill = colour if comparison.shows_difference else PAPER
    marker = row.style.own_marker if row.style else "o"  # filled or hollow says what is shown
    at = factor * comparison.difference
    tag(axes.plot(at, place, marker, color=colour, ms=6.5, mec=colour, mew=1.6, mfc=fill), keys)
    return [Mark(axes, at, place, keys, finding(comparison))]


def _finish_panel(axes: Axes, metric: str, with_unit: bool) -> None:
    """Name the panel, with its unit if panels have different ones, and make it so wide that a point does not fill it."""
    axes.axvline(0, color=INK, lw=1, alpha=0.6, zorder=1)
    unit = " (points)" if with_unit and is_percentage(metric) else ""
    axes.set_title(f"{SHORT_TITLES.get(metric, truncate(metric_title(metric), 26))}{unit}", fontsize=9)
    if is_percentage(metric):
        low, high = axes.get_xlim()
        missing = max(0.0, FLOOR / 2 - (high - low)) / 2
        axes.set_xlim(low - missing, high + missing)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(axis="x", labelsize=9)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def _name_rows(axes: Axes, rows: Sequence[_Row]) -> None:
    """Write the labels of the rows beside the first panel, in their colours; all panels share them."""
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [truncate(row.label, MAX_LABEL) for row in rows], fontsize=9)
    for name, row in zip(axes.get_yticklabels(), rows, strict=True):
        if row.style:
            name.set_color(row.style.colour)
            make_pick(name, row.style.keys[-1])


def _chart(
    figure: Figure, marks: Sequence[Mark], drawn: Sequence[Comparison], metrics: Sequence[str], rows: int, count: int
) -> Chart:
    titles = [metric_title(metric) for metric in metrics]
    words = f"{', '.join(titles[:-1])} and {titles[-1]}" if len(titles) > 1 else titles[0]
    omitted = f" Drawn: the first {rows} of {count:,} pairs; all are in the table." if rows < count else ""
    by_metric = ("; ".join(finding(c) for c in drawn if c.metric == metric) for metric in metrics)
    parts = ". ".join(f"{title}: {sentences}" for title, sentences in zip(titles, by_metric, strict=True))
    alt_text = f"Differences in {words}. {parts}."
    title = f"Differences in {words}" if len(titles) == 1 else "Differences"
    return finish_chart("differences", "comparisons", title, alt_text, f"{CAPTION}{omitted}", figure, marks)
