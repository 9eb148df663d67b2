"""Configurations as flat mappings from settings to values, and values as text."""

import re
from collections.abc import Iterable
from itertools import dropwhile
from textwrap import shorten
from typing import Any

from convexp.records.identity import ADDED_LATER

Settings = dict[str, Any]
DOT = re.compile(r"\.")


def flatten(settings: Any, prefix: str = "") -> Settings:
    """Return nested settings as one mapping with dotted names: ``{"a": {"b": 1}}`` becomes ``{"a.b": 1}``."""
    if not isinstance(settings, dict):
        return {prefix: settings}
    return {k: v for key, value in settings.items() for k, v in flatten(value, f"{prefix}.{key}" if prefix else key).items()}


def completed(flat: Settings) -> Settings:
    """Return flattened settings of a run with those that its version did not have yet, at the value that does what it did.

    Those of a probe or a callback are added only to runs that have it.
    """
    missing = [setting for setting in ADDED_LATER if setting not in flat] if flat else []
    sections = {name[: dot.start()] for name in flat for dot in DOT.finditer(name)} if missing else set[str]()
    absent = [setting for setting in missing if setting not in sections and _has_place(setting, sections)]
    return flat | {k: v for setting in absent for k, v in flatten(ADDED_LATER[setting], setting).items()} if absent else flat


def _has_place(setting: str, sections: set[str]) -> bool:
    """Whether settings have the entry of a section that a setting lies in, as ``callbacks.early_stopping``."""
    parent = setting.rpartition(".")[0]
    return "." not in parent or parent in sections


def lookup(config: Any, setting: str) -> Any:
    """Return the value of a dotted setting; None if there is none.

    The value of a section is its ``name``, or else the name of the class that it makes.
    """
    found = entry(config, setting)
    if isinstance(found, dict):
        return found.get("name") or str(found.get("_target_") or "").rpartition(".")[2] or None
    return found


def entry(config: Any, setting: str) -> Any:
    """Return what stands at a dotted setting, be it a section or a value; None if there is nothing."""
    for part in setting.split("."):
        config = config.get(part) if isinstance(config, dict) else None
    return config


def says(config: Any, setting: str) -> bool:
    """Whether nested settings say the value of a dotted setting as it is chosen.

    They do not for a setting that they lack, for a section that is null, and for one without a ``name``, of which they hold
    what an option has made.
    """
    value = entry(config, setting)
    if value is not None:
        return not isinstance(value, dict) or "name" in value
    parent, _, name = setting.rpartition(".")
    section = entry(config, parent)
    return isinstance(section, dict) and name in section


def within(setting: str, sections: Iterable[str]) -> bool:
    """Whether the setting is one of ``sections`` or lies in one of them."""
    return any(setting == section or setting.startswith(f"{section}.") for section in sections)


def differing(every: Iterable[Settings]) -> list[str]:
    """Return the settings whose values are not the same in all of ``every``, in the order in which they first appear."""
    unique = list({id(settings): settings for settings in every}.values())
    names = dict.fromkeys(name for settings in unique for name in settings)
    return [name for name in names if len({repr(settings.get(name)) for settings in unique}) > 1]


def display_value(value: Any) -> str:
    """Return a value as text, as a YAML file spells it, without spaces and with ``?`` in the place of control characters."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        return f"[{','.join(map(display_value, value))}]"
    return printable(str(value))


def printable(text: str) -> str:
    """Return the text in one line, with ``?`` in the place of control characters and halves of surrogate pairs."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def where_data_lay_first(settings: Settings, recorded: Any) -> Settings:
    """Return the nested settings of a run with the location of its data that was recorded at its first start.

    A resumed run may find the same data in another folder. Another folder in the record would make it another run.

    Args:
        settings: The settings of the run as it is started now; changed in place.
        recorded: Those of its first start; None if this is the first.
    """
    source = settings["data"]["source"]
    for key in {"root", "file"} & source.keys():
        before = lookup(recorded, f"data.source.{key}")
        source[key] = before if isinstance(before, str) else source[key]
    return settings


def last_line(text: str | None) -> str | None:
    """Return what a traceback ends with, or the last line of another text, in one printable line; None if there is none.

    A traceback ends with an exception, whose message may have several lines.
    """
    lines = (text or "").strip().splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith("  File ")]
    said = list(dropwhile(lambda line: line.startswith("    "), lines[frames[-1] + 1 :])) if frames else []
    return printable(shorten(" ".join(said), 300) if len(said) > 1 else lines[-1]) if lines else None
