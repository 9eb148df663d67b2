"""How charts look: ink that follows the page, legends, scales."""

import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from convexp.reporting.charts.series_style import Look
from convexp.reporting.formatting import compact, shortened
from convexp.reporting.groups import Group

WIDTH = 4.8  # inches: at this width the letters are still legible on a phone
LABEL = 44  # characters of a label in a chart

# Three colours that nothing else has: in the page they become its text colour, its background, and nothing.
INK, PAPER, BACK = "#010203", "#fefdfc", "#fdfefc"
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "convexp",
    "text.parse_math": False,  # a label is text, even with two dollar signs
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
def style() -> Generator[None]:
    """Draw with our settings, whatever the user's own are."""
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a browser has other fonts
        mpl.rcdefaults()
        mpl.rcParams |= STYLE
        yield


@dataclass(frozen=True)
class Entry:
    """Of a legend."""

    label: str
    colour: str
    marker: str
    line: str


def entries_for(groups: Sequence[Group], looks: Sequence[Look]) -> list[Entry]:
    """An entry per group; or, where that is shorter, one per kind (its colour) and one per value (its line and marker)."""
    kinds = {look.kind: look for look in looks}
    values = {look.value: look for look in sorted(looks, key=lambda look: look.place)}
    if len(kinds) + len(values) >= len(groups) or len({look.colour for look in looks}) < len(kinds):
        return [Entry(g.label, look.colour, look.marker, look.line) for g, look in zip(groups, looks, strict=True)]
    return [
        *(Entry(kind, look.colour, "", "-") for kind, look in kinds.items()),
        *(Entry(value, INK, look.marker, look.line) for value, look in values.items()),
    ]


def new_figure(entries: Sequence[Entry] = (), height: float = 3.1) -> tuple[Figure, Axes]:
    """A figure with one panel, higher by what a legend of these ``entries`` needs above it."""
    figure = Figure(figsize=(WIDTH, height + 0.2 * -(-len(entries) // columns(entries))), layout="constrained")
    return figure, figure.subplots()


def columns(entries: Sequence[Entry]) -> int:
    """How many columns of a legend fit beside each other."""
    longest = max((len(shortened(entry.label, LABEL)) for entry in entries), default=0)
    return max(1, min(4, 62 // (longest + 7)))


def legend(figure: Figure, entries: Sequence[Entry], lines: bool = True, markers: bool = True, below: bool = False) -> None:
    """A legend above the panels (or below, twice as wide), where it hides nothing."""
    if entries:
        handles = [_handle(entry, lines, markers) for entry in entries]
        labels = [shortened(f" {e.label}" if e.label.startswith("_") else e.label, LABEL) for e in entries]  # "_" would hide it
        place = "outside lower center" if below else "outside upper left"
        figure.legend(handles, labels, loc=place, ncols=(2 if below else 1) * columns(entries))


def _handle(entry: Entry, lines: bool, markers: bool) -> Line2D:
    marker = entry.marker if markers else ""
    return Line2D([], [], color=entry.colour, ls=entry.line if lines or not marker else "", marker=marker, mec=PAPER, mew=0.5)


def nice_ticks(low: float, high: float) -> list[float]:
    """1, 2, 5 times powers of ten from ``low`` to ``high`` (both above 0), of several decades the powers alone."""
    exponents = range(-15, 19)
    every = [m * 10.0**e for e in exponents for m in (1, 2, 5) if low * 0.95 <= m * 10.0**e <= high * 1.05]
    if len(every) > 6:
        every = [10.0**e for e in exponents if low * 0.95 <= 10.0**e <= high * 1.05]
        every = every[:: -(-len(every) // 6)]
    return every if len(every) > 1 else [low, high]


def ticks_at(axis: Axis, values: Sequence[float]) -> None:
    """Ticks at ``values`` and nowhere else."""
    axis.set_major_locator(FixedLocator(list(values)))
    axis.set_major_formatter(FuncFormatter(_tick))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def _tick(value: float, _: int | None) -> str:
    return compact(value)


def scale(axes: Axes, which: str, values: Sequence[float], log: bool) -> None:
    """A logarithmic (or plain) axis with a tick at each value where they are few and apart, otherwise at round numbers."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    distinct = sorted(set(values))
    if log:
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        apart = all(b / a > 1.6 for a, b in zip(distinct, distinct[1:], strict=False))
        ticks_at(axis, distinct if len(distinct) <= 6 and apart else nice_ticks(distinct[0], distinct[-1]))
    elif len(distinct) <= 7:
        step = (distinct[-1] - distinct[0]) / 12
        if all(b - a >= step for a, b in zip(distinct, distinct[1:], strict=False)):
            ticks_at(axis, distinct)
