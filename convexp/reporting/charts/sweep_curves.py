"""Metrics along each axis of the study that is a number: sample efficiency, kernel size, rank, cost by image size."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from matplotlib.axes import Axes

from convexp.reporting.charts.accuracy import band, left_out
from convexp.reporting.charts.chart import Chart, chart
from convexp.reporting.charts.series import Line, lines, numeric_axes, spaced, value_on
from convexp.reporting.charts.series_style import COLOURS, LINES, MARKERS, Look
from convexp.reporting.charts.style import Entry, legend, new_figure, scale
from convexp.reporting.formatting import is_share, setting, spread, title
from convexp.reporting.groups import Group
from convexp.reporting.statistics import Mean

MOST_LINES = 12
MOST_CHARTS = 12
AXES = {
    "data.train_size": "training images",
    "model.kernel_size": "kernel size (pixels)",
    "data.canvas": "canvas size (pixels)",
}
ACCURACIES = ("test/acc", "probe/shift_map/mean")
DECADE = 8  # axes are logarithmic from this ratio on

Curve = list[tuple[float, Mean]]


def along_axes(groups: Sequence[Group], looks: Sequence[Look]) -> list[Chart]:
    """A chart per numeric axis and metric: accuracies, or the costs of runs that only count."""
    shown = [m for m in ACCURACIES if any(g.metric(m) for g in groups)]
    costs = sorted({m for g in groups for run in g.runs for m in run["metrics"] if m.startswith("cost/")})
    asked = [(axis, metric) for axis in numeric_axes(groups) for metric in (shown or costs)]
    found = (_chart(groups, looks, axis, metric) for axis, metric in asked[:MOST_CHARTS])
    return [made for made in found if made is not None]


def _chart(groups: Sequence[Group], looks: Sequence[Look], axis: str, metric: str) -> Chart | None:
    found = [(line, _curve(groups, line, axis, metric)) for line in lines(groups, axis)]
    x = sorted({at for line, curve in found for at, _ in curve if not line.flat})
    if len(x) < 2:
        return None
    curves = [(line, _all_along(line, curve, x)) for line, curve in found if curve and (line.flat or len(curve) > 1)]
    drawn = [curves[k] for k in spaced(len(curves), MOST_LINES)]
    seen = line_looks(looks, [line for line, _ in drawn])
    entries = [Entry(line.name, look.colour, look.marker, look.line) for (line, _), look in zip(drawn, seen, strict=True)]
    figure, axes = new_figure(entries)
    for (_, curve), look in zip(drawn, seen, strict=True):
        band(axes, curve, look, is_share(metric))
    _scales(axes, x, [value.mean for _, curve in drawn for _, value in curve], metric)
    name = AXES.get(axis, setting(axis))
    axes.set(xlabel=name, ylabel=f"{title(metric)}{' (%)' if is_share(metric) else ''}")
    legend(figure, entries)
    ends = "; ".join(_ends(line, curve, metric) for line, curve in drawn)
    flat = f" Level: has no {setting(axis)}." if any(line.flat for line, _ in drawn) else ""
    caption = f"Mean over seeds; band: 95 % interval.{flat}" + left_out(drawn, curves).replace("configurations", "lines")
    file = f"{setting(axis)} {metric.removeprefix('probe/')}"
    return chart(file, "axes", f"{title(metric)} against {name}", f"{title(metric)} by {name}. {ends}.", caption, figure)


def _curve(groups: Sequence[Group], line: Line, axis: str, metric: str) -> Curve:
    at = [(value_on(groups[i], axis), groups[i].metric(metric)) for i in line.at]
    return [(0.0 if x is None else x, value) for x, value in at if value is not None]


def _all_along(line: Line, curve: Curve, x: list[float]) -> Curve:
    """A flat line from end to end; any other as it is."""
    return [(at, curve[0][1]) for at in (x[0], x[-1])] if line.flat else curve


def _scales(axes: Axes, x: list[float], y: list[float], metric: str) -> None:
    cost = not is_share(metric)
    scale(axes, "x", x, log=x[0] > 0 and (cost or x[-1] / x[0] >= DECADE))
    if cost:
        scale(axes, "y", y, log=min(y) > 0 and max(y) / min(y) >= DECADE)


def line_looks(looks: Sequence[Look], drawn: Sequence[Line]) -> list[Look]:
    """A look for each line; of those of one colour each has a dash and a marker of its own, as long as there are some."""
    seen = [_look(looks, line) for line in drawn]
    alike = Counter(look.colour for look in seen)
    numbers = {colour: count() for colour in alike}
    return [_numbered(look, next(numbers[look.colour])) if alike[look.colour] > 1 and look.marker else look for look in seen]


def _look(looks: Sequence[Look], line: Line) -> Look:
    """The look of the line's groups, where their colour is that of their kind; plain where it tells their value on the axis."""
    first = looks[line.at[0]]
    if len({looks[i].colour for i in line.at}) > 1:
        return Look(COLOURS[0], "o", "-", first.kind, "")
    return Look(first.colour, "" if line.flat else first.marker, "--" if line.flat else first.line, first.kind, "")


def _numbered(look: Look, number: int) -> Look:
    return replace(look, line=LINES[number % len(LINES)], marker=MARKERS[number % len(MARKERS)])


def _ends(line: Line, curve: Curve, metric: str) -> str:
    (x0, first), (x1, last) = curve[0], curve[-1]
    unit = " %" if is_share(metric) else ""
    if line.flat:
        return f"{line.name}: {spread(first, metric)}{unit} all along"
    return f"{line.name}: {spread(first, metric)}{unit} at {x0:g}, {spread(last, metric)}{unit} at {x1:g}"
