"""Pictures of images, maps and weights as small tiles: a row for each network, with its name beside it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from convexp.teaching.show import drawing

COLOURS = 3  # channels that are shown as red, green and blue


def tiles(names: Sequence[str], columns: int, side: float = 0.9) -> tuple[Figure, dict[str, Sequence[Any]]]:
    """Return an empty figure, legible on a phone, and the axes of its tiles by row; a tile that is not drawn stays empty.

    Args:
        names: Name of each row.
        columns: Number of tiles in a row.
        side: Height of a row in inches.
    """
    figure, axes = drawing(len(names), columns, width=4.8, height=side * len(names) + 0.1, squeeze=False)
    for each in axes.flat:
        each.set(xticks=[], yticks=[])
        each.spines[:].set_visible(False)
        each.grid(visible=False)
    for name, row in zip(names, axes, strict=True):
        row[0].set_ylabel(name)
    return figure, dict(zip(names, axes, strict=True))


def tile(
    axes: Any, values: npt.ArrayLike, title: str = "", *, full: float | None = None, limits: tuple[float, float] | None = None
) -> None:
    """Draw values ``(C, *size)``: a signal as a strip, of a volume the middle slice, the mean over the channels.

    Args:
        axes: Axes of ``tiles``.
        values: Pixels from 0 to 255, three channels as colours, unless one of the two scales is given.
        title: A word or two.
        full: Value that is full red, and -``full`` full blue: for weights and other values with a sign.
        limits: Values that are dark blue and yellow: for feature maps.
    """
    shown = np.asarray(values)
    while shown.ndim > 3:
        shown = shown[:, shown.shape[1] // 2]
    strip = shown.ndim == 2
    shown = shown[:, None] if strip else shown  # (C, H, W)
    if full is None and limits is None and len(shown) == COLOURS:
        pixels, scale = np.moveaxis(shown, 0, -1).clip(0, 255) / 255, {}
    else:
        low, high = limits or ((-full, full) if full is not None else (0, 255))
        colours = "viridis" if limits else "gray" if full is None else "RdBu_r"
        pixels, scale = shown.mean(0), {"cmap": colours, "vmin": low, "vmax": high}
    axes.imshow(pixels, aspect="auto" if strip else "equal", **scale)
    axes.set_title(title, fontsize=9)
