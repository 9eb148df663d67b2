"""What is chosen of a group on the command line, read before Hydra does, which has a traceback for all but names."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from convexp.config.paths import conf_dir
from convexp.errors import ConfigError

CHOICE = re.compile(r"\+{0,2}(?P<group>\w[\w/]*)(?:@[^=]*)?=", re.ASCII)
ONE = ("model", "data", "optimizer", "scheduler", "trainer", "study")  # of which Hydra would mix several
NULL = re.compile(r"(?<![\w./-])null(?![\w./-])", re.IGNORECASE)


@cache  # a sweep says the same of many runs
def chosen(text: str) -> str:
    """The override ``text``, with ``none`` for ``null`` if it chooses of a group that has such an option.

    Raises:
        ConfigError: if it chooses something that is no name of an option, nor a list of names.
    """
    found = CHOICE.match(text)
    options = _options(found["group"]) if found else []
    if not options:
        return text
    try:
        values = _values(text)
    except HydraException:  # who says so better
        return text
    several = found is not None and found["group"] not in ONE
    wrong = [value for value in values if not (_is_choice(value, several) or (value is None and "none" in options))]
    if wrong:
        shown = "null" if wrong[0] is None else str(wrong[0]).lower() if isinstance(wrong[0], bool) else wrong[0]
        known = "" if text.startswith("hydra/") else f"; there are {', '.join(options)}"  # Hydra has more of its own
        right = "the name of an option, or a list of names" if several else "the name of one option"
        raise ConfigError(f"{text.partition('=')[0]}={shown}: should be {right}{known}")
    return NULL.sub("none", text) if None in values else text


def _options(group: str) -> list[str]:
    """Names of the files of a group; none if there is no such group."""
    return sorted(file.stem for file in Path(conf_dir(), group).glob("*.yaml"))


def _values(text: str) -> list[Any]:
    """What an override says: one value, or all that are swept over."""
    override = OverridesParser.create().parse_override(text)
    if override.is_delete() or not override.is_discrete_sweep():
        return [] if override.is_delete() or override.is_sweep_override() else [override.value()]
    return list(override.sweep_iterator())


def _is_choice(value: Any, several: bool) -> bool:
    names = value if isinstance(value, list) else [value]
    return all(isinstance(name, str) for name in names) and (several or len(names) == 1)
