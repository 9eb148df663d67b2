"""How the runs learned: curves by epoch from their metrics.csv."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.ticker import MaxNLocator

from convexp.reporting.charts.accuracy import left_out
from convexp.reporting.charts.chart import Chart, chart
from convexp.reporting.charts.curves import Curve, mean_curve, training_curve
from convexp.reporting.charts.series import spaced
from convexp.reporting.charts.series_style import Look
from convexp.reporting.charts.style import entries_for, legend, new_figure, scale
from convexp.reporting.formatting import is_share, title
from convexp.reporting.groups import Group

MOST_GROUPS = 12
MOST_SEEDS = 10
METRICS = ("val/acc", "train/loss")


def training(groups: Sequence[Group], looks: Sequence[Look], root: Path) -> list[Chart]:
    """Validation accuracy and training loss by epoch: the mean over seeds, and each seed as a thin line."""
    drawn = [(groups[i], looks[i]) for i in spaced(len(groups), MOST_GROUPS)]
    made = (_chart(drawn, root, metric, left_out(drawn, groups)) for metric in METRICS)
    return [found for found in made if found is not None]


def _chart(drawn: Sequence[tuple[Group, Look]], root: Path, metric: str, missing: str) -> Chart | None:
    curves = [(g, look, c) for g, look in drawn if (c := _curves(g, root, metric))]
    if not any(len(curve) > 1 for _, _, seeds in curves for curve in seeds):
        return None
    entries = entries_for([g for g, _, _ in curves], [look for _, look, _ in curves])
    figure, axes = new_figure(entries)
    factor = 100 if is_share(metric) else 1
    for _, look, seeds in curves:
        for curve in seeds if len(seeds) > 1 else []:
            axes.plot(list(curve), [factor * v for v in curve.values()], color=look.colour, lw=0.7, alpha=0.5)
        mean = mean_curve(seeds)
        axes.plot([x for x, _ in mean], [factor * m.mean for _, m in mean], color=look.colour, ls=look.line, lw=2)
    values = [v for _, _, seeds in curves for curve in seeds for v in curve.values()]
    if not is_share(metric) and min(values) > 0:
        scale(axes, "y", values, log=True)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="epoch", ylabel=f"{title(metric)}{' (%)' if is_share(metric) else ''}")
    legend(figure, entries, markers=False)
    ends = "; ".join(f"{g.label} {_last(seeds, metric)}" for g, _, seeds in curves)
    words = f"{title(metric)} by epoch, at the last: {ends}."
    caption = f"Thick: mean over seeds, as far as all of them got; thin: each seed.{missing}"
    return chart(f"training {metric}", "training", f"{title(metric)} by epoch", words, caption, figure)


def _curves(group: Group, root: Path, metric: str) -> list[Curve]:
    found = (training_curve(root / run["path"], metric) for run in group.runs[:MOST_SEEDS] if "path" in run)
    return [dict(sorted(curve.items())) for curve in found if curve]


def _last(seeds: list[Curve], metric: str) -> str:
    mean = mean_curve(seeds)
    if not mean:
        return "no epoch in common"
    return f"{100 * mean[-1][1].mean:.1f} %" if is_share(metric) else f"{mean[-1][1].mean:.3g}"
