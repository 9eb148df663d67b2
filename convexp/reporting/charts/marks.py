"""What a page adds to a drawn chart: points that show their numbers, and entries of a legend that can be pressed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

MAX_MARKS = 2000
RADIUS = 5.0  # points within which a point is hit


@dataclass(frozen=True)
class Mark:
    """A point of a chart with the words that a page shows for it.

    Attributes:
        axes: Panel in which it lies.
        x: Position in the panel's data coordinates.
        y: Position in the panel's data coordinates.
        keys: Keys of the series that it belongs to (``SeriesStyle.keys``).
        text: Its configuration, its seed and its value, in words.
    """

    axes: Axes
    x: float
    y: float
    keys: Sequence[str]
    text: str


def tag(artists: Artist | Iterable[Artist], keys: Iterable[str]) -> None:
    """Note on artists which series they show, so that a page can isolate it."""
    for artist in [artists] if isinstance(artists, Artist) else artists:
        artist.set_gid(f"keys {' '.join(keys)}")


def overlay(figure: Figure, marks: Sequence[Mark]) -> str:
    """Return the SVG of all marks and of the legend's entries, invisible, in the coordinates of the drawn figure.

    Args:
        figure: The figure, after it has been drawn at 72 dots per inch.
        marks: Points in its panels; those outside the limits of an axis are left out.
    """
    height = figure.get_figheight() * 72
    circles = [_circle(mark, height) for mark in marks[:MAX_MARKS] if _is_inside(mark)]
    picks = [pick for legend in figure.legends for pick in _picks(legend, height)]
    return f'<g class="marks">{"".join(circles)}</g><g class="picks">{"".join(picks)}</g>'


def _is_inside(mark: Mark) -> bool:
    x, y = mark.axes.transData.transform((mark.x, mark.y))
    box = mark.axes.bbox
    return bool(box.x0 - 2 <= x <= box.x1 + 2 and box.y0 - 2 <= y <= box.y1 + 2)


def _circle(mark: Mark, height: float) -> str:
    x, y = mark.axes.transData.transform((mark.x, mark.y))
    return (
        f'<circle cx="{x:.1f}" cy="{height - y:.1f}" r="{RADIUS}" data-keys="{" ".join(mark.keys)}">'
        f"<title>{escape(mark.text)}</title></circle>"
    )


def _picks(legend: Artist, height: float) -> list[str]:
    """A rectangle over each entry of a legend that stands for a series."""
    from matplotlib.legend import Legend

    assert isinstance(legend, Legend)
    found: list[str] = []
    for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
        key = (text.get_gid() or "").removeprefix("pick ")
        if key and handle is not None:
            words, sign = text.get_window_extent(), handle.get_window_extent()
            left, right = min(words.x0, sign.x0) - 2, words.x1 + 2
            low, high = min(words.y0, sign.y0) - 2, max(words.y1, sign.y1) + 2
            place = f'x="{left:.1f}" y="{height - high:.1f}" width="{right - left:.1f}" height="{high - low:.1f}"'
            found.append(f'<rect {place} rx="2" data-key="{key}" data-name="{escape(text.get_text().strip())}"/>')
    return found
