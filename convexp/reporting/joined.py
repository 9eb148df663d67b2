"""Groups and comparisons of several parts of a report in one list: labels that two parts share get the name of the part."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from convexp.reporting.comparison import Comparison
from convexp.reporting.groups import Group

Labels = dict[str, str]


def joined_labels(groups: Sequence[Sequence[Group]], names: Sequence[str]) -> list[Labels]:
    """Return for each part the labels of its groups in the whole report, by its own labels.

    Args:
        groups: The groups of each part.
        names: The name of each part; no two are equal.
    """
    counts = Counter(group.label for part in groups for group in part)
    return [
        {group.label: f"{name}: {group.label}" if counts[group.label] > 1 else group.label for group in part}
        for part, name in zip(groups, names, strict=True)
    ]


def joined_groups(groups: Sequence[Sequence[Group]], labels: Sequence[Labels]) -> list[Group]:
    """Return the groups of all parts with their labels in the whole report."""
    return [replace(g, label=known[g.label]) for part, known in zip(groups, labels, strict=True) for g in part]


def joined_comparisons(comparisons: Sequence[Sequence[Comparison]], labels: Sequence[Labels]) -> list[Comparison]:
    """Return the comparisons of all parts with the labels of the whole report."""
    return [
        replace(c, label=known[c.label], baseline=known[c.baseline])
        for part, known in zip(comparisons, labels, strict=True)
        for c in part
    ]
