"""Names of the places of a layer's output, for pictures."""

import math
from collections.abc import Sequence


def location_names(locations: Sequence[int], size: Sequence[int] | None) -> list[str]:
    """Return ``i,j`` of each location, counted row by row over an output of ``size``; its number if the size is not known.

    Args:
        locations: Numbers of the locations.
        size: Size of the output per dimension; None, or one with another number of locations, if the layer does not say.
    """
    names: list[str] = []
    for location in locations:
        place: list[int] = []
        for n in reversed(size or ()):
            location, at = divmod(location, n)
            place.insert(0, at)
        names.append(",".join(map(str, place)) if place else str(location))
    return names


def known_size(layer: object, locations: int) -> tuple[int, ...] | None:
    """Return the size of a layer's output, if the layer knows one with this number of locations."""
    size = getattr(layer, "output_size", None)
    return size if isinstance(size, tuple) and math.prod(size) == locations else None
