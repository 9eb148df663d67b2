"""The Pareto front of cost and gain."""

from collections.abc import Sequence


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the indices of the points ``(cost, gain)`` that no other point dominates, by ascending cost.

    A point is dominated if another costs no more and gains no less, and one of the two inequalities is strict. Of equal points
    all are on the front.
    """
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1]))
    front: list[int] = []
    best: tuple[float, float] | None = None
    for i in order:
        if best is None or points[i][1] > best[1] or points[i] == best:
            front.append(i)
            best = points[i]
    return front
