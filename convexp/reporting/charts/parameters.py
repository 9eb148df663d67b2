"""Charts of accuracy against the number of parameters, with the Pareto front."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from convexp.reporting.charts.chance import limit_accuracies
from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.intervals import error_bar, marker_style, mean_text
from convexp.reporting.charts.legend import add_legend, entries_for, new_figure
from convexp.reporting.charts.marks import Mark, tag
from convexp.reporting.charts.pareto import pareto_front
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.charts.style import INK
from convexp.reporting.charts.ticks import set_scale
from convexp.reporting.formatting import format_mean
from convexp.reporting.groups import Group
from convexp.reporting.metrics import metric_title
from convexp.reporting.selection import evenly_spaced
from convexp.reporting.statistics import Mean
from convexp.terminal.words import plural

MAX_POINTS = 1000
MAX_ERROR_BARS = 60
MAX_NAMED = 12  # entries of the legend, and points of the front in the alternative text
CAPTION = "Dashed: the Pareto front, the highest mean that is reached with at most that many parameters."

Points = Sequence[tuple[SeriesStyle, Group, Mean]]


def parameters_chart(groups: Sequence[Group], styles: Sequence[SeriesStyle], metric: str) -> Chart | None:
    """Draw a metric (a proportion) against the number of parameters, with the Pareto front.

    None is returned if all groups have the same number of parameters, because the table shows as much.
    """
    measured = [(i, g, value) for i, g in enumerate(groups) if (value := g.metric(metric)) and g.parameters > 0]
    if len({g.parameters for _, g, _ in measured}) < min(2, len(groups)):
        return None
    points = [(float(g.parameters), value.mean) for _, g, value in measured]
    front = pareto_front(points)
    drawn = sorted({*evenly_spaced(len(points), MAX_POINTS), *front})
    entries = entries_for([measured[k][1] for k in drawn], [styles[measured[k][0]] for k in drawn])
    entries = entries if len(entries) <= MAX_NAMED else []
    figure, axes = new_figure(entries)
    marks = _draw_points(axes, [(styles[i], g, value) for i, g, value in (measured[k] for k in drawn)], metric)
    _draw_front(axes, [points[k] for k in front], right=max(x for x, _ in points))
    set_scale(axes, "x", [x for x, _ in points], log=True)
    ends = [end for k in drawn for v in [measured[k][2]] for end in (v.mean, v.low, v.high) if end is not None]
    limit_accuracies(axes, groups, metric, ends)
    title = metric_title(metric)
    axes.set(xlabel="parameters", ylabel=f"{title} (%)")
    add_legend(figure, entries, lines=False)
    on_front = "; ".join(_point_text(*measured[k][1:], metric) for k in front[:MAX_NAMED])
    alt_text = f"{title} against parameters of {plural(len(points), 'configuration')}. On the Pareto front: {on_front}."
    omitted = f" Drawn: {len(drawn):,} of {len(points):,}, including the whole front." if len(drawn) < len(points) else ""
    name = f"parameters {metric.removeprefix('probe/')}"
    return finish_chart(name, "accuracy", f"{title} against parameters", alt_text, f"{CAPTION}{omitted}", figure, marks)


def _draw_points(axes: Axes, points: Points, metric: str) -> list[Mark]:
    """Draw each mean with its interval or, where there are too many for that, all means of one colour at once."""
    marks = [
        Mark(axes, g.parameters, 100 * v.mean, style.keys, f"{mean_text(g.label, v, metric)}, {g.parameters:,} parameters")
        for style, g, v in points
    ]
    if len(points) <= MAX_ERROR_BARS:
        for style, group, value in points:
            _draw_error_bar(axes, style, group, value)
        return marks
    by_colour: dict[str, list[tuple[float, float]]] = {}
    for style, group, value in points:
        by_colour.setdefault(style.colour, []).append((group.parameters, 100 * value.mean))
    for colour, dots in by_colour.items():
        axes.plot(*zip(*dots, strict=True), "o", color=colour, ms=4, mec="none", alpha=0.6)
    return marks


def _draw_error_bar(axes: Axes, style: SeriesStyle, group: Group, value: Mean) -> None:
    x, y = group.parameters, 100 * value.mean
    bars = axes.errorbar(
        x, y, error_bar(value), ls="", color=style.colour, ms=7, capsize=3, elinewidth=1.2, **marker_style(style)
    )
    tag(bars.get_children(), style.keys)


def _draw_front(axes: Axes, points: Sequence[tuple[float, float]], right: float) -> None:
    """Draw the front as a staircase that ends at ``right``."""
    x, y = [*(p[0] for p in points), right], [*(100 * p[1] for p in points), 100 * points[-1][1]]
    axes.step(x, y, where="post", color=INK, alpha=0.5, lw=1, ls=(0, (4, 3)), zorder=1)


def _point_text(group: Group, value: Mean, metric: str) -> str:
    return f"{group.label} {format_mean(value, metric)} % with {group.parameters:,}"
