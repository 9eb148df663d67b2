"""Which networks are worth their size."""

from collections.abc import Sequence


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the points ``(cost, gain)`` that no other dominates, by ascending cost.

    A point is dominated if another costs no more and gains no less, and one of the two is strict.
    Of equal points all are on the front.
    """
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1]))
    kept: list[int] = []
    best: tuple[float, float] | None = None
    for i in order:
        if best is None or points[i][1] > best[1] or points[i] == best:
            kept.append(i)
            best = points[i]
    return kept
