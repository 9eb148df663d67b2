"""Limits of axes in per cent that do not make much of little."""

from collections.abc import Iterable

FLOOR = 10.0  # points that an axis spans at least


def percent_limits(values: Iterable[float], floor: float = FLOOR) -> tuple[float, float]:
    """Return limits around proportions, in per cent: a little wider than the values, and at least ``floor`` points wide.

    Beyond 0 and 100 they reach only so far that markers there are whole, unless values lie outside.
    """
    found = [100 * value for value in values]
    low, high = min(found), max(found)
    pad = max(0.06 * (high - low), 0.5)
    low, high = low - pad, high + pad
    if (missing := floor - (high - low)) > 0:
        low, high = low - missing / 2, high + missing / 2
    room = 0.04 * (high - low)  # for markers at 0 and at 100
    bottom, top = min(0.0, *found) - room, max(100.0, *found) + room
    over, under = max(0.0, high - top), max(0.0, bottom - low)  # what is cut off at one end is given to the other
    return max(bottom, low - over + under), min(top, high - over + under)
