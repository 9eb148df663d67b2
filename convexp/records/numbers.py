"""Numbers that statistics can be computed from."""

from typing import Any, TypeGuard

LARGEST = 1e100  # the squares of ten thousand such numbers can be added up


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a number; true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_moderate(value: Any) -> TypeGuard[float]:
    """Whether a value is a number between -1e100 and 1e100; NaN and infinities are not."""
    return is_number(value) and abs(value) <= LARGEST
