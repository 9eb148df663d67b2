"""Charts of validation accuracy and training loss by epoch, from the metrics.csv of the runs."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.ticker import MaxNLocator

from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.curves import Curve, mean_curve, training_curve
from convexp.reporting.charts.legend import add_legend, entries_for, new_figure
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.charts.ticks import set_scale
from convexp.reporting.groups import Group
from convexp.reporting.metrics import is_percentage, metric_title
from convexp.reporting.selection import evenly_spaced, omission_note

MAX_GROUPS = 12
MAX_SEEDS = 10
METRICS = ("val/acc", "train/loss")


def training_charts(groups: Sequence[Group], styles: Sequence[SeriesStyle], root: Path) -> list[Chart]:
    """Draw each metric by epoch: a thick line for the mean over seeds, and a thin one for each seed.

    Args:
        groups: All groups of the report.
        styles: Their styles.
        root: Folder of the report, below which the run folders lie.
    """
    drawn = [(groups[i], styles[i]) for i in evenly_spaced(len(groups), MAX_GROUPS)]
    charts = (_training_chart(drawn, root, metric, omission_note(drawn, groups)) for metric in METRICS)
    return [chart for chart in charts if chart is not None]


def _training_chart(drawn: Sequence[tuple[Group, SeriesStyle]], root: Path, metric: str, omitted: str) -> Chart | None:
    curves = [(g, style, c) for g, style in drawn if (c := _seed_curves(g, root, metric))]
    if not any(len(curve) > 1 for _, _, seeds in curves for curve in seeds):
        return None
    entries = entries_for([g for g, _, _ in curves], [style for _, style, _ in curves])
    figure, axes = new_figure(entries)
    factor = 100 if is_percentage(metric) else 1
    for _, style, seeds in curves:
        for curve in seeds if len(seeds) > 1 else []:
            axes.plot(list(curve), [factor * v for v in curve.values()], color=style.colour, lw=0.7, alpha=0.5)
        mean = mean_curve(seeds)
        axes.plot([x for x, _ in mean], [factor * m.mean for _, m in mean], color=style.colour, ls=style.line, lw=2)
    values = [v for _, _, seeds in curves for curve in seeds for v in curve.values()]
    if not is_percentage(metric) and min(values) > 0:
        set_scale(axes, "y", values, log=True)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    title = metric_title(metric)
    axes.set(xlabel="epoch", ylabel=f"{title}{' (%)' if is_percentage(metric) else ''}")
    add_legend(figure, entries, markers=False)
    last = "; ".join(f"{g.label} {_last_value(seeds, metric)}" for g, _, seeds in curves)
    alt_text = f"{title} by epoch. At the last epoch: {last}."
    caption = f"Thick lines: mean over seeds, up to the last epoch that all seeds reached; thin lines: single seeds.{omitted}"
    return finish_chart(f"training {metric}", "training", f"{title} by epoch", alt_text, caption, figure)


def _seed_curves(group: Group, root: Path, metric: str) -> list[Curve]:
    found = (training_curve(root / run.path, metric) for run in group.runs[:MAX_SEEDS])
    return [dict(sorted(curve.items())) for curve in found if curve]


def _last_value(seeds: list[Curve], metric: str) -> str:
    mean = mean_curve(seeds)
    if not mean:
        return "no epoch in common"
    return f"{100 * mean[-1][1].mean:.1f} %" if is_percentage(metric) else f"{mean[-1][1].mean:.3g}"
