"""Shift maps of all groups side by side, on one colour scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from convexp.reporting.charts.chance import chance_level
from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.marks import tag
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.charts.style import INK, WIDTH
from convexp.reporting.charts.words import without_common_words
from convexp.reporting.curves import mean_map
from convexp.reporting.formatting import truncate
from convexp.reporting.groups import Group
from convexp.reporting.selection import evenly_spaced, omission_note

MAX_MAPS = 24
# Inches: left of a map and below it for ticks, for a line of text above it, below all maps for the colour bar.
LEFT, BELOW, LINE, BAR = 0.24, 0.2, 0.14, 0.84
EDGE = 0.2  # inches on the left for the name of the axis
RIGHT, DOWN = "shift right (pixels)", "shift down (pixels)"
SMALL = 7.5  # points, for ticks
CAPTION = (
    "Test accuracy at every shift of up to {reach} {pixels}, mean over seeds. The centre of each map is the accuracy without "
    "shift; {down}shifts to the right are to its right. All maps share one colour scale."
)

Map = list[list[float]]


@dataclass(frozen=True)
class _Square:
    """Where a map lies, in inches from the lower left corner of the figure."""

    left: float
    bottom: float
    side: float


def shift_maps_chart(groups: Sequence[Group], styles: Sequence[SeriesStyle]) -> Chart | None:
    """Draw the shift map of each group; None if no group has one."""
    maps = [(g, style, found) for g, style in zip(groups, styles, strict=True) if (found := mean_map(g))]
    if not maps:
        return None
    drawn = [maps[k] for k in evenly_spaced(len(maps), MAX_MAPS)]
    columns = 3 if len(drawn) in (1, 2, 3, 5, 6, 9) else 4
    side = (WIDTH - EDGE - 0.1) / columns - LEFT
    labels = without_common_words([g.label for g, *_ in drawn])
    names = [wrap(truncate(label, 80), 52 // columns, max_lines=3, placeholder="…") for label in labels]
    head = (max(map(len, names)) + 1.6) * LINE
    height = -(-len(drawn) // columns) * (side + head + BELOW) + BAR
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))  # one panel in inches for all maps: a panel for each would take seconds
    for index, (name, (_, style, found)) in enumerate(zip(names, drawn, strict=True)):
        left = EDGE + index % columns * (side + LEFT) + LEFT
        top = height - head - index // columns * (side + head + BELOW)
        square = _Square(left, top - side, side)
        _draw_map(axes, name, found, style, square)
        _draw_ticks(axes, found, square)
    axes.set(xlim=(0, WIDTH), ylim=(0, height), aspect="auto")
    axes.set_axis_off()
    flat = all(len(found) == 1 for *_, found in drawn)
    _name_axes(axes, height, flat)
    _draw_colour_bar(figure, height, chance_level([g for g, *_ in drawn], "probe/shift_map/mean"))
    means = "; ".join(f"{g.label} {_mean(found):.1f} %, at worst {_worst(found):.1f} %" for g, _, found in drawn)
    alt_text = f"Test accuracy at every shift, {len(drawn)} maps. Mean over the map: {means}."
    reach = " or ".join(str(r) for r in sorted({len(found[0]) // 2 for *_, found in drawn}))
    pixels, down = "pixel" if reach == "1" else "pixels", "" if flat else "shifts down are below it, and "
    caption = CAPTION.format(reach=reach, pixels=pixels, down=down) + omission_note(drawn, maps)
    return finish_chart("shift_maps", "shifts", "Accuracy at every shift", alt_text, caption, figure)


def _draw_map(axes: Axes, name: Sequence[str], found: Map, style: SeriesStyle, square: _Square) -> None:
    """Draw a map in its square, with its name in the colour of the group and its mean above it."""
    extent = (square.left, square.left + square.side, square.bottom, square.bottom + square.side)
    percent = [[100 * v for v in row] for row in found]
    tag(axes.imshow(percent, vmin=0, vmax=100, cmap="viridis", extent=extent, interpolation="none"), style.keys)
    for line, text in enumerate([f"mean {_mean(found):.1f} %", *reversed(name)]):
        place = square.left, square.bottom + square.side + 0.05 + line * LINE
        tag(axes.text(*place, text, fontsize=8, color=style.colour if line else INK), style.keys)


def _draw_ticks(axes: Axes, found: Map, square: _Square) -> None:
    """Number the middle and the ends of a map's sides by the shift in pixels, upwards negative."""
    across, down = len(found[0]), len(found)
    for shift in (-(across // 2), 0, across // 2):
        x = square.left + square.side * (0.5 + shift / across)
        axes.plot([x, x], [square.bottom, square.bottom - 0.03], color=INK, lw=0.7)
        axes.text(x, square.bottom - 0.05, _signed(shift), ha="center", va="top", fontsize=SMALL)
    for shift in (-(down // 2), 0, down // 2) if down > 1 else ():
        y = square.bottom + square.side * (0.5 - shift / down)
        axes.plot([square.left, square.left - 0.03], [y, y], color=INK, lw=0.7)
        axes.text(square.left - 0.05, y, _signed(shift), ha="right", va="center", fontsize=SMALL)


def _signed(shift: int) -> str:
    return f"+{shift}" if shift > 0 else f"−{-shift}" if shift else "0"


def _name_axes(axes: Axes, height: float, flat: bool) -> None:
    axes.text(WIDTH / 2 + EDGE / 2, BAR - 0.12, RIGHT, ha="center", va="top", fontsize=8)
    if not flat:
        axes.text(0.02, (height + BAR) / 2, DOWN, rotation=90, ha="left", va="center", fontsize=8)


def _draw_colour_bar(figure: Figure, height: float, chance: float | None) -> None:
    """Draw the scale of all maps, with the level of chance on it."""
    bar = figure.add_axes((0.2, 0.38 / height, 0.6, 0.1 / height))
    figure.colorbar(ScalarMappable(Normalize(0, 100), "viridis"), cax=bar, orientation="horizontal", label="test accuracy (%)")
    bar.tick_params(labelsize=8)
    bar.xaxis.label.set_fontsize(8)
    if chance is not None:
        bar.plot([100 * chance] * 2, [1, 1.7], color=INK, lw=1, clip_on=False, transform=bar.get_xaxis_transform())
        bar.text(100 * chance + 1, 1.2, "chance", fontsize=SMALL, transform=bar.get_xaxis_transform())


def _mean(found: Map) -> float:
    return 100 * sum(map(sum, found)) / (len(found) * len(found[0]))


def _worst(found: Map) -> float:
    return 100 * min(map(min, found))
