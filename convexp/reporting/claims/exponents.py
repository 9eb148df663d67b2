"""How the number of samples that are needed grows with the size of a problem, for one seed."""

from collections.abc import Iterable, Sequence
from math import fsum, log, prod
from typing import Any

from convexp.config.schema.claim import Exponent
from convexp.reporting.claims.results import Result

LARGEST = 1e100  # size, and 1 over it the smallest


def samples_needed(points: Iterable[tuple[float, float]], threshold: float) -> float | None:
    """Return the number of samples at which a metric first passes the threshold, linear in the logarithm of the samples.

    Args:
        points: Samples and the metric, of runs of one seed.
        threshold: What is to be passed.

    Returns:
        The samples; None if it is not passed between the smallest and the largest number tried.
    """
    ordered = sorted(points)
    first = next((i for i, (_, value) in enumerate(ordered) if value >= threshold), 0)
    if first == 0:
        return None
    (few, low), (many, high) = ordered[first - 1 : first + 1]
    return few * (many / few) ** ((threshold - low) / (high - low))


def exponent(runs: Sequence[Result], metric: str, of: Exponent) -> float | None:
    """Return the slope of log samples over log size by least squares, for the runs of one seed.

    Returns:
        The slope; None if there are fewer than two different sizes, or one at which the threshold is not passed.
    """
    by_size: dict[float, list[tuple[float, float]]] = {}
    for run in runs:
        at, samples = (size(run.settings.get(setting)) for setting in (of.size, of.samples))
        if at is None or samples is None:
            return None
        by_size.setdefault(at, []).append((samples, run.metrics[metric]))
    needed = {at: samples_needed(points, of.threshold) for at, points in by_size.items()}
    points = [(log(at), log(samples)) for at, samples in needed.items() if samples is not None]
    return slope(points) if points and len(points) == len(needed) else None


def size(value: Any) -> float | None:
    """Return a size as a number, the product of a list; None if it is no positive number within ``LARGEST``."""
    numbers = value if isinstance(value, list) else [value]
    if not all(isinstance(number, int | float) and 0 < number <= LARGEST for number in numbers):
        return None
    found = prod(map(float, numbers))
    return found if 1 / LARGEST <= found <= LARGEST else None


def slope(points: Sequence[tuple[float, float]]) -> float | None:
    """Return the slope of the line through points by least squares; None if all lie at one x."""
    x_mean, y_mean = (fsum(values) / len(points) for values in zip(*points, strict=True))
    extent = fsum((x - x_mean) ** 2 for x, _ in points)
    return fsum((x - x_mean) * (y - y_mean) for x, y in points) / extent if extent else None
