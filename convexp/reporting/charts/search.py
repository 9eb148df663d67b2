"""Charts of a search: the best value so far, the importance of settings, and parallel coordinates."""

from itertools import accumulate

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from convexp.pictures.palette import OTHERS
from convexp.records.search import FAILED, SearchRecord
from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.legend import Entry, add_legend, new_figure
from convexp.reporting.charts.parallel import parallel_chart
from convexp.reporting.charts.ticks import set_scale
from convexp.reporting.metrics import is_percentage, metric_title
from convexp.reporting.search import best_sentence
from convexp.terminal.words import plural

SECTION = "search"
LOG_RATIO = 8  # values that are minimised are on a logarithmic scale if the largest is at least this many times the smallest
POINT, BEST, FAILURE = (hue.light for hue in (OTHERS[0], OTHERS[1], OTHERS[2]))


def search_charts(search: SearchRecord) -> list[Chart]:
    """Draw every chart that the search has enough trials for."""
    charts = (best_so_far_chart(search), importance_chart(search), parallel_chart(search, SECTION))
    return [chart for chart in charts if chart is not None]


def best_so_far_chart(search: SearchRecord) -> Chart | None:
    """Draw the value of each trial and the best one up to it, against the number of the trial; None without a value."""
    factor = 100 if is_percentage(search.metric) else 1
    points = [(trial.number, factor * (trial.value or 0.0)) for trial in search.complete]
    if not points:
        return None
    numbers, values = [list(column) for column in zip(*points, strict=True)]
    best = list(accumulate(values, max if search.direction == "maximize" else min))
    failed = [trial.number for trial in search.trials if trial.state == FAILED]
    entries = [Entry("a trial", POINT, "o", ""), Entry("best so far", BEST, "", "-")]
    entries += [Entry("failed", FAILURE, "x", "")] if failed else []
    figure, axes = new_figure(entries)
    axes.plot(numbers, values, "o", color=POINT, alpha=0.7, mec="none")
    axes.step(numbers, best, where="post", color=BEST)
    if failed:
        axes.plot(failed, [0.02] * len(failed), "x", color=FAILURE, transform=axes.get_xaxis_transform(), clip_on=False)
    _set_scales(axes, values, search)
    title = metric_title(search.metric)
    axes.set(xlabel="trial", ylabel=f"{title}{' (%)' if factor == 100 else ''}")
    add_legend(figure, entries)
    over = "mean over the seeds" if len(search.seeds) > 1 else "one seed"
    alt_text = f"{title} of {plural(len(points), 'trial')}, {over}; {best_sentence(search)}."
    caption = f"Value of each trial ({over}), in the order in which they were begun."
    return finish_chart("search best", SECTION, "Best so far", alt_text, caption, figure)


def _set_scales(axes: Axes, values: list[float], search: SearchRecord) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if search.direction == "minimize" and min(values) > 0 and max(values) >= LOG_RATIO * min(values):
        set_scale(axes, "y", values, log=True)


def importance_chart(search: SearchRecord) -> Chart | None:
    """Draw the importance of each setting; None if it is not known."""
    if not search.importance:
        return None
    ranked = sorted(search.importance.items(), key=lambda item: item[1])
    figure, axes = new_figure(height=0.8 + 0.3 * len(ranked))
    axes.barh([name for name, _ in ranked], [100 * share for _, share in ranked], color=POINT, height=0.6)
    axes.set(xlabel="share of the variation (%)", xlim=(0, 100))
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    shares = "; ".join(f"{name} {100 * share:.0f} %" for name, share in reversed(ranked))
    caption = (
        f"How much of the variation of {metric_title(search.metric)} between {plural(len(search.complete), 'trial')} each "
        f"setting explains, by {search.method}. An estimate: few trials, and settings that were tried together, distort it."
    )
    return finish_chart("search importance", SECTION, "Importance of settings", f"Importance: {shares}.", caption, figure)
