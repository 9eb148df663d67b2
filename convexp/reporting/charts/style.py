"""Settings of matplotlib for all charts, and the colours that a page replaces by its own."""

import warnings
from collections.abc import Generator
from contextlib import contextmanager

import matplotlib as mpl

WIDTH = 4.8  # inches; at this width the text of a chart is still legible on a phone

# Three colours that nothing else has: a page replaces them by its text colour, by its background, and by no fill.
INK, PAPER, BACK = "#010203", "#fefdfc", "#fdfefc"
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "convexp",
    "text.parse_math": False,  # labels are text, even with two dollar signs
    "font.size": 10,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "legend.borderaxespad": 0.2,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.linewidth": 0.8,
    "axes.facecolor": "none",
    "figure.facecolor": BACK,
    "savefig.facecolor": "auto",
    "grid.color": INK,
    "grid.alpha": 0.12,
    "grid.linewidth": 0.8,
    "lines.markersize": 5,
    "lines.linewidth": 1.6,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
}


@contextmanager
def chart_style() -> Generator[None]:
    """Draw with these settings, whatever the user's own settings of matplotlib are."""
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a browser has other fonts
        mpl.rcdefaults()
        mpl.rcParams |= STYLE
        yield
