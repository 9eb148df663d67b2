"""Charts of validation accuracy and training loss by epoch, from the metrics.csv of the runs."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from convexp.reporting.charts.chance import limit_accuracies
from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.intervals import draw_band, mean_text
from convexp.reporting.charts.legend import add_legend, entries_for, new_figure
from convexp.reporting.charts.marks import Mark, tag
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.charts.ticks import set_scale
from convexp.reporting.curves import Curve, mean_curve, training_curves
from convexp.reporting.groups import Group
from convexp.reporting.metrics import average_of, is_percentage, metric_title
from convexp.reporting.selection import evenly_spaced, omission_note
from convexp.reporting.statistics import Mean

MAX_GROUPS = 12
MAX_SEEDS = 10  # of a group, that are drawn one by one; the mean is over all
MAX_WITH_SEEDS = 6  # groups whose single seeds are drawn; more would cover each other
MAX_POINTS = 40  # epochs of a line that show their numbers
METRICS = ("val/acc", "train/loss")

Drawn = Sequence[tuple[Group, SeriesStyle, list[Curve], list[tuple[float, Mean]]]]  # with the curves of the seeds and the mean


def training_charts(groups: Sequence[Group], styles: Sequence[SeriesStyle], root: Path) -> list[Chart]:
    """Draw each metric by epoch: a line for the mean over seeds with its 95 % interval as a band, and a thin one for each seed.

    Args:
        groups: All groups of the report.
        styles: Their styles.
        root: Folder of the report, below which the run folders lie.
    """
    drawn = [(groups[i], styles[i]) for i in evenly_spaced(len(groups), MAX_GROUPS)]
    trained = [[training_curves(root / run.path, METRICS) for run in group.runs] for group, _ in drawn]
    charts = (_training_chart(drawn, trained, metric, omission_note(drawn, groups)) for metric in METRICS)
    return [chart for chart in charts if chart is not None]


def _training_chart(
    pairs: Sequence[tuple[Group, SeriesStyle]], trained: Sequence[Sequence[dict[str, Curve]]], metric: str, omitted: str
) -> Chart | None:
    """Draw one metric of groups whose runs have the curves ``trained``."""
    average = average_of(metric)
    found = [(g, style, c) for (g, style), runs in zip(pairs, trained, strict=True) if (c := _seed_curves(runs, metric))]
    drawn = [(g, style, seeds, mean_curve(seeds, average)) for g, style, seeds in found]
    if not any(len(curve) > 1 for _, _, seeds, _ in drawn for curve in seeds):
        return None
    entries = entries_for([g for g, *_ in drawn], [style for _, style, *_ in drawn])
    figure, axes = new_figure(entries)
    marks = [mark for each in drawn for mark in _draw_curves(axes, each, metric, len(drawn))]
    _set_limits(axes, drawn, metric)
    title = metric_title(metric)
    axes.set(xlabel="epoch", ylabel=f"{title}{' (%)' if is_percentage(metric) else ''}")
    add_legend(figure, entries, markers=False)
    last = "; ".join(f"{g.label} {_last_value(curve, metric)}" for g, _, _, curve in drawn)
    alt_text = f"{title} by epoch. At the last epoch: {last}."
    many = any(len(seeds) > MAX_SEEDS for _, _, seeds, _ in drawn)
    single = f"single seeds, of each configuration the first {MAX_SEEDS}" if many else "single seeds"
    caption = (
        "Line: mean over seeds, up to the last epoch that all seeds reached, with the 95 % interval as a band"
        f"{f'; thin lines: {single}' if len(drawn) <= MAX_WITH_SEEDS else ''}.{omitted}"
    )
    return finish_chart(f"training {metric}", "training", f"{title} by epoch", alt_text, caption, figure, marks)


def _draw_curves(
    axes: Axes, drawn: tuple[Group, SeriesStyle, list[Curve], list[tuple[float, Mean]]], metric: str, lines: int
) -> list[Mark]:
    """Draw the curves of a group, one of ``lines``, and return a mark for each of its means."""
    group, style, seeds, means = drawn
    factor = 100 if is_percentage(metric) else 1
    for curve in seeds[:MAX_SEEDS] if len(seeds) > 1 and lines <= MAX_WITH_SEEDS else []:
        values = [factor * v for v in curve.values()]
        tag(axes.plot(list(curve), values, color=style.colour, lw=0.6, alpha=0.45), style.keys)
    draw_band(axes, means, style, is_percentage(metric), markers=False, lines=lines)
    shown = [means[k] for k in evenly_spaced(len(means), MAX_POINTS)]
    return [
        Mark(axes, x, factor * value.mean, style.keys, mean_text(f"{group.label}, epoch {x:g}", value, metric))
        for x, value in shown
    ]


def _set_limits(axes: Axes, drawn: Drawn, metric: str) -> None:
    """A loss is on a logarithmic scale; an accuracy on one that does not make much of little, with the level of chance."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    values = [v for _, _, seeds, _ in drawn for curve in seeds for v in curve.values()]
    if is_percentage(metric):
        limit_accuracies(axes, [g for g, *_ in drawn], metric, values)
    elif min(values) > 0:
        set_scale(axes, "y", values, log=True)
        axes.set_ylim(min(values) / 1.3, max(values) * 1.3)  # a band may reach below 0


def _seed_curves(runs: Sequence[dict[str, Curve]], metric: str) -> list[Curve]:
    return [dict(sorted(curves[metric].items())) for curves in runs if curves[metric]]


def _last_value(means: Sequence[tuple[float, Mean]], metric: str) -> str:
    if not means:
        return "no epoch in common"
    return f"{100 * means[-1][1].mean:.1f} %" if is_percentage(metric) else f"{means[-1][1].mean:.3g}"
