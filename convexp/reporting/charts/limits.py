"""Limits of axes in per cent that do not make much of little."""

from collections.abc import Iterable

FLOOR = 10.0  # points that an axis spans at least


def percent_limits(values: Iterable[float], floor: float = FLOOR) -> tuple[float, float]:
    """Return limits around proportions, in per cent: a little wider than the values, and at least ``floor`` points wide.

    They stay within -2 and 102, where markers at 0 and at 100 per cent are whole, unless values lie outside.
    """
    found = [100 * value for value in values]
    low, high = min(found), max(found)
    pad = max(0.06 * (high - low), 0.5)
    low, high = low - pad, high + pad
    if (missing := floor - (high - low)) > 0:
        low, high = low - missing / 2, high + missing / 2
    over, under = max(0.0, high - 102), max(0.0, -2 - low)  # what is cut off at one end is given to the other
    return max(min(-2.0, *found), low - over + under), min(max(102.0, *found), high - over + under)
