"""How the variants of one colour differ: by marker, filled or hollow, and by line."""

from dataclasses import dataclass

LINES = ("-", "--", ":", "-.")
MARKERS = ("", "<", ">", "p", "d", "8")  # none of the palette; the first is that of the colour itself


@dataclass(frozen=True)
class Look:
    """How a variant is drawn.

    Attributes:
        marker: Marker, as matplotlib names it; empty for the marker of the colour itself.
        hollow: Whether the marker is filled with the paper.
        line: Line style, as matplotlib names it.
    """

    marker: str
    hollow: bool
    line: str


def look(rank: int) -> Look:
    """Return the look of a variant by its rank: filled and solid, hollow and dashed, and then other markers and lines.

    Twelve in a row differ from each other.
    """
    return Look(MARKERS[rank // 2 % len(MARKERS)], rank % 2 == 1, LINES[rank % len(LINES)])
