"""How the lines along a numeric axis are drawn, and the entries of their legend."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from convexp.pictures.palette import hue
from convexp.reporting.charts.legend import Entry
from convexp.reporting.charts.looks import look
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.lines import SweepLine

MAX_KEYS = 100  # of a line that can be isolated


def line_entries(lines: Sequence[SweepLine], styles: Sequence[SeriesStyle]) -> list[Entry]:
    """Return the entries of a legend of lines. Pressed, one isolates the category, if no other line shares it."""
    keys = Counter(style.keys[0] for style in styles if style.keys)
    return [
        Entry(
            line.name,
            style.colour,
            style.marker,
            style.line,
            style.keys[0] if style.keys and keys[style.keys[0]] == 1 < len(keys) else "",
            style.hollow,
        )
        for line, style in zip(lines, styles, strict=True)
    ]


def line_styles(styles: Sequence[SeriesStyle], lines: Sequence[SweepLine]) -> list[SeriesStyle]:
    """Return a style for each line; lines of one colour differ in dash and marker, as far as there are enough of them.

    Args:
        styles: Styles of all groups.
        lines: Lines that are drawn.
    """
    found = [_line_style(styles, line) for line in lines]
    by_colour = Counter(style.colour for style in found)
    numbers = {colour: count() for colour in by_colour}
    return [
        _numbered(style, next(numbers[style.colour])) if by_colour[style.colour] > 1 and style.marker else style
        for style in found
    ]


def _line_style(styles: Sequence[SeriesStyle], line: SweepLine) -> SeriesStyle:
    """The style of the groups on a line, or a plain one if the colour of a group stands for its value on the axis."""
    first = styles[line.indices[0]]
    own = hue(first.wiring)
    keys = tuple(dict.fromkeys(key for i in line.indices for key in styles[i].keys))
    keys = keys if len(keys) <= MAX_KEYS else ()  # each of its points would carry all of them
    if len({styles[i].colour for i in line.indices}) > 1:
        return replace(first, colour=own.light, marker=own.marker, line="-", hollow=False, keys=keys)
    if line.constant:
        return replace(first, marker="", line="--", hollow=False, keys=keys)
    return replace(first, marker=own.marker if first.colour == own.light else first.marker, line="-", hollow=False, keys=keys)


def _numbered(style: SeriesStyle, number: int) -> SeriesStyle:
    found = look(number)
    return replace(style, line=found.line, marker=found.marker or style.marker, hollow=found.hollow)
