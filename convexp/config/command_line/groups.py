"""Check which options of a group an override chooses, before Hydra does: it would answer many mistakes with a traceback."""

import re
from functools import cache
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from convexp.config.options import is_shared, list_options
from convexp.config.sources import Source, installed_sources
from convexp.errors import ConfigError

CHOICE = re.compile(r"\+{0,2}(?P<group>\w[\w/]*)(?:@[^=]*)?=", re.ASCII)
# Hydra would merge several options of these.
SINGLE_CHOICE = ("model", "data", "task", "optimizer", "scheduler", "trainer", "study")
NULL = re.compile(r"(?<![\w./-])null(?![\w./-])", re.IGNORECASE)


@cache  # the runs of a sweep have most overrides in common
def normalize_choice(override: str, sources: tuple[Source, ...] | None = None) -> str:
    """The override with ``none`` for ``null`` if it chooses an option of a group that has an option ``none``.

    Overrides of settings are returned unchanged.

    Args:
        override: the override.
        sources: where options are looked for; None for convexp itself and installed packages.

    Raises:
        ConfigError: if the override chooses something that is neither the name of an option nor a list of names, or a file that
            only holds what the options of the group share.
    """
    found = CHOICE.match(override)
    group = found["group"] if found else ""
    sources = sources or installed_sources()
    options = list_options(group, sources) if group else []
    if not options:
        return override
    try:
        values = _values(override)
    except HydraException:  # Hydra itself explains an override that it cannot parse
        return override
    for value in values:
        _check_choice(override, group, options, value, sources)
    return NULL.sub("none", override) if None in values else override


def _check_choice(override: str, group: str, options: list[str], value: Any, sources: tuple[Source, ...]) -> None:
    several = group not in SINGLE_CHOICE
    names = value if isinstance(value, list) else [value]
    known = "" if override.startswith("hydra/") else f"; there are {', '.join(options)}"  # Hydra has further ones of its own
    shown = "null" if value is None else str(value).lower() if isinstance(value, bool) else value
    setting = override.partition("=")[0]
    if value is None and "none" in options:
        return
    if not all(isinstance(name, str) for name in names) or not (several or len(names) == 1):
        expected = "the name of an option, or a list of names" if several else "the name of one option"
        raise ConfigError(f"{setting}={shown}: should be {expected}{known}")
    if "none" in names and len(names) > 1:
        raise ConfigError(
            f"{setting}=[{','.join(names)}]: none leaves nothing of those before it; leave it out, or choose none alone"
        )
    if twice := [name for name in names if names.count(name) > 1]:
        raise ConfigError(f"{setting}=[{','.join(names)}]: names {twice[0]} twice; an option is there once")
    if any(is_shared(group, str(name), sources) for name in names):
        raise ConfigError(
            f"{setting}={shown}: only holds what the options of {group} share; choose one of {', '.join(options)}"
        )


def _values(override: str) -> list[Any]:
    """The value of an override, or all values that it sweeps over."""
    parsed = OverridesParser.create().parse_override(override)
    if parsed.is_delete() or not parsed.is_discrete_sweep():
        return [] if parsed.is_delete() or parsed.is_sweep_override() else [parsed.value()]
    return list(parsed.sweep_iterator())
