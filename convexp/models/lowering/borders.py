"""How many numbers a page keeps for an operation beside its output."""

import math
from typing import Any

from convexp.geometry import Size

WINDOWED = ("conv", "local", "low_rank_local")


def held_numbers(fields: dict[str, Any], shape: Size) -> int:
    """Return how many numbers an operation keeps: the map with its border, and the window of one location.

    Args:
        fields: The fields of its ``Layer``.
        shape: Shape of its input, (C, H, W).
    """
    taps = shape[0] * math.prod(fields["kernel"]) if fields["op"] in WINDOWED else 0
    border = _border(fields)
    return taps + (bordered_units(fields, shape) if any(border) else 0)


def bordered_units(fields: dict[str, Any], shape: Size) -> int:
    """Return the units of the input of an operation with its border; without one those of the input."""
    return shape[0] * math.prod(n + more for n, more in zip(shape[1:], _border(fields), strict=True))


def _border(fields: dict[str, Any]) -> tuple[int, int]:
    """By how many units a border makes the map higher and wider."""
    if fields["op"] in WINDOWED:
        high, wide = (2 * n for n in fields["padding"])
    elif fields["op"] == "dense_max":
        high, wide = (n - 1 for n in fields["kernel"])
    elif fields["op"] == "blur":
        high, wide = (2 * (n // 2) for n in fields["kernel"])
    else:
        high, wide = 0, 0
    return high, wide
