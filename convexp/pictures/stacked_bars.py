"""Bars of 100 per cent, each divided among its parts: who has which share of what."""

from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw

from convexp.pictures.colour_bar import Pixels
from convexp.pictures.lettering import LINE, NAME, TITLE, fit, font, width_of, wrap

PAPER, INK, MUTED = "#ffffff", "#202020", "#606060"
PAD, GAP = 10, 8
BAR = (400, 26)  # width and height of a bar, in pixels
LONGEST_NAME = 190  # of a row or a part, in pixels
TICKS = range(0, 101, 20)
COLOURS = 10  # of the map tab10
WITH_NUMBER = 5  # per cent: a narrower part has no room for its number


def stacked_bars(rows: Mapping[str, Mapping[str, float]], title: str) -> Pixels:
    """Draw for each row a bar of 100 %, divided among its parts.

    Args:
        rows: Shares from 0 to 1 by part, by row.
        title: What the picture shows.

    Returns:
        The picture, ``(H, W, 3)`` uint8, with a legend of the parts beside the bars.
    """
    parts = _colours(rows)
    left = PAD + max((width_of(fit(name, LONGEST_NAME)) for name in rows), default=0) + GAP
    legend = left + BAR[0] + 2 * GAP
    width = legend + LINE + max((width_of(fit(part, LONGEST_NAME)) for part in parts), default=0) + PAD
    lines = wrap(title, width - 2 * PAD, TITLE, bold=True)
    top = PAD + LINE * len(lines) + GAP
    below = top + len(rows) * (BAR[1] + GAP)
    image = Image.new("RGB", (width, max(below + 2 * LINE, top + LINE * len(parts)) + PAD), PAPER)
    pen = ImageDraw.Draw(image)
    for index, line in enumerate(lines):
        pen.text((PAD, PAD + LINE * index), line, INK, font(TITLE, bold=True))
    for index, (name, shares) in enumerate(rows.items()):
        at = top + index * (BAR[1] + GAP)
        pen.text((left - GAP, at + BAR[1] // 2), fit(name, LONGEST_NAME), INK, font(), anchor="rm")
        _draw_bar(pen, (left, at), shares, parts)
    _draw_axis(pen, left, below)
    for index, (part, colour) in enumerate(parts.items()):
        at = top + LINE * index
        pen.rectangle((legend, at + 2, legend + NAME - 3, at + NAME - 1), colour)
        pen.text((legend + LINE, at), fit(part, LONGEST_NAME), INK, font())
    return np.array(image)


def largest_parts(rows: Mapping[str, Mapping[str, float]], most: int) -> Mapping[str, Mapping[str, float]]:
    """Return the rows with the sum of their smaller parts in place of these, if there are more than ``most`` parts."""
    parts = list(dict.fromkeys(part for row in rows.values() for part in row))
    if len(parts) <= most:
        return rows
    by_size = sorted(parts, key=lambda part: max(row.get(part, 0.0) for row in rows.values()), reverse=True)
    small = set(by_size[most - 1 :])
    rest = f"{len(small)} others"
    return {
        name: {part: share for part, share in row.items() if part not in small}
        | {rest: sum(share for part, share in row.items() if part in small)}
        for name, row in rows.items()
    }


def _colours(rows: Mapping[str, Mapping[str, float]]) -> dict[str, str]:
    """The colour of each part, in the order in which rows name them first."""
    from matplotlib import colormaps  # late: a run draws only after its training
    from matplotlib.colors import to_hex

    parts = dict.fromkeys(part for row in rows.values() for part in row)
    return {part: to_hex(colormaps["tab10"](index % COLOURS)) for index, part in enumerate(parts)}


def _draw_bar(pen: ImageDraw.ImageDraw, corner: tuple[int, int], shares: Mapping[str, float], parts: Mapping[str, str]) -> None:
    left, top = corner
    begin = 0.0
    for part, colour in parts.items():
        end = begin + shares.get(part, 0.0)
        edges = [left + round(BAR[0] * place) for place in (begin, end)]
        if edges[1] > edges[0]:
            pen.rectangle((edges[0], top, edges[1] - 1, top + BAR[1] - 1), colour)
        if 100 * (end - begin) >= WITH_NUMBER:
            place = (sum(edges) / 2, top + BAR[1] / 2)
            pen.text(place, f"{100 * (end - begin):.0f}", PAPER, font(), anchor="mm")
        begin = end


def _draw_axis(pen: ImageDraw.ImageDraw, left: int, top: int) -> None:
    """Per cent from 0 to 100, below the bars."""
    for tick in TICKS:
        place = left + BAR[0] * tick // 100
        pen.line((place, top - 4, place, top), MUTED)
        text = f"{tick} %" if tick == TICKS[-1] else f"{tick}"
        pen.text((place, top + 2), text, MUTED, font(), anchor="ma")
