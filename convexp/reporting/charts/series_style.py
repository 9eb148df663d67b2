"""One look per group in all charts: colours and lines that the colour-blind tell apart too."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.colors import to_hex

from convexp.reporting.charts.series import key_of, name_of, numeric_axes
from convexp.reporting.groups import Group

COLOURS = ("#4477aa", "#ee6677", "#228833", "#aa3377", "#ccbb44", "#66ccee")  # Paul Tol's bright scheme
MARKERS = "osD^vPX*"
LINES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class Look:
    """Of one group.

    Attributes:
        colour: as ``#rrggbb``: of its kind.
        marker: matplotlib's letter: of its value, or of its kind if values are all alike.
        line: matplotlib's line style: of its value.
        kind: what the colour stands for, in words.
        value: what line and marker stand for, in words; empty if they stand for nothing.
        place: of the value among all values.
    """

    colour: str
    marker: str
    line: str
    kind: str
    value: str
    place: int = 0


def looks(groups: Sequence[Group]) -> list[Look]:
    """A look per group: axes that are numbers make the line, all others the colour.

    If there would be one colour only, it tells the number, bright to dark.
    """
    axes = list(dict.fromkeys(axis for group in groups for axis in group.point))
    colouring = _colouring(groups, axes)
    others = [axis for axis in axes if axis not in colouring]
    kinds = [key_of(g, colouring) if colouring else g.label if not axes else () for g in groups]
    kind_at, value_at = _ranks(kinds), _ranks([key_of(g, others) for g in groups])
    several = len(set(value_at)) > 1
    colours = [COLOURS[k % len(COLOURS)] for k in kind_at]
    lines = [LINES[(k // len(COLOURS) + v) % len(LINES)] for k, v in zip(kind_at, value_at, strict=True)]
    if several and len(set(kind_at)) == 1:
        colours, lines = _bright_to_dark(value_at), ["-"] * len(groups)
    markers = [MARKERS[m % len(MARKERS)] for m in (value_at if several else kind_at)]
    names = [(name_of(g, colouring) if others else g.label, name_of(g, others)) for g in groups]
    parts = zip(colours, markers, lines, names, value_at, strict=True)
    return [Look(colour, marker, line, *name, place) for colour, marker, line, name, place in parts]


def _colouring(groups: Sequence[Group], axes: list[str]) -> list[str]:
    """The axes whose values have a colour each: all that are no numbers, or, if that makes too many, one of them."""
    numeric = numeric_axes(groups)
    names = [axis for axis in axes if axis not in numeric]
    if len({key_of(g, names) for g in groups}) <= len(COLOURS):
        return names
    few = [axis for axis in names if 1 < len({key_of(g, [axis]) for g in groups}) <= len(COLOURS)]
    return few[:1] or names


def _bright_to_dark(ranks: Sequence[int]) -> list[str]:
    palette = mpl.colormaps["viridis"]
    return [to_hex(palette(0.85 - 0.75 * rank / max(ranks))) for rank in ranks]


def _ranks(keys: Sequence[Hashable]) -> list[int]:
    order = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    return [order[key] for key in keys]
