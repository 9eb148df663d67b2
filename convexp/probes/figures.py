"""Pictures drawn with matplotlib, returned as tensors ``(3, H, W)`` uint8. It is imported when the first is drawn."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from convexp.geometry.skeleton import ReceptiveField
from convexp.pictures.colour_bar import PERCENT, colour_bar, map_colours
from convexp.pictures.limits import percent_limits
from convexp.pictures.sheet import Sheet
from convexp.probes.pictures import as_tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEGEND_WITHIN = 12  # lines that a legend within the axes has room for; that of more stands beside them
CELL, LEGIBLE_CELL, SMALLEST_CELL = 36, 24, 6  # sides of a heat map's cell, in pixels: usual, with room for a number, least
WIDEST = 480  # of a heat map, in pixels
NARROWEST = 0.1  # width of an axis of values, as a share of the largest


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of 100 dots per inch.

    Args:
        width: Width in inches.
        height: Height in inches.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=100, layout="constrained")


def whole_numbers(axes: "Axes") -> None:
    """Mark nothing but whole numbers on the horizontal axis."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def figure_to_tensor(figure: "Figure") -> Tensor:
    """Render a matplotlib figure as a picture ``(3, H, W)`` uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return torch.from_numpy(np.asarray(canvas.buffer_rgba())[..., :3].copy()).permute(2, 0, 1)  # (3, H, W)


def heat_map(grid: Tensor, max_shift: int, title: str, label: str) -> Tensor:
    """Draw percentages over a grid of shifts as a heat map, with the number in each cell.

    Args:
        grid: Percentages from 0 to 100, ``(2r+1, 2r+1)`` for images or ``(2r+1,)`` for signals, with r = ``max_shift``.
        max_shift: Largest shift, in pixels.
        title: Title of the picture.
        label: What the percentages are.
    """
    flat = grid.dim() == 1
    cells = (grid[None] if flat else grid).double().cpu().numpy()
    side = max(SMALLEST_CELL, min(CELL, WIDEST // cells.shape[1]))
    shifts = [str(shift) for shift in range(-max_shift, max_shift + 1)]
    numbers = [[f"{value:.0f}" for value in row] for row in cells.tolist()] if side >= LEGIBLE_CELL else ()
    sheet = Sheet(
        map_colours(cells / 100, "viridis")[:, :, None, None].repeat(side, 2).repeat(side, 3),
        title,
        rows=() if flat else shifts,
        columns=shifts,
        row_title="" if flat else "down",
        column_title="shift (pixels)" if flat else "shift right (pixels)",
        numbers=numbers,
        bar=colour_bar("viridis", PERCENT, label),
        gap=0,
    )
    return as_tensor(sheet.draw())


def line_plot(
    lines: Mapping[str, Sequence[float]], x: str, title: str, y: str, at: Mapping[str, Sequence[float]] | None = None
) -> Tensor:
    """Draw named lines. A line named ``NAME, REFERENCE`` is dashed and has the colour of the line ``NAME``.

    Args:
        lines: Values of each line, by name.
        x: Label of the horizontal axis.
        title: Title of the figure.
        y: Label of the vertical axis.
        at: Horizontal positions of each line's values, by name, or None for 0, 1, 2, ...
    """
    many = len(lines) > LEGEND_WITHIN
    figure = new_figure(8, max(3.6, 0.13 * len(lines))) if many else new_figure(5, 3.6)
    axes = figure.add_subplot()
    colour: dict[str, str] = {}
    for name, values in lines.items():
        line_colour = colour.setdefault(name.split(",")[0], f"C{len(colour) % 10}")
        places = range(len(values)) if at is None else at[name]
        axes.plot(places, values, "--" if "," in name else "o-", color=line_colour, label=name, markersize=3)
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.set_ylim(bottom=min(0.0, *axes.get_ylim()))
    whole_numbers(axes)
    axes.grid(alpha=0.3)
    if many:
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=6)
    elif lines:
        axes.legend(fontsize=8)
    return figure_to_tensor(figure)


def numbers_over_epochs(epochs: Sequence[int], numbers: Sequence[Mapping[str, float]]) -> Tensor | None:
    """Draw the numbers of probes over the epochs, in a panel for each probe.

    Args:
        epochs: Numbers of epochs done, one for each measurement.
        numbers: The numbers measured after each of these, by name ``<probe>/<number>``. Those that never
            change are not drawn.

    Returns:
        The picture, or None if no number changes.
    """
    panels: dict[str, dict[str, list[float]]] = {}
    for name in dict.fromkeys(name for row in numbers for name in row):
        values = [row.get(name, float("nan")) for row in numbers]
        if len(set(values)) > 1:  # NaN differs from everything, also from itself
            probe, _, number = name.partition("/")
            panels.setdefault(probe, {})[number] = values
    if not panels:
        return None
    from matplotlib import colormaps

    figure = new_figure(7, 0.5 + 2.8 * len(panels))
    figure.suptitle("Numbers of the probes in the course of the training", fontsize=12)
    names = list(dict.fromkeys(number for lines in panels.values() for number in lines))
    colours = {name: colormaps["tab20"](index % 20) for index, name in enumerate(names)}  # the same in all panels
    for axes, (probe, lines) in zip(figure.subplots(len(panels), 1, squeeze=False)[:, 0], panels.items(), strict=True):
        for number, values in lines.items():
            axes.plot(epochs, values, "o-", label=number, markersize=3, color=colours[number])
        known = [value for values in lines.values() for value in values if math.isfinite(value)]
        if known and min(known) >= 0 and 0.5 < max(known) <= 1:  # shares: from 0.996 to 0.999 is not to fill the panel
            axes.set_ylim([limit / 100 for limit in percent_limits(known)])
        axes.set(title=probe, xlabel="epochs done", ylim=widened(*axes.get_ylim()))
        whole_numbers(axes)
        axes.grid(alpha=0.3)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=7)
    return figure_to_tensor(figure)


def widened(low: float, high: float) -> tuple[float, float]:
    """Return the ends of an axis, moved apart where they are nearer to each other than a tenth of the larger one.

    A number that hardly changes, such as from 0.996 to 0.999, would otherwise seem to change much.
    """
    missing = NARROWEST * max(abs(low), abs(high)) - (high - low)
    return (low - missing / 2, high + missing / 2) if missing > 0 else (low, high)


def draw_peaks(images: Tensor, maps: Tensor, boxes: Tensor, fields: Sequence[ReceptiveField]) -> Tensor:
    """Draw images with a frame around the object, and below each its map with the peak marked.

    A unit of a map is drawn as a square around the centre of its receptive field, as wide as the stride.

    Args:
        images: Images, ``(n, C, H, W)`` uint8.
        maps: One map for each image, ``(n, H', W')``.
        boxes: Bounding boxes of the objects, ``(n, 2, 2)``: the first pixel, and the one after the last.
        fields: Receptive fields of the map's units, per dimension.
    """
    from matplotlib.patches import Rectangle

    n = len(images)
    figure = new_figure(1.5 * n, 3.2)
    axes = figure.subplots(2, n, squeeze=False)
    height, width = images.shape[2:]
    for column, (image, values, box) in enumerate(zip(images.cpu(), maps.float().cpu(), boxes.cpu().tolist(), strict=True)):
        axes[0, column].imshow(image.float().mean(0).numpy(), cmap="gray", vmin=0, vmax=255)
        ends = [(f.centre(-0.5), f.centre(n - 0.5)) for f, n in zip(fields, values.shape, strict=True)]  # down, right
        axes[1, column].imshow(values.numpy(), cmap="magma", extent=(*ends[1], *reversed(ends[0])))
        row, at = divmod(int(values.argmax()), values.shape[1])
        axes[1, column].plot(fields[1].centre(at), fields[0].centre(row), "c+", markersize=10)
        axes[1, column].set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
        for part in range(2):
            (top, left), (bottom, right) = box
            frame = Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, fill=False, edgecolor="lime")
            axes[part, column].add_patch(frame)
            axes[part, column].set_axis_off()
    figure.suptitle("above: images, the object framed; below: evidence for the class, its peak marked", fontsize=9)
    return figure_to_tensor(figure)
