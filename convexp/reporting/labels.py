"""What tells groups of runs apart, in words."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from convexp.records.settings import Settings, differing, shown
from convexp.reporting.formatting import setting

Point = dict[str, Any]


def head(setting: str, known: Settings) -> str | None:
    """The setting that says what the section of ``setting`` is: ``model.name``, ``optimizer._target_``; None if none does."""
    parts = setting.split(".")
    for length in range(1, len(parts)):
        for key in ("name", "_target_"):
            found = ".".join((*parts[:length], key))
            if found in known:
                return found
    return None


def telling_apart(kinds: Sequence[Settings]) -> list[str]:
    """The settings that differ; of a section only those that differ between sections of one name, or class, and that name."""
    names = differing(kinds)
    known = {name: None for kind in {id(kind): kind for kind in kinds}.values() for name in kind}
    return [name for name in names if _differs_among_peers(name, head(name, known), kinds)]


def _differs_among_peers(setting: str, by: str | None, kinds: Sequence[Settings]) -> bool:
    if by is None or by == setting:
        return True
    values: dict[str, set[str]] = {}
    for kind in kinds:
        if by in kind:
            values.setdefault(repr(kind[by]), set()).add(repr(kind.get(setting)))
    return any(len(different) > 1 for different in values.values())


def axis_of(setting: str) -> str:
    """The axis that a setting is the value of: ``model`` of ``model.name``, ``optimizer`` of ``optimizer._target_``."""
    section, _, last = setting.rpartition(".")
    return section if last in ("name", "_target_") else setting


def point_of(kind: Settings, settings: Sequence[str]) -> Point:
    """The values of ``kind`` on the axes that ``settings`` are."""
    return {axis_of(s): shorter(s, kind[s]) for s in settings if s in kind}


def shorter(setting: str, value: Any) -> Any:
    """A class without its module."""
    return str(value).rpartition(".")[2] if setting.endswith("._target_") else value


def label(model: str, settings: Settings) -> str:
    """The model and settings without their first component: ``conv readout=flatten``."""
    words = [f"{setting(key)}={shown(value)}" for key, value in settings.items() if key != "model"]
    return " ".join([shown(model), *words])


def distinct(labels: Sequence[str], kinds: Sequence[Settings]) -> list[str]:
    """The labels, with further settings, and at last a number, where two would be the same."""
    apart = list(labels)
    for name, count in Counter(labels).items():
        if count > 1:
            same = [index for index, other in enumerate(labels) if other == name]
            settings = telling_apart([kinds[index] for index in same])
            for index in same:
                apart[index] = " ".join([name, *label("", point_of(kinds[index], settings)).split()])
    seen: Counter[str] = Counter()
    for index, name in enumerate(apart):
        seen[name] += 1
        apart[index] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return apart
