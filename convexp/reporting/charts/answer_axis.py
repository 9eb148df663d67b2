"""The first chart of a study along a numeric axis: a line for each wiring, and every seed as a dot."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from convexp.reporting.charts.answer_rows import WIDTH, metric_words
from convexp.reporting.charts.chance import CAPTION as CHANCE
from convexp.reporting.charts.chance import chance_level, draw_chance
from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.legend import add_legend, legend_height
from convexp.reporting.charts.marks import Mark
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.charts.sweep_panel import axis_title, draw_line, ends_text, set_scales
from convexp.reporting.charts.sweep_points import Curve, lines_along
from convexp.reporting.charts.sweep_styles import line_entries, line_styles
from convexp.reporting.groups import Group
from convexp.reporting.lines import SweepLine
from convexp.reporting.metrics import is_percentage, metric_title
from convexp.reporting.selection import evenly_spaced, omission_note

MAX_LINES = 8
HEIGHT = 2.3  # inches, without the legend
BESIDE, APART, SPREAD = 4.5, 3.0, 12.0  # points: from a mean to its seeds, between the seeds of lines, and for those of all


def answer_axis_chart(
    groups: Sequence[Group], styles: Sequence[SeriesStyle], axis: str, metrics: Sequence[str]
) -> Chart | None:
    """Draw each metric along ``axis`` in a panel of its own; None if nothing varies along it."""
    found = {metric: lines_along(groups, axis, metric) for metric in metrics}
    found = {metric: (lines, x) for metric, (lines, x) in found.items() if len(x) > 1}
    if not found:
        return None
    every = list({line.name: line for lines, _ in found.values() for line, _ in lines}.values())
    lines = [every[k] for k in evenly_spaced(len(every), MAX_LINES)]
    looks = {line.name: style for line, style in zip(lines, line_styles(styles, lines), strict=True)}
    entries = line_entries(lines, list(looks.values()))
    figure = Figure(figsize=(WIDTH, HEIGHT + legend_height(entries)), layout="constrained")
    same_scale = all(map(is_percentage, found))
    panels = figure.subplots(1, len(found), sharey=same_scale, squeeze=False)[0]
    marks: list[Mark] = []
    drawn = {metric: [(line, curve) for line, curve in curves if line.name in looks] for metric, (curves, _) in found.items()}
    for panel, (metric, (_, x)) in zip(panels, found.items(), strict=True):
        for index, (line, curve) in enumerate(drawn[metric]):
            aside = BESIDE + index * min(APART, SPREAD / len(drawn[metric]))
            marks += draw_line(panel, groups, line, curve, looks[line.name], (axis, metric), aside)
        set_scales(panel, x, [value.mean for _, curve in drawn[metric] for _, value in curve], metric)
        panel.set_title(metric_words(metric, groups), fontsize=10)
    level = chance_level(groups, next(iter(found)))
    _finish_panels(panels, level if same_scale else None, [c for curves in drawn.values() for _, c in curves])
    figure.supxlabel(axis_title(axis), fontsize=10)
    if same_scale:
        panels[0].set_ylabel("accuracy (%)" if len(found) > 1 else f"{metric_title(next(iter(found)))} (%)")
    add_legend(figure, entries)
    return _chart(figure, marks, axis, drawn, level, omission_note(lines, every, "lines"))


def _finish_panels(panels: Sequence[Axes], level: float | None, curves: Sequence[Curve]) -> None:
    """Give panels in per cent one range, 0 to 100, and draw that level."""
    if not all(0 <= value.mean <= 1 for curve in curves for _, value in curve) or level is None:
        return
    for panel in panels:
        draw_chance(panel, level, label="right" if panel is panels[-1] else "")
    panels[0].set_ylim(0, 102)


def _chart(
    figure: Figure,
    marks: Sequence[Mark],
    axis: str,
    drawn: dict[str, list[tuple[SweepLine, Curve]]],
    level: float | None,
    omitted: str,
) -> Chart:
    titles = " and ".join(map(metric_title, drawn))
    title = f"{'accuracy' if len(drawn) > 1 and level else titles} against {axis_title(axis)}"
    ends = (f"{metric_title(m)} of {ends_text(line, curve, m)}" for m, lines in drawn.items() for line, curve in lines)
    alt_text = f"{titles[0].upper()}{titles[1:]} against {axis_title(axis)}, every seed as a dot. {'; '.join(ends)}."
    caption = f"Line: mean over seeds; band: 95 % interval; dots beside: seeds.{CHANCE if level else ''}{omitted}"
    return finish_chart("every_seed", "answer", title, alt_text, caption, figure, marks)
