"""Accuracy against what a network costs, and against the distance of the shift."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from convexp.reporting.charts.chart import Chart, chart
from convexp.reporting.charts.curves import radius_curve
from convexp.reporting.charts.pareto import front
from convexp.reporting.charts.series import spaced
from convexp.reporting.charts.series_style import Look
from convexp.reporting.charts.style import INK, PAPER, entries_for, legend, new_figure, scale
from convexp.reporting.formatting import plural, spread, title
from convexp.reporting.groups import Group
from convexp.reporting.statistics import Mean

MOST_LINES = 12
MOST_POINTS = 1000
MOST_BARS = 60
MOST_NAMED = 12
FRONT = "Dashed: the Pareto front, the most that was reached with so many parameters or fewer (means compared, not intervals)."


def against_parameters(groups: Sequence[Group], looks: Sequence[Look], metric: str) -> Chart | None:
    """``metric`` (a share) against the number of parameters, with the front of those that nothing beats."""
    measured = [(i, g, value) for i, g in enumerate(groups) if (value := g.metric(metric)) and g.parameters > 0]
    if len({g.parameters for _, g, _ in measured}) < min(2, len(groups)):
        return None  # a column of dots says no more than the table
    points = [(float(g.parameters), value.mean) for _, g, value in measured]
    best = front(points)
    drawn = sorted({*spaced(len(points), MOST_POINTS), *best})
    entries = entries_for([measured[k][1] for k in drawn], [looks[measured[k][0]] for k in drawn])
    entries = entries if len(entries) <= MOST_NAMED else []
    figure, axes = new_figure(entries)
    dots = [(looks[i], g, value) for i, g, value in (measured[k] for k in drawn)]
    (_dots if len(dots) <= MOST_BARS else _bare_dots)(axes, dots)
    step_front(axes, [points[k] for k in best], right=max(x for x, _ in points))
    scale(axes, "x", [x for x, _ in points], log=True)
    axes.set(xlabel="parameters", ylabel=f"{title(metric)} (%)")
    legend(figure, entries, lines=False)
    on_front = "; ".join(_at(*measured[k][1:], metric) for k in best[:MOST_NAMED])
    words = f"{title(metric)} against parameters of {plural(len(points), 'configuration')}. On the Pareto front: {on_front}."
    left_out = f" Drawn: {len(drawn):,} of {len(points):,}, the whole front among them." if len(drawn) < len(points) else ""
    name = f"parameters {metric.removeprefix('probe/')}"
    return chart(name, "accuracy", f"{title(metric)} against parameters", words, f"{FRONT}{left_out}", figure)


Dots = Sequence[tuple[Look, Group, Mean]]


def _dots(axes: Axes, dots: Dots) -> None:
    """Means with their intervals."""
    for look, group, value in dots:
        at = (group.parameters, 100 * value.mean)
        axes.errorbar(
            *at, error_bar(value), fmt=look.marker, color=look.colour, mec=PAPER, mew=0.6, ms=7, capsize=3, elinewidth=1.2
        )


def error_bar(value: Mean) -> list[list[float]] | None:
    """From the mean of a share down and up to the ends of its interval, in per cent, as matplotlib's errorbar takes them."""
    if value.low is None or value.high is None:
        return None
    return [[100 * (value.mean - value.low)], [100 * (value.high - value.mean)]]


def _bare_dots(axes: Axes, dots: Dots) -> None:
    """Means of one colour at once: an interval for each of a thousand would hide all others, and take seconds."""
    by_colour: dict[str, list[tuple[float, float]]] = {}
    for look, group, value in dots:
        by_colour.setdefault(look.colour, []).append((group.parameters, 100 * value.mean))
    for colour, points in by_colour.items():
        axes.plot(*zip(*points, strict=True), "o", color=colour, ms=4, mec="none", alpha=0.6)


def step_front(axes: Axes, points: Sequence[tuple[float, float]], right: float) -> None:
    """The front as a staircase up to ``right``: with so many parameters, that much accuracy was reached."""
    x, y = [*(p[0] for p in points), right], [*(100 * p[1] for p in points), 100 * points[-1][1]]
    axes.step(x, y, where="post", color=INK, alpha=0.5, lw=1, ls=(0, (4, 3)), zorder=1)


def _at(group: Group, value: Mean, metric: str) -> str:
    return f"{group.label} {spread(value, metric)} % with {group.parameters:,}"


def against_radius(groups: Sequence[Group], looks: Sequence[Look]) -> Chart | None:
    """Test accuracy against the distance of the shift, with the interval over seeds as a band."""
    curves = [(i, g, curve) for i, g in enumerate(groups) if len(curve := radius_curve(g)) > 1]
    if not curves:
        return None
    drawn = [curves[k] for k in spaced(len(curves), MOST_LINES)]
    entries = entries_for([g for _, g, _ in drawn], [looks[i] for i, _, _ in drawn])
    figure, axes = new_figure(entries)
    for i, _, curve in drawn:
        band(axes, curve, looks[i])
    axes.set(xlabel="distance of the shift (pixels)", ylabel="test accuracy (%)", ylim=(0, 102))
    scale(axes, "x", sorted({x for _, _, curve in drawn for x, _ in curve}), log=False)
    legend(figure, entries)
    ends = (
        f"{g.label} {100 * c[0][1].mean:.1f} % unshifted, {100 * c[-1][1].mean:.1f} % at {c[-1][0]:.0f}" for _, g, c in drawn
    )
    words = f"Test accuracy against the distance of the shift in pixels: {'; '.join(ends)}."
    caption = (
        "Mean over all shifts of that distance (the larger of the two offsets) and over seeds; band: 95 % interval over seeds."
    )
    return chart("radius", "shifts", "Accuracy against distance of the shift", words, caption + left_out(drawn, curves), figure)


def left_out(drawn: Sequence[object], every: Sequence[object]) -> str:
    """A sentence on what a chart does not draw; empty if it draws all."""
    if len(drawn) == len(every):
        return ""
    return f" Drawn: {len(drawn):,} of {len(every):,} configurations, evenly spaced in the order of the table."


def band(axes: Axes, curve: Sequence[tuple[float, Mean]], look: Look, share: bool = True) -> None:
    """A line through means, and their intervals as a band."""
    factor = 100 if share else 1
    x = [at for at, _ in curve]
    centre = [factor * value.mean for _, value in curve]
    axes.plot(
        x,
        centre,
        color=look.colour,
        ls=look.line,
        marker=look.marker if len(x) <= 30 else "",
        mec=PAPER,
        mew=0.5,
    )
    low = [factor * (value.mean if value.low is None else value.low) for _, value in curve]
    high = [factor * (value.mean if value.high is None else value.high) for _, value in curve]
    if low != high:
        axes.fill_between(x, low, high, color=look.colour, alpha=0.16, lw=0)
