"""Colour, marker and line of each group, the same in all charts and distinguishable by colour-blind readers."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.colors import to_hex

from convexp.reporting.axes import axis_key, axis_label, numeric_axes
from convexp.reporting.groups import Group

COLOURS = ("#4477aa", "#ee6677", "#228833", "#aa3377", "#ccbb44", "#66ccee")  # Paul Tol's bright scheme
MARKERS = "osD^vPX*"
LINES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class SeriesStyle:
    """How a group is drawn.

    The axes of a study are divided in two: the category of a group is its position on one part of them, its variant that on the
    rest, which includes the numeric axes.

    Attributes:
        colour: Colour of the category, as ``#rrggbb``.
        marker: Marker of the variant, as matplotlib names it; that of the category if there is only one variant.
        line: Line style of the variant, as matplotlib names it.
        category: The category in words.
        variant: The variant in words; empty if there is only one.
        variant_rank: Index of the variant among all variants.
    """

    colour: str
    marker: str
    line: str
    category: str
    variant: str
    variant_rank: int = 0


def series_styles(groups: Sequence[Group]) -> list[SeriesStyle]:
    """Return a style for each group.

    Axes that are not numeric give the category, and with it the colour; the others give the line and the marker. If all groups
    have one category, the colour goes from bright to dark by variant instead.
    """
    axes = list(dict.fromkeys(axis for group in groups for axis in group.point))
    category_axes = _category_axes(groups, axes)
    variant_axes = [axis for axis in axes if axis not in category_axes]
    categories = [axis_key(g, category_axes) if category_axes else g.label if not axes else () for g in groups]
    category_ranks, variant_ranks = _ranks(categories), _ranks([axis_key(g, variant_axes) for g in groups])
    several_variants = len(set(variant_ranks)) > 1
    colours = [COLOURS[rank % len(COLOURS)] for rank in category_ranks]
    lines = [LINES[(c // len(COLOURS) + v) % len(LINES)] for c, v in zip(category_ranks, variant_ranks, strict=True)]
    if several_variants and len(set(category_ranks)) == 1:
        colours, lines = _bright_to_dark(variant_ranks), ["-"] * len(groups)
    markers = [MARKERS[rank % len(MARKERS)] for rank in (variant_ranks if several_variants else category_ranks)]
    names = [(axis_label(g, category_axes) if variant_axes else g.label, axis_label(g, variant_axes)) for g in groups]
    parts = zip(colours, markers, lines, names, variant_ranks, strict=True)
    return [SeriesStyle(colour, marker, line, *name, rank) for colour, marker, line, name, rank in parts]


def _category_axes(groups: Sequence[Group], axes: list[str]) -> list[str]:
    """All axes that are not numeric; if there are too few colours for them, one axis that the colours suffice for."""
    numeric = numeric_axes(groups)
    others = [axis for axis in axes if axis not in numeric]
    if len({axis_key(g, others) for g in groups}) <= len(COLOURS):
        return others
    few_values = [axis for axis in others if 1 < len({axis_key(g, [axis]) for g in groups}) <= len(COLOURS)]
    return few_values[:1] or others


def _bright_to_dark(ranks: Sequence[int]) -> list[str]:
    palette = mpl.colormaps["viridis"]
    return [to_hex(palette(0.85 - 0.75 * rank / max(ranks))) for rank in ranks]


def _ranks(keys: Sequence[Hashable]) -> list[int]:
    order = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    return [order[key] for key in keys]
