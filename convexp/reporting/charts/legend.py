"""Legends that stand outside the panels, and figures with room for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from convexp.reporting.charts.looks import look
from convexp.reporting.charts.marks import make_pick
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.charts.style import INK, PAPER, WIDTH
from convexp.reporting.formatting import truncate
from convexp.reporting.groups import Group

LABEL_LENGTH = 44  # characters of a label in a legend


@dataclass(frozen=True)
class Entry:
    """An entry of a legend: a label with the colour, marker and line style that it explains.

    ``key`` names what a page isolates when the entry is pressed, one of ``SeriesStyle.keys``; empty for nothing.
    """

    label: str
    colour: str
    marker: str
    line: str
    key: str = ""
    hollow: bool = False


def entries_for(groups: Sequence[Group], styles: Sequence[SeriesStyle]) -> list[Entry]:
    """Return an entry for each group or, where that is shorter, one for each category and one for each variant."""
    categories = {style.category: style for style in styles}
    variants = {style.variant: style for style in sorted(styles, key=lambda style: style.variant_rank)}
    colours = {style.colour for style in styles}
    if len(categories) + len(variants) >= len(groups) or len(colours) < len(categories):
        return [
            Entry(g.label, style.colour, style.marker, style.line, _key(style, 2), style.hollow)
            for g, style in zip(groups, styles, strict=True)
        ]
    return [
        *(Entry(category, style.colour, style.own_marker, "-", _key(style, 0)) for category, style in categories.items()),
        *(Entry(v, INK, look(s.variant_rank).marker or "o", s.line, _key(s, 1), s.hollow) for v, s in variants.items()),
    ]


def _key(style: SeriesStyle, which: int) -> str:
    return style.keys[which] if style.keys else ""


def new_figure(entries: Sequence[Entry] = (), height: float = 3.1, width: float = WIDTH) -> tuple[Figure, Axes]:
    """Return a figure with one panel, ``height`` inches high plus the height of a legend with these entries."""
    figure = Figure(figsize=(width, height + legend_height(entries)), layout="constrained")
    return figure, figure.subplots()


def legend_height(entries: Sequence[Entry]) -> float:
    """Return the height in inches of a legend with these entries."""
    return 0.2 * -(-len(entries) // _columns(entries))


def _columns(entries: Sequence[Entry]) -> int:
    """The number of columns of a legend that fit beside each other."""
    longest = max((len(truncate(entry.label, LABEL_LENGTH)) for entry in entries), default=0)
    return max(1, min(4, 62 // (longest + 7)))


def add_legend(figure: Figure, entries: Sequence[Entry], lines: bool = True, markers: bool = True, below: bool = False) -> None:
    """Add a legend above the panels, or below them with twice the columns, where it covers nothing."""
    if entries:
        handles = [_handle(entry, lines, markers) for entry in entries]
        # matplotlib hides labels that begin with an underscore
        labels = [truncate(f" {e.label}" if e.label.startswith("_") else e.label, LABEL_LENGTH) for e in entries]
        location = "outside lower center" if below else "outside upper left"
        legend = figure.legend(handles, labels, loc=location, ncols=(2 if below else 1) * _columns(entries))
        for entry, text in zip(entries, legend.get_texts(), strict=True):
            make_pick(text, entry.key)


def _handle(entry: Entry, lines: bool, markers: bool) -> Line2D:
    marker = entry.marker if markers else ""
    line = entry.line if lines or not marker else ""
    outlined = entry.hollow or marker == "x"  # which has no inside
    edge, face, width = (entry.colour, PAPER, 1.2) if outlined else (PAPER, entry.colour, 0.5)
    return Line2D([], [], color=entry.colour, ls=line, marker=marker, mec=edge, mfc=face, mew=width)
