"""Shift maps of all groups side by side, on one colour scale."""

from collections.abc import Sequence
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.curves import mean_map
from convexp.reporting.charts.style import WIDTH
from convexp.reporting.formatting import truncate
from convexp.reporting.groups import Group
from convexp.reporting.selection import evenly_spaced, omission_note

MAX_MAPS = 24
GAP, LINE, BAR = 0.12, 0.14, 0.62  # inches: between maps, for a line of text above a map, and for the colour bar
CAPTION = (
    "Test accuracy at every shift of up to {reach} pixels, mean over seeds. The centre of each map is the accuracy without "
    "shift; shifts down are below it, and shifts to the right are to its right. All maps share one colour scale."
)

Map = list[list[float]]


def shift_maps_chart(groups: Sequence[Group]) -> Chart | None:
    """Draw the shift map of each group; None if no group has one."""
    maps = [(g, found) for g in groups if (found := mean_map(g))]
    if not maps:
        return None
    drawn = [maps[k] for k in evenly_spaced(len(maps), MAX_MAPS)]
    columns = 3 if len(drawn) in (1, 2, 3, 5, 6, 9) else 4
    side = (WIDTH - GAP * (columns + 1)) / columns
    names = [wrap(truncate(g.label, 80), 64 // columns, max_lines=3, placeholder="…") for g, _ in drawn]
    head = (max(map(len, names)) + 1.6) * LINE
    height = -(-len(drawn) // columns) * (side + head) + BAR
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))  # one panel in inches for all maps: a panel for each would take seconds
    for index, (name, (_, found)) in enumerate(zip(names, drawn, strict=True)):
        left = GAP + index % columns * (side + GAP)
        top = height - head - index // columns * (side + head)
        _draw_map(axes, name, found, (left, top - side, side))
    axes.set(xlim=(0, WIDTH), ylim=(0, height), aspect="auto")
    axes.set_axis_off()
    _draw_colour_bar(figure, height)
    means = "; ".join(f"{g.label} {_mean(found):.1f} %, at worst {_worst(found):.1f} %" for g, found in drawn)
    alt_text = f"Test accuracy at every shift, {len(drawn)} maps. Mean over the map: {means}."
    reach = " or ".join(str(r) for r in sorted({len(found[0]) // 2 for _, found in drawn}))
    caption = CAPTION.format(reach=reach) + omission_note(drawn, maps)
    return finish_chart("shift_maps", "shifts", "Accuracy at every shift", alt_text, caption, figure)


def _draw_map(axes: Axes, name: list[str], found: Map, square: tuple[float, float, float]) -> None:
    """Draw a map in the square ``(left, bottom, side)``, with its name and its mean above it."""
    left, bottom, side = square
    extent = (left, left + side, bottom, bottom + side)
    axes.imshow(_percent(found), vmin=0, vmax=100, cmap="viridis", extent=extent, interpolation="none")
    for line, text in enumerate([f"mean {_mean(found):.1f} %", *reversed(name)]):
        axes.text(left, bottom + side + 0.05 + line * LINE, text, fontsize=8, alpha=1 if line else 0.75)


def _draw_colour_bar(figure: Figure, height: float) -> None:
    bar = figure.add_axes((0.2, 0.4 / height, 0.6, 0.1 / height))
    figure.colorbar(ScalarMappable(Normalize(0, 100), "viridis"), cax=bar, orientation="horizontal", label="test accuracy (%)")
    bar.tick_params(labelsize=8)
    bar.xaxis.label.set_fontsize(8)


def _percent(found: Map) -> Map:
    return [[100 * v for v in row] for row in found]


def _mean(found: Map) -> float:
    return 100 * sum(map(sum, found)) / (len(found) * len(found[0]))


def _worst(found: Map) -> float:
    return 100 * min(map(min, found))
