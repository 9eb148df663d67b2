"""Colour, marker and line of each group: those of its wiring, the same in every chart of every report."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from convexp.pictures.palette import OTHERS, WIRINGS, hue
from convexp.records.plan import settings_of
from convexp.reporting.axes import axis_key, axis_label, numeric_axes
from convexp.reporting.charts.colours import shade
from convexp.reporting.charts.looks import look
from convexp.reporting.charts.wirings import wiring_of
from convexp.reporting.groups import Group

MARKERS = tuple(hue.marker for hue in (*WIRINGS.values(), *OTHERS))  # by rank, where no colour has a marker of its own


@dataclass(frozen=True)
class SeriesStyle:
    """How a group is drawn.

    The axes of a study are divided in two: the category of a group is its position on one part of them, its variant that on the
    rest, which includes the numeric axes.

    Attributes:
        colour: Colour on white, as ``#rrggbb``: that of the wiring, if wirings are among what differs.
        marker: Marker, as matplotlib names it.
        line: Line style of the variant, as matplotlib names it.
        category: The category in words.
        variant: The variant in words; empty if there is only one.
        variant_rank: Index of the variant among all variants.
        hollow: Whether the marker is filled with the paper.
        keys: Names by which a page finds what is drawn of this group: of its category, of its variant, and its own.
        wiring: Wiring of the group's networks, or the name of another network.
    """

    colour: str
    marker: str
    line: str
    category: str
    variant: str
    variant_rank: int = 0
    hollow: bool = False
    keys: tuple[str, ...] = ()
    wiring: str = ""

    @property
    def own_marker(self) -> str:
        """Marker of the colour itself, which that of a variant does not stand for."""
        return next((found.marker for found in (*WIRINGS.values(), *OTHERS) if found.light == self.colour), self.marker)


def series_styles(groups: Sequence[Group]) -> list[SeriesStyle]:
    """Return a style for each group.

    If the groups have several wirings or networks, these are the categories: each wiring has the colour and the marker of the
    palette, and variants of one wiring are filled and solid, hollow and dashed, and so on. Otherwise the axes that are not
    numeric give the category and with it one of the further colours; and if there is one category, the colour goes from bright
    to dark by variant.
    """
    axes = list(dict.fromkeys(axis for group in groups for axis in group.point))
    wirings = [wiring_of(group) for group in groups]
    by_wiring = len(set(wirings)) > 1
    category_axes = [a for a in axes if _is_of_model(a)] if by_wiring else _category_axes(groups, axes)
    variant_axes = [axis for axis in axes if axis not in category_axes]
    keys = [axis_key(g, category_axes) for g in groups]
    categories: list[Hashable] = list(zip(wirings, keys, strict=True)) if by_wiring else [*keys]
    category_ranks, variant_ranks = _ranks(categories), _ranks([axis_key(g, variant_axes) for g in groups])
    looks = _looks_of_wirings(wirings, category_ranks, variant_ranks) if by_wiring else None
    looks = looks or _looks_of_settings(wirings, category_ranks, variant_ranks)
    names = [_names(g, wiring, category_axes, variant_axes, by_wiring) for g, wiring in zip(groups, wirings, strict=True)]
    ranks = enumerate(zip(category_ranks, variant_ranks, strict=True))
    return [
        SeriesStyle(colour, marker, line, *name, variant, hollow, (f"c{category}", f"v{variant}", f"g{index}"), wirings[index])
        for (index, (category, variant)), name, (colour, marker, line, hollow) in zip(ranks, names, looks, strict=True)
    ]


Drawn = tuple[str, str, str, bool]  # colour, marker, line, hollow


def _looks_of_wirings(wirings: Sequence[str], categories: Sequence[int], variants: Sequence[int]) -> list[Drawn]:
    """Colour and marker of the wiring; the look counts variants or, where categories share a colour, these as well."""
    networks = sorted(set(wirings) - set(WIRINGS))
    hues = [hue(wiring, networks.index(wiring) if wiring in networks else 0) for wiring in wirings]
    members: dict[str, list[tuple[int, int]]] = {}
    for each, category, variant in zip(hues, categories, variants, strict=True):
        members.setdefault(each.light, []).append((category, variant))
    drawn: list[Drawn] = []
    for each, category, variant in zip(hues, categories, variants, strict=True):
        own = list(dict.fromkeys(members[each.light]))
        shared = len({c for c, _ in own}) > 1
        found = look(own.index((category, variant)) if shared else variant)
        drawn.append((each.light, found.marker or each.marker, found.line, found.hollow))
    return drawn


def _looks_of_settings(wirings: Sequence[str], categories: Sequence[int], variants: Sequence[int]) -> list[Drawn]:
    """One of the further colours for each category, or a shade for each variant; a single group has those of its wiring."""
    if len(set(categories)) == 1:
        count = len(set(variants))
        if count == 1:
            found = hue(wirings[0])
            return [(found.light, found.marker, "-", False)] * len(wirings)
        return [(shade(v, count), MARKERS[v % len(MARKERS)], "-", v // len(MARKERS) % 2 == 1) for v in variants]
    drawn: list[Drawn] = []
    for category, variant in zip(categories, variants, strict=True):
        own, found = OTHERS[category % len(OTHERS)], look(category // len(OTHERS) + variant)
        drawn.append((own.light, found.marker or own.marker, found.line, found.hollow))
    return drawn


def _is_of_model(axis: str) -> bool:
    return any(setting in ("model", "model.wiring", "model.name") for setting in settings_of(axis))


def _names(
    group: Group, wiring: str, category_axes: Sequence[str], variant_axes: Sequence[str], by_wiring: bool
) -> tuple[str, str]:
    if not variant_axes:
        return group.label, ""
    words = axis_label(group, category_axes)
    return words or (wiring if by_wiring else ""), axis_label(group, variant_axes)


def _category_axes(groups: Sequence[Group], axes: list[str]) -> list[str]:
    """All axes that are not numeric; if there are too few colours for them, one axis that the colours suffice for."""
    numeric = numeric_axes(groups)
    others = [axis for axis in axes if axis not in numeric]
    if len({axis_key(g, others) for g in groups}) <= len(OTHERS):
        return others
    few_values = [axis for axis in others if 1 < len({axis_key(g, [axis]) for g in groups}) <= len(OTHERS)]
    return few_values[:1] or others


def _ranks(keys: Sequence[Hashable]) -> list[int]:
    order = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    return [order[key] for key in keys]
