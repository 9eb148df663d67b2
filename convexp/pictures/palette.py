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


# Found by a search for the largest smallest distance (CIELAB, in normal vision and simulated protanopia, deuteranopia and
# tritanopia), first of all between dense, local and conv; tests/reporting/test_palette.py holds it.
WIRINGS = {
    "dense": Hue("#0c37b0", "#7c86ff", "o"),
    "local": Hue("#cc4a00", "#e0652e", "s"),
    "low_rank_local": Hue("#a10477", "#c06fb0", "v"),
    "conv": Hue("#00865b", "#30e0a4", "D"),
    "global_conv": Hue("#533400", "#f4e04a", "^"),
}
# For what is no wiring, such as a network or a setting.
OTHERS = (
    Hue("#2d393f", "#d5dbdf", "P"),
    Hue("#600087", "#ae61db", "X"),
    Hue("#b8483b", "#fb5b4c", "*"),
    Hue("#4d7897", "#618b94", "h"),
)


def hue(wiring: str, rank: int = 0) -> Hue:
    """Return how a wiring is drawn; for any other name, one of the further hues by its ``rank`` among such names."""
    return WIRINGS.get(wiring) or OTHERS[rank % len(OTHERS)]
