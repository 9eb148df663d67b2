"""The first chart of a study without a numeric axis: a row for each configuration."""

from collections.abc import Sequence
from dataclasses import replace

from matplotlib.axes import Axes

from convexp.reporting.answer.conditions import SHIFTED, TEST
from convexp.reporting.charts.chance import CAPTION as CHANCE
from convexp.reporting.charts.chance import chance_level, draw_chance
from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.intervals import marker_style, mean_text, seed_marks
from convexp.reporting.charts.legend import Entry, add_legend, new_figure
from convexp.reporting.charts.marks import Mark, make_pick, tag
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.charts.style import INK
from convexp.reporting.charts.words import without_common_words
from convexp.reporting.curves import shift_reach
from convexp.reporting.formatting import format_compact, format_mean, truncate
from convexp.reporting.groups import Group
from convexp.reporting.metrics import is_percentage, metric_title
from convexp.reporting.selection import evenly_spaced, omission_note
from convexp.reporting.statistics import Mean
from convexp.terminal.words import plural

WIDTH = 5.2
MAX_ROWS = 12
MAX_NUMBERS = 6  # rows whose means are written beside them; more would overlap
MAX_LABEL = 34  # characters
ROWS_HEIGHT, MAX_ROW = 2.0, 0.56  # inches for all rows, and for one row at most
APART, MEAN, SEEDS = 0.46, -0.05, 0.14  # of a row: between metrics, and where the mean and the dots of each lie

Drawn = Sequence[tuple[Group, SeriesStyle]]


def answer_rows_chart(groups: Sequence[Group], styles: Sequence[SeriesStyle], metrics: Sequence[str]) -> Chart:
    """Draw every configuration as a row, with the first metric as filled marks and the second as hollow ones below."""
    metrics = metrics if all(map(is_percentage, metrics)) else metrics[:1]  # others have scales of their own
    measured = [i for i, g in enumerate(groups) if any(g.metric(m) for m in metrics)]
    drawn = [(groups[measured[k]], styles[measured[k]]) for k in evenly_spaced(len(measured), MAX_ROWS)]
    entries = [Entry(metric_words(m, groups), INK, "o", "", "", hollow=k > 0) for k, m in enumerate(metrics)]
    entries = entries if len(entries) > 1 else []
    height = 0.55 + min(MAX_ROW, ROWS_HEIGHT / len(drawn)) * len(drawn)
    figure, axes = new_figure(entries, height, WIDTH)
    marks = [mark for row, each in enumerate(drawn) for mark in _draw_row(axes, row, *each, metrics)]
    if len(drawn) <= MAX_NUMBERS:
        _write_numbers(axes, drawn, metrics)
    level = chance_level([g for g, _ in drawn], metrics[0])
    draw_chance(axes, level, "x")
    _finish_axes(axes, drawn, metrics, room=0.3 if level else 0.0)
    add_legend(figure, entries, lines=False)
    values = "; ".join(_row_text(g, metrics) for g, _ in drawn)
    titles = " and ".join(metric_title(m) for m in metrics)
    caption = (
        "Small dots: seeds; large marks: their mean, with the 95 % interval as a bar."
        f"{CHANCE if level else ''}{omission_note(drawn, measured)}"
    )
    alt_text = f"{titles[0].upper()}{titles[1:]} of {plural(len(drawn), 'configuration')}, every seed as a dot. {values}."
    title = "Accuracy as images are, and under shifts" if set(metrics) == {TEST, SHIFTED} else titles
    return finish_chart("every_seed", "answer", title, alt_text, caption, figure, marks)


def metric_words(metric: str, groups: Sequence[Group]) -> str:
    """Return what an accuracy was measured on, in words; for any other metric its title."""
    if metric == TEST:
        return "images as they are"
    if metric == SHIFTED:
        reach = shift_reach(groups)
        return f"shifted up to {plural(reach, 'pixel')}" if reach else "under shifts"
    return metric_title(metric)


def _finish_axes(axes: Axes, drawn: Drawn, metrics: Sequence[str], room: float) -> None:
    """Name the rows in their colours and the axis of the metrics; ``room`` is left above the first row."""
    if is_percentage(metrics[0]):
        axes.set(xlim=(0, 102), xlabel=f"{'accuracy' if len(metrics) > 1 else metric_title(metrics[0])} (%)")
    else:
        axes.set(xlabel=metric_title(metrics[0]))
    axes.set(ylim=(len(drawn) - 0.5, -0.5 - room))
    names = [truncate(label, MAX_LABEL) for label in without_common_words([g.label for g, _ in drawn])]
    axes.set_yticks(range(len(drawn)), names, fontsize=10 if len(drawn) <= MAX_NUMBERS else 8)
    for name, (_, style) in zip(axes.get_yticklabels(), drawn, strict=True):
        name.set_color(style.colour)
        make_pick(name, style.keys[-1])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def _draw_row(axes: Axes, row: int, group: Group, style: SeriesStyle, metrics: Sequence[str]) -> list[Mark]:
    """Draw the means and the dots of all metrics of a group and return their marks."""
    marks: list[Mark] = []
    for k, metric in enumerate(metrics):
        value = group.metric(metric)
        if value is not None:
            centre = row + (k - (len(metrics) - 1) / 2) * APART
            marks += _draw_seeds(axes, centre + SEEDS, group, style, metric)
            marks += _draw_mean(axes, centre + MEAN, group, replace(style, hollow=k > 0), (metric, value))
    return marks


def _draw_seeds(axes: Axes, height: float, group: Group, style: SeriesStyle, metric: str) -> list[Mark]:
    values = [_factor(metric) * run.metrics[metric] for run in group.runs if metric in run.metrics]
    dots = axes.plot(values, [height] * len(values), "o", ms=3.6, color=style.colour, mec="none", alpha=0.7)
    tag(dots, style.keys)
    return seed_marks(axes, group, style, metric, [(value, height) for value in values])


def _draw_mean(axes: Axes, height: float, group: Group, style: SeriesStyle, measured: tuple[str, Mean]) -> list[Mark]:
    """Draw the mean with its interval."""
    metric, value = measured
    factor = _factor(metric)
    ends = [factor * (value.mean if end is None else end) for end in (value.low, value.high)]
    tag(axes.plot(ends, [height, height], color=style.colour, lw=2, solid_capstyle="butt"), style.keys)
    tag(axes.plot(factor * value.mean, height, color=style.colour, ls="", ms=7, **marker_style(style)), style.keys)
    return [Mark(axes, factor * value.mean, height, style.keys, mean_text(group.label, value, metric))] if value.n > 1 else []


def _write_numbers(axes: Axes, drawn: Drawn, metrics: Sequence[str]) -> None:
    """Write each mean beside its interval, on the side where there is more room."""
    for row, (group, style) in enumerate(drawn):
        for k, metric in enumerate(metrics):
            value = group.metric(metric)
            if value is None:
                continue
            left = is_percentage(metric) and value.mean > 0.5
            end = value.low if left else value.high
            place = (_factor(metric) * (value.mean if end is None else end), row + (k - (len(metrics) - 1) / 2) * APART + MEAN)
            number = f"{100 * value.mean:.1f} %" if is_percentage(metric) else format_compact(value.mean)
            offset, side = (-8, "right") if left else (8, "left")
            words = axes.annotate(
                number, place, xytext=(offset, 0), textcoords="offset points", ha=side, va="center", fontsize=9
            )
            tag(words, style.keys)


def _factor(metric: str) -> int:
    return 100 if is_percentage(metric) else 1


def _row_text(group: Group, metrics: Sequence[str]) -> str:
    return " ".join([group.label, ", ".join(format_mean(group.metric(metric), metric) for metric in metrics)])
