"""Settings that give the size of a subset of samples as a number of them or as a share."""

from typing import Any


def check_subset_size(value: Any) -> Any:
    """Return ``value`` if it is a number of samples (a positive int) or a share of them (a float above 0, at most 1).

    Raises:
        ValueError: If it is neither.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not value > 0 or (isinstance(value, float) and value > 1):
        raise ValueError("should be a number of samples (1, 2, ...) or a share of them (above 0, up to 1.0)")
    return value
