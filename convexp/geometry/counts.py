"""How many samples: a number of them, or a share."""

from typing import Any


def check_count(value: Any) -> Any:
    """Raise a ValueError unless ``value`` is a number of samples or a share of them."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not value > 0 or (isinstance(value, float) and value > 1):
        raise ValueError("should be a number of samples (1, 2, ...) or a share of them (above 0, up to 1.0)")
    return value
