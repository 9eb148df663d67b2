"""The chart of ensembles: accuracies and consistencies by the number of members."""

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from convexp.records.ensembles import EnsembleRecord
from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.style import WIDTH, chart_style
from convexp.reporting.formatting import format_mean, plural
from convexp.reporting.members import SHOWN, by_members, mean_metric
from convexp.reporting.metrics import is_percentage
from convexp.reporting.statistics import Mean

HEIGHT = 3.6  # inches
BY_CHANCE = "by chance"  # at the end of the titles that are a control, which is drawn dashed


def members_chart(record: EnsembleRecord, title: str) -> Chart | None:
    """Draw every share of the table by the number of members, with its 95 % interval over the ensembles of that number.

    Returns:
        The chart, or None if no share was measured, as for a task whose only metric is a loss.
    """
    sizes = by_members(record)
    lines: dict[str, list[tuple[int, Mean]]] = {}
    for name, metric in SHOWN.items():
        if is_percentage(metric):
            means = [(size, mean_metric(found, metric)) for size, found in sizes.items()]
            lines[name] = [(size, value) for size, value in means if value is not None]
    lines = {name: line for name, line in lines.items() if line}
    if not lines:
        return None
    with chart_style():
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        axes = figure.add_subplot()
        colours: dict[str, str] = {}
        for name, line in lines.items():
            colour = colours.setdefault(name.split(",")[0].replace(BY_CHANCE, "consistency"), f"C{len(colours)}")
            ends = [[100 * (m - end if end is not None else 0) * sign for m, end in _ends(line, sign)] for sign in (1, -1)]
            style = "--" if name.endswith(BY_CHANCE) else "o-"
            values = [100 * value.mean for _, value in line]
            axes.errorbar([size for size, _ in line], values, ends, fmt=style, color=colour, label=name, ms=4, lw=1.2)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(list(sizes)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(list(sizes), [str(size) for size in sizes])
        axes.set(xlabel="members", ylabel="per cent", ylim=(0, 102))
        figure.legend(loc="outside lower center", ncols=2)
        last = "; ".join(f"{name} {format_mean(line[-1][1], SHOWN[name])}" for name, line in lines.items())
        caption = (
            "Line: mean over ensembles without a member in common, with the 95 % interval of two or more; shifts as in training"
            f" are of up to {record.trained} pixels."
        )
        return finish_chart("members", "members", title, f"At {plural(max(sizes), 'member')}: {last}.", caption, figure)


def _ends(line: list[tuple[int, Mean]], sign: int) -> list[tuple[float, float | None]]:
    """The mean and one end of the interval, the lower one for 1, at each number of members."""
    return [(value.mean, value.low if sign == 1 else value.high) for _, value in line]
