"""The chart of ensembles: accuracies, consistencies and equivariance errors by the number of members."""

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from convexp.records.ensembles import ERROR_BEYOND, ERROR_IN_RANGE, EnsembleRecord, Measured
from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.style import WIDTH, chart_style
from convexp.reporting.charts.ticks import set_scale
from convexp.reporting.formatting import format_mean
from convexp.reporting.members import SHOWN, by_members, mean_metric
from convexp.reporting.metrics import is_percentage
from convexp.reporting.statistics import Mean
from convexp.terminal.words import plural

HEIGHT = 3.6  # inches, of each pair of axes
BY_CHANCE = "by chance"  # at the end of the titles that are a control, which is drawn dashed
ERRORS = (ERROR_IN_RANGE, ERROR_BEYOND)

Lines = dict[str, list[tuple[int, Mean]]]  # the mean at each number of members, by title


def members_chart(record: EnsembleRecord, title: str) -> Chart | None:
    """Draw every share of the table by the number of members, with its 95 % interval over the ensembles of that number.

    Equivariance errors, if there are any, are drawn below, on logarithmic axes unless one is 0.

    Returns:
        The chart, or None if there is nothing to draw, as for a task whose only metric is a loss.
    """
    sizes = by_members(record)
    panels = [lines for drawn in (is_percentage, ERRORS.__contains__) if (lines := _lines(sizes, drawn))]
    if not panels:
        return None
    with chart_style():
        figure = Figure(figsize=(WIDTH, HEIGHT * len(panels)), layout="constrained")
        colours: dict[str, str] = {}
        for row, lines in enumerate(panels, start=1):
            axes = figure.add_subplot(len(panels), 1, row)
            _draw(axes, lines, colours)
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(FixedLocator(list(sizes)))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.set_xticks(list(sizes), [str(size) for size in sizes])
            axes.set(xlabel="members")
        figure.legend(loc="outside lower center", ncols=2)
        every = [(name, line[-1][1]) for lines in panels for name, line in lines.items()]
        last = "; ".join(f"{name} {format_mean(value, SHOWN[name])}" for name, value in every)
        caption = (
            "Line: mean over ensembles without a member in common, with the 95 % interval of two or more; shifts as in training"
            f" are of up to {record.trained} pixels."
        )
        return finish_chart("members", "members", title, f"At {plural(max(sizes), 'member')}: {last}.", caption, figure)


def _lines(sizes: dict[int, list[Measured]], drawn: Callable[[str], bool]) -> Lines:
    """The lines of those metrics of the table that are drawn together."""
    lines: Lines = {}
    for name, metric in SHOWN.items():
        means = [(size, mean_metric(found, metric)) for size, found in sizes.items() if drawn(metric)]
        if line := [(size, value) for size, value in means if value is not None]:
            lines[name] = line
    return lines


def _draw(axes: Axes, lines: Lines, colours: dict[str, str]) -> None:
    """Draw lines of shares, or of errors; a control has the colour of what it is compared with."""
    shares = all(is_percentage(SHOWN[name]) for name in lines)
    unit = 100 if shares else 1
    for name, line in lines.items():
        subject = "consistency" if name == BY_CHANCE else name.removesuffix(f", {BY_CHANCE}")
        colour = colours.setdefault(subject, f"C{len(colours)}")
        ends = [[unit * (m - end if end is not None else 0) * sign for m, end in _ends(line, sign)] for sign in (1, -1)]
        style = "--" if name.endswith(BY_CHANCE) else "o-"
        values = [unit * value.mean for _, value in line]
        axes.errorbar([size for size, _ in line], values, ends, fmt=style, color=colour, label=name, ms=4, lw=1.2)
    if shares:
        axes.set(ylabel="per cent", ylim=(0, 102))
    else:
        axes.set(ylabel="equivariance error")
        drawn = [value.mean for line in lines.values() for _, value in line]
        set_scale(axes, "y", drawn, log=min(drawn) > 0)
        if min(drawn) > 0:
            axes.set_ylim(min(drawn) / 2, 2 * max(drawn))  # the interval of two ensembles may be a decade long


def _ends(line: list[tuple[int, Mean]], sign: int) -> list[tuple[float, float | None]]:
    """The mean and one end of the interval, the lower one for 1, at each number of members."""
    return [(value.mean, value.low if sign == 1 else value.high) for _, value in line]
