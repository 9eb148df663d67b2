"""A colour bar: which value each colour stands for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVELS = 129  # colours of a map, one of them for the middle: with the greys of letters fewer than the 256 that a small PNG has
Pixels = NDArray[np.uint8]
"""Colours ``(..., 3)`` from 0 to 255."""


@dataclass(frozen=True)
class ColourBar:
    """Colours from the smallest value to the largest, and what they stand for.

    Attributes:
        colours: The colours, ``(n, 3)``.
        ticks: Places on the bar, from 0 to 1, with the text below each, in ascending order.
        label: What the values are.
    """

    colours: Pixels
    ticks: Sequence[tuple[float, str]]
    label: str


def map_colours(values: NDArray[np.floating], colour_map: str) -> Pixels:
    """Return the colours ``(..., 3)`` of values ``(...)`` from 0 to 1 in a colour map of matplotlib; those of NaN are grey."""
    from matplotlib import colormaps  # late: a run draws only after its training

    palette = colormaps[colour_map](np.linspace(0, 1, LEVELS), bytes=True)[:, :3]
    colours = palette[(np.nan_to_num(values).clip(0, 1) * (LEVELS - 1)).round().astype(int)]
    return np.where(np.isnan(values)[..., None], np.uint8(200), colours).astype(np.uint8)


def colour_bar(colour_map: str, ticks: Sequence[tuple[float, str]], label: str) -> ColourBar:
    """Return the colour bar of a colour map of matplotlib."""
    return ColourBar(map_colours(np.linspace(0, 1, LEVELS), colour_map), ticks, label)


PERCENT = tuple((share / 4, f"{25 * share}") for share in range(5))
"""Ticks of a bar from 0 to 100 per cent."""
