"""Chart of test accuracy against the distance of the shift."""

from collections.abc import Sequence

from convexp.reporting.charts.chance import CAPTION as CHANCE
from convexp.reporting.charts.chance import chance_level, draw_chance
from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.intervals import draw_band, mean_text
from convexp.reporting.charts.legend import add_legend, entries_for, new_figure
from convexp.reporting.charts.marks import Mark
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.charts.ticks import set_scale
from convexp.reporting.curves import radius_curve
from convexp.reporting.groups import Group
from convexp.reporting.selection import evenly_spaced, omission_note

MAX_LINES = 12
METRIC = "probe/shift_map/mean"
CAPTION = (
    "Mean over all shifts of that distance (the larger of the two offsets) and over seeds; band: 95 % interval over seeds."
)


def radius_chart(groups: Sequence[Group], styles: Sequence[SeriesStyle]) -> Chart | None:
    """Draw test accuracy against the distance of the shift; None if no group has a shift map."""
    curves = [(i, g, curve) for i, g in enumerate(groups) if len(curve := radius_curve(g)) > 1]
    if not curves:
        return None
    drawn = [curves[k] for k in evenly_spaced(len(curves), MAX_LINES)]
    entries = entries_for([g for _, g, _ in drawn], [styles[i] for i, _, _ in drawn])
    figure, axes = new_figure(entries)
    marks: list[Mark] = []
    for i, group, curve in drawn:
        draw_band(axes, curve, styles[i], lines=len(drawn))
        marks += [
            Mark(
                axes,
                x,
                100 * v.mean,
                styles[i].keys,
                mean_text(f"{group.label}, shifted by {x:g} pixel{'' if x == 1 else 's'}", v, METRIC),
            )
            for x, v in curve
        ]
    level = chance_level([g for _, g, _ in drawn], METRIC)
    draw_chance(axes, level, label="left")  # where curves are high
    axes.set(xlabel="distance of the shift (pixels)", ylabel="test accuracy (%)", ylim=(0, 102))
    set_scale(axes, "x", sorted({x for _, _, curve in drawn for x, _ in curve}), log=False)
    add_legend(figure, entries)
    ends = (
        f"{g.label} {100 * c[0][1].mean:.1f} % unshifted, {100 * c[-1][1].mean:.1f} % at {c[-1][0]:.0f}" for _, g, c in drawn
    )
    alt_text = f"Test accuracy against the distance of the shift in pixels: {'; '.join(ends)}."
    caption = CAPTION + (CHANCE if level else "") + omission_note(drawn, curves)
    return finish_chart("radius", "shifts", "Accuracy against distance of the shift", alt_text, caption, figure, marks)
