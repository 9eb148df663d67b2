"""Small images and kernels as numbers written into cells, for pictures in which every value counts."""

from collections.abc import Iterable
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from convexp.pictures.palette import hue
from convexp.reporting.charts.style import INK

MARK = hue("local").light  # of the cells that a picture is about; it turns dark with the page


def numbers_in_cells(
    axes: Axes,
    values: Any,
    *,
    title: str = "",
    colours: str | None = None,
    limits: tuple[float, float] | None = None,
    marked: Iterable[tuple[int, int]] = (),
    mark: str = MARK,
) -> None:
    """Draw a matrix as cells with their numbers, without axes.

    Args:
        axes: Where to draw.
        values: Numbers, (rows, columns) or (columns,); an array, a tensor or a list. The cell of a NaN stays empty.
        title: Above the cells.
        colours: A colour map of matplotlib that fills the cells, such as ``cividis``, or ``RdBu_r`` for signed numbers; None
            for cells without a fill, whose numbers have the colour of the page's text.
        limits: Values of the first and the last colour; by default the smallest and the largest value, and for ``RdBu_r``
            values that lie as far from 0 as the one that is farthest.
        marked: Cells (row, column) with a thick frame, such as those under a kernel. The frame lies around all of them if they
            form a rectangle.
        mark: Colour of that frame.

    Raises:
        ValueError: If the values have another number of dimensions.
    """
    table = np.array(values, dtype=float)
    if table.ndim not in (1, 2):
        raise ValueError(f"values of shape {table.shape}: should be (rows, columns) or (columns,)")
    table = np.atleast_2d(table)
    rows, columns = table.shape
    axes.set(xlim=(-0.55, columns - 0.45), ylim=(rows - 0.45, -0.55), aspect="equal", title=title)
    axes.axis("off")
    fills = None if colours is None else mpl.colormaps[colours](_normed(table, colours, limits))
    for place, value in np.ndenumerate(table):
        fill = None if fills is None or np.isnan(value) else fills[place]
        axes.add_patch(_cell(place, fill))
        if not np.isnan(value):
            ink = INK if fill is None else _readable_on(fill)
            axes.text(place[1], place[0], f"{value + 0.0:g}", ha="center", va="center", color=ink)
    _frame(axes, [*marked], mark)


def _cell(place: tuple[int, ...], fill: NDArray[np.floating] | None) -> Rectangle:
    row, column = place
    return Rectangle((column - 0.5, row - 0.5), 1, 1, fill=fill is not None, facecolor=fill, edgecolor=INK, linewidth=0.6)


def _frame(axes: Axes, marked: list[tuple[int, int]], colour: str) -> None:
    """Frame the marked cells: one frame if they form a rectangle, else one around each."""
    if not marked:
        return
    (top, left), (bottom, right) = np.min(marked, 0), np.max(marked, 0)
    whole = len({*marked}) == (bottom - top + 1) * (right - left + 1)
    boxes = [(left, top, right - left + 1, bottom - top + 1)] if whole else [(c, r, 1, 1) for r, c in marked]
    for x, y, width, height in boxes:
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), width, height, fill=False, edgecolor=colour, linewidth=3, zorder=3))


def _normed(table: NDArray[np.floating], colours: str, limits: tuple[float, float] | None) -> Any:
    known = table[~np.isnan(table)]
    if limits is None and colours == "RdBu_r":
        far = float(np.abs(known).max(initial=0)) or 1.0
        limits = (-far, far)
    low, high = limits or (known.min(initial=np.inf), known.max(initial=-np.inf))
    return Normalize(low, high)(np.nan_to_num(table))


def _readable_on(fill: NDArray[np.floating]) -> str:
    """Black or white, whichever has more contrast on a colour (relative luminance of WCAG 2)."""
    red, green, blue = (float(c) / 12.92 if c <= 0.04045 else ((float(c) + 0.055) / 1.055) ** 2.4 for c in fill[:3])
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "#ffffff"
