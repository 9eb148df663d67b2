"""The ranges of the settings of augmentations, which are checked before torch is imported and when they are built."""

from collections.abc import Mapping
from typing import Any

# The least and the largest value, both allowed.
RANGES: dict[str, tuple[float, float]] = {
    "probability": (0, 1),
    "padding": (0, 2**15),
    "size": (1, 2**15),
    "fill": (0, 255),
    "alpha": (1e-3, 1e3),
    "degrees": (0, 180),
    "operations": (1, 14),
    "magnitude": (0, 30),
}


def check_ranges(settings: Mapping[str, Any]) -> None:
    """Check that the settings of an augmentation are in ``RANGES``.

    Raises:
        ValueError: naming the setting.
    """
    for name, value in settings.items():
        if name in RANGES and isinstance(value, int | float):
            low, high = RANGES[name]
            if not low <= value <= high:
                raise ValueError(f"{name}={value}: should be between {low:g} and {high:g}")
