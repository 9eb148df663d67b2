"""Every colour that a series can have, with its counterpart on a dark page."""

import matplotlib as mpl
from matplotlib.colors import ListedColormap, to_hex

from convexp.pictures.palette import OTHERS, WIRINGS

STEPS = 16  # shades that stand for a rank


def _shade(name: str, at: float) -> str:
    return to_hex(mpl.colormaps[name](at))


# A rank goes away from the paper: on white from bright to dark, on a dark page from dark to bright. The halves of viridis
# that are used keep a contrast of 4.5.
SHADES = [
    (_shade("viridis", 0.44 * (1 - i / (STEPS - 1))), _shade("viridis", 0.5 + 0.5 * i / (STEPS - 1))) for i in range(STEPS)
]
# Colour on white, by name; and on a dark page.
LIGHT = {
    **{f"wiring-{name}": hue.light for name, hue in WIRINGS.items()},
    **{f"other-{i}": hue.light for i, hue in enumerate(OTHERS)},
    **{f"shade-{i}": light for i, (light, _) in enumerate(SHADES)},
}
DARK = {
    **{f"wiring-{name}": hue.dark for name, hue in WIRINGS.items()},
    **{f"other-{i}": hue.dark for i, hue in enumerate(OTHERS)},
    **{f"shade-{i}": dark for i, (_, dark) in enumerate(SHADES)},
}
_NAMES = {colour: name for name, colour in LIGHT.items()}


def shade(rank: int, count: int) -> str:
    """Return the colour of the ``rank``-th of ``count`` values in order, on white."""
    return SHADES[round(rank * (STEPS - 1) / max(count - 1, 1))][0]


def ranked_colours(best_last: bool) -> ListedColormap:
    """Return a colour map of the shades, of which the best values have the one that stands out most on either paper."""
    shades = [light for light, _ in SHADES]
    return ListedColormap(shades if best_last else shades[::-1])


def page_colour(colour: str) -> str:
    """Return a colour of a series as CSS that follows the page's scheme; any other colour as it is."""
    return f"var(--{_NAMES[colour]})" if colour in _NAMES else colour


def page_variables() -> str:
    """Return the style sheet that defines the variables of ``page_colour``; paper is always white."""
    light, dark = ("".join(f"--{name}:{colour};" for name, colour in each.items()) for each in (LIGHT, DARK))
    return f":root{{{light}}}\n@media screen and (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"
