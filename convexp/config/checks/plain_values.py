"""Check that a resolved configuration holds plain values only, in which nothing is left to interpret."""

import math
from typing import Any

from convexp.config.instantiate import PARTIAL, TARGET
from convexp.errors import ConfigError

MAX_DEPTH = 32  # of mappings and lists within each other
REFUSED_KEYS = ("_args_", "_recursive_", "_convert_")  # of Hydra: here arguments have names, and their values stay as they are
KEY_TYPES = {TARGET: (str, "the name of a class or function"), PARTIAL: (bool, "true or false")}


def check_plain(value: Any, setting: str = "", depth: int = 0) -> None:
    """Check that ``value`` is made of mappings, lists, texts without ``${``, finite numbers of 64 bits, booleans and null.

    Raises:
        ConfigError: naming the setting below ``setting`` that is none of these.
    """
    if depth > MAX_DEPTH:
        raise ConfigError(f"{setting[:80]}: is nested more than {MAX_DEPTH} deep")
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
    if key in REFUSED_KEYS:
        raise ConfigError(f"{setting}: is not supported; give arguments by name, beside {TARGET}")
    expected, description = KEY_TYPES.get(key, (object, ""))
    if not isinstance(item, expected):
        raise ConfigError(f"{setting}={item}: should be {description}")


def _check_text(text: str, setting: str) -> None:
    if "${" in text:
        raise ConfigError(f"{setting}={text}: holds ${{, which would be interpreted when the run is opened again; leave it out")
