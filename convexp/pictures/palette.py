"""One colour and one marker for each wiring, the same in every chart, page and picture."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Hue:
    """How a wiring is drawn.

    Attributes:
        light: Colour on white, as ``#rrggbb``, with a contrast of at least 4.5.
        dark: Colour on the dark background of a page, with a contrast of at least 4.5.
        marker: Marker, as matplotlib names it.
    """

    light: str
    dark: str
    marker: str


WIRINGS = {
    "dense": Hue("#0068b0", "#62b0ee", "o"),
    "local": Hue("#b84a00", "#f08c4a", "s"),
    "low_rank_local": Hue("#b03a82", "#ea86c0", "v"),
    "conv": Hue("#00734f", "#3fc28f", "D"),
    "global_conv": Hue("#6a5a00", "#d8c33c", "^"),
}
# For what is no wiring, such as a network or a setting, in order of appearance.
OTHERS = (
    Hue("#444b55", "#b4bcc8", "P"),
    Hue("#7a3fb5", "#b991ea", "X"),
    Hue("#8c2f2f", "#e08a8a", "*"),
)


def hue(wiring: str, rank: int = 0) -> Hue:
    """Return how a wiring is drawn; for any other name, one of the further hues by its ``rank`` among such names."""
    return WIRINGS.get(wiring) or OTHERS[rank % len(OTHERS)]
