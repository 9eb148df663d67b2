"""Labels of groups of runs: the settings by which they differ, as text."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from convexp.records.settings import Settings, differing, display_value
from convexp.reporting.formatting import short_setting

Point = dict[str, Any]  # values by axis
NAMING_KEYS = ("name", "_target_")


def distinguishing_settings(configurations: Sequence[Settings]) -> list[str]:
    """Return the settings in which the flattened configurations differ and that are needed to tell them apart.

    A section has a setting that names it (``model.name``, ``optimizer._target_``). Where only that name implies another value,
    the other settings of the section are left out: they are returned only if they differ between sections of the same name.
    """
    names = differing(configurations)
    known = {name: None for settings in {id(c): c for c in configurations}.values() for name in settings}
    return [name for name in names if _differs_within_name(name, _naming_setting(name, known), configurations)]


def needed_settings(settings: Sequence[str], configurations: Sequence[Settings]) -> list[str]:
    """Return the settings without those that tell nothing new: each value of them goes with one combination of the others'.

    Where stride and readout change together, the first of them tells the configurations apart.
    """
    kept: list[str] = []
    for setting in settings:
        if _parts([*kept, setting], configurations) > _parts(kept, configurations):
            kept.append(setting)
    return kept


def _parts(settings: Sequence[str], configurations: Sequence[Settings]) -> int:
    """The number of different combinations of values."""
    return len({repr([configuration.get(setting, ...) for setting in settings]) for configuration in configurations})


def _naming_setting(setting: str, known: Settings) -> str | None:
    """Return the setting that names the section of ``setting``, such as ``model.name``; None if there is none."""
    parts = setting.split(".")
    for length in range(1, len(parts)):
        for key in NAMING_KEYS:
            found = ".".join((*parts[:length], key))
            if found in known:
                return found
    return None


def _differs_within_name(setting: str, naming: str | None, configurations: Sequence[Settings]) -> bool:
    if naming is None or naming == setting:
        return True
    values: dict[str, set[str]] = {}
    for settings in configurations:
        if naming in settings:
            values.setdefault(repr(settings[naming]), set()).add(repr(settings.get(setting)))
    return any(len(different) > 1 for different in values.values())


def point_of(configuration: Settings, settings: Sequence[str]) -> Point:
    """Return the values of these settings by axis; a setting that names a section is on the axis of the section."""
    return {_axis(s): _value(s, configuration[s]) for s in settings if s in configuration}


def _axis(setting: str) -> str:
    """``model`` for ``model.name``, ``optimizer`` for ``optimizer._target_``, and any other setting itself."""
    section, _, last = setting.rpartition(".")
    return section if last in NAMING_KEYS else setting


def _value(setting: str, value: Any) -> Any:
    """The value, or the name of a class without its module."""
    return str(value).rpartition(".")[2] if setting.endswith("._target_") else value


def label(model: str, settings: Settings) -> str:
    """Return the model followed by the other settings, each without its first component: ``conv readout=flatten``."""
    words = [f"{short_setting(key)}={display_value(value)}" for key, value in settings.items() if key != "model"]
    return " ".join([display_value(model), *words])


def unique_labels(labels: Sequence[str], configurations: Sequence[Settings]) -> list[str]:
    """Return the labels made unique: equal ones get the settings in which they differ, and if that is not enough a number."""
    unique = list(labels)
    for name, count in Counter(labels).items():
        if count > 1:
            equal = [index for index, other in enumerate(labels) if other == name]
            settings = distinguishing_settings([configurations[index] for index in equal])
            for index in equal:
                unique[index] = " ".join([name, *label("", point_of(configurations[index], settings)).split()])
    seen: Counter[str] = Counter()
    for index, name in enumerate(unique):
        seen[name] += 1
        unique[index] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return unique
