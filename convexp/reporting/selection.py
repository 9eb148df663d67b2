"""Which groups a chart or a page shows if it has no room for all."""

from collections.abc import Sequence


def evenly_spaced(count: int, most: int) -> list[int]:
    """Return at most ``most`` (two or more) of ``count`` indices, evenly spaced, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]


def omission_note(shown: Sequence[object], every: Sequence[object], noun: str = "configurations") -> str:
    """Return a sentence on how many of all are drawn, to be appended to a caption; an empty string if all are drawn."""
    if len(shown) == len(every):
        return ""
    return f" Drawn: {len(shown):,} of {len(every):,} {noun}, evenly spaced in the order of the table."
