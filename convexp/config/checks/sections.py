"""Check the sections of a configuration as a whole: is something missing, and do its files say where their settings belong?"""

from collections.abc import Mapping
from typing import Any

from convexp.config.messages.suggestions import explain_skeleton_setting
from convexp.errors import ConfigError

GLOBAL_GROUPS = ("local", "experiment", "debug")  # groups whose files change settings of all sections


def check_nothing_missing(values: Mapping[Any, Any]) -> None:
    """Check that no setting is left to the user (``???``).

    Raises:
        ConfigError: naming all settings that are.
    """
    if missing := _missing(values):
        verb = "is" if len(missing) == 1 else "are"
        raise ConfigError(f"{', '.join(missing)}: {verb} missing; add {missing[0]}=...")


def _missing(value: Any, path: str = "") -> list[str]:
    """Settings below ``path`` whose value is ``???``; those that refer to them by ``${...}`` are not listed."""
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in _missing(item, f"{path}.{key}" if path else str(key))]
    return [path] if value == "???" else []


def check_named(values: Mapping[Any, Any]) -> None:
    """Check that ``model`` and ``data`` are complete: files that only hold what the options share have no name.

    Raises:
        ConfigError: naming the section.
    """
    for section, examples in (("model", "model=conv"), ("data", "data=digits")):
        value = values.get(section)
        if isinstance(value, dict) and "name" not in value:
            raise ConfigError(f"{section}.name: is missing; choose one of its options, as in {examples}, or give it a name")


def check_global_files(values: Mapping[Any, Any]) -> None:
    """Check that files of the groups ``local``, ``experiment``, ``debug`` and ``study`` are marked as global.

    Raises:
        ConfigError: naming the group of a file that is not.
    """
    study: Any = values.get("study")
    unmarked = [group for group in GLOBAL_GROUPS if values.get(group) is not None]
    if unmarked or (isinstance(study, dict) and "study" in study):
        group = unmarked[0] if unmarked else "study"
        raise ConfigError(
            f"{group}: the first line of its file should be '# @package _global_', or its settings have no effect"
        )


def check_kind_of_model(values: Mapping[Any, Any]) -> None:
    """Check that ``model`` is a skeleton or names another network, and not both.

    Raises:
        ConfigError: naming a setting of the skeleton that stands beside ``model.network``.
    """
    model: Any = values.get("model")
    if not isinstance(model, dict) or "network" not in model:
        return
    for setting in sorted(map(str, model), key=lambda name: name != "wiring"):
        if (reason := explain_skeleton_setting(setting)) is not None:
            raise ConfigError(reason)
