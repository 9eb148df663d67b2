"""When two values of a setting are the same: Python takes true for 1, settings do not."""

import json
from collections.abc import Iterable
from typing import Any


def same_value(one: Any, other: Any) -> bool:
    """Return whether two values of a setting are the same, also within lists and sections.

    A number is the same however it is spelled, as a setting with fractions has 1.0 where a user has written 1.
    """
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_value, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_value(value, other[key]) for key, value in one.items())
    return one == other


def value_key(value: Any) -> str:
    """Return the value as canonical JSON, which differs for values that are spelled differently: true, 1 and 1.0."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def unique(values: Iterable[Any]) -> list[Any]:
    """Return the values without those that are spelled like an earlier one."""
    found: dict[str, Any] = {}
    for value in values:
        found.setdefault(value_key(value), value)
    return list(found.values())


def place_of(value: Any, values: Iterable[Any]) -> int | None:
    """Return the place of the first of ``values`` that is the same as ``value``; None if there is none."""
    return next((place for place, other in enumerate(values) if same_value(value, other)), None)
