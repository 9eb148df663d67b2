"""What a configuration holds once it is resolved: plain values, in which nothing is left that somebody could interpret."""

import math
from typing import Any

from convexp.config.instantiate import PARTIAL, TARGET
from convexp.errors import ConfigError

DEEPEST = 32  # mappings and lists in each other
REFUSED = ("_args_", "_recursive_", "_convert_")  # of Hydra's own keys: arguments are given by name, and arrive as they are
KINDS = {TARGET: (str, "the name of a class or function"), PARTIAL: (bool, "true or false")}


def check_plain(value: Any, setting: str = "", depth: int = 0) -> None:
    """Raise a ConfigError unless ``value`` is made of mappings, lists, text without ``${``, finite numbers, truths and null."""
    if depth > DEEPEST:
        raise ConfigError(f"{setting[:80]}: is nested more than {DEEPEST} deep")
    if isinstance(value, dict):
        for key, item in value.items():
            inner = f"{setting}.{key}" if setting else str(key)
            _check_key(key, item, inner)
            check_plain(item, inner, depth + 1)
    elif isinstance(value, list):
        for item in value:
            check_plain(item, setting, depth + 1)
    elif isinstance(value, str):
        _check_text(value, setting)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{setting}={value}: should be a finite number")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ConfigError(f"{setting}={value}: should be a number of 64 bits")
    elif value is not None and not isinstance(value, int | float):
        raise ConfigError(f"{setting}: is a {type(value).__name__}; should be text, a number, true, false, null or a list")


def _check_key(key: Any, item: Any, setting: str) -> None:
    if isinstance(key, str):
        _check_text(key, setting)
    if key in REFUSED:
        raise ConfigError(f"{setting}: is not understood; give arguments by name, beside {TARGET}")
    kind, should_be = KINDS.get(key, (object, ""))
    if not isinstance(item, kind):
        raise ConfigError(f"{setting}={item}: should be {should_be}")


def _check_text(text: str, setting: str) -> None:
    if "${" in text:
        raise ConfigError(f"{setting}={text}: holds ${{, which would be interpreted when the run is opened again; leave it out")
