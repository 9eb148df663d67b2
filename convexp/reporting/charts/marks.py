"""What a page adds to a drawn chart: points that show their numbers, and labels that can be pressed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

MAX_MARKS = 2000
PICK = "pick "  # begins the id of a label that can be pressed
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
        aside: Distance in points to the right of that position at which it is drawn.
    """

    axes: Axes
    x: float
    y: float
    keys: Sequence[str]
    text: str
    aside: float = 0.0

    @property
    def place(self) -> tuple[float, float]:
        """Where it is drawn, in points from the lower left corner of the figure."""
        x, y = self.axes.transData.transform((float(self.x), float(self.y)))
        return float(x) + self.aside, float(y)


def tag(artists: Artist | Iterable[Artist], keys: Iterable[str]) -> None:
    """Note on artists which series they show, so that a page can isolate it."""
    for artist in [artists] if isinstance(artists, Artist) else artists:
        artist.set_gid(f"keys {' '.join(keys)}")


def make_pick(text: Text, key: str) -> None:
    """Note on a label that pressing it isolates what has this key; an empty key isolates nothing."""
    if key:
        text.set_gid(f"{PICK}{key}")


def overlay(figure: Figure, marks: Sequence[Mark]) -> str:
    """Return the SVG of all marks and of all labels that can be pressed, invisible, in the coordinates of the drawn figure.

    Args:
        figure: The figure, after it has been drawn at 72 dots per inch.
        marks: Points in its panels; those outside the limits of an axis are left out.
    """
    height = figure.get_figheight() * 72
    circles = [_circle(mark, height) for mark in marks[:MAX_MARKS] if _is_inside(mark)]
    entries = (zip(legend.get_texts(), legend.legend_handles, strict=True) for legend in figure.legends)
    handles = {id(text): handle for pairs in entries for text, handle in pairs}
    labels = [text for text in figure.findobj(Text) if (text.get_gid() or "").startswith(PICK)]
    picks = [_pick(text, handles.get(id(text)), height) for text in labels]
    parts = (f'<g class="{name}">{"".join(found)}</g>' for name, found in (("marks", circles), ("picks", picks)) if found)
    return "".join(parts)


def _is_inside(mark: Mark) -> bool:
    x, y = mark.place
    box = mark.axes.bbox
    return bool(box.x0 - 2 <= x <= box.x1 + 2 + mark.aside and box.y0 - 2 <= y <= box.y1 + 2)


def _circle(mark: Mark, height: float) -> str:
    x, y = mark.place
    return (
        f'<circle cx="{x:.1f}" cy="{height - y:.1f}" r="{RADIUS}" data-keys="{" ".join(mark.keys)}">'
        f"<title>{escape(mark.text)}</title></circle>"
    )


def _pick(text: Text, handle: Artist | None, height: float) -> str:
    """A rectangle over a label, and over what stands beside it in a legend."""
    boxes = [each.get_window_extent() for each in (text, handle) if each is not None]
    left, right = min(box.x0 for box in boxes) - 2, max(box.x1 for box in boxes) + 2
    low, high = min(box.y0 for box in boxes) - 2, max(box.y1 for box in boxes) + 2
    key, name = (text.get_gid() or "").removeprefix(PICK), escape(text.get_text().strip())
    place = f'x="{left:.1f}" y="{height - high:.1f}" width="{right - left:.1f}" height="{high - low:.1f}"'
    return f'<rect {place} rx="2" data-key="{key}" data-name="{name}"/>'
