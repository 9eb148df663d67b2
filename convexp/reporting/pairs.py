"""Pairs of runs of the same seed on the same data, and their differences."""

from collections.abc import Sequence

from convexp.records.plan import settings_of
from convexp.records.values import same_value
from convexp.reporting.groups import Group

ROUNDING = 2**-21  # of a difference of two numbers in single precision, in parts of the larger: four units in its last place


def paired_differences(group: Group, baseline: Group, metric: str) -> list[float]:
    """Return the differences in a metric, group minus baseline, between runs of the same seed on the same data."""
    others = {run.seed: run for run in baseline.runs}
    any_data = _differ_in_data(group, baseline)
    pairs = [(run, others[run.seed]) for run in group.runs if run.seed in others]
    return differences(
        [
            (run.metrics[metric], other.metrics[metric])
            for run, other in pairs
            if metric in run.metrics and metric in other.metrics and (any_data or run.data.images == other.data.images)
        ]
    )


def differences(pairs: Sequence[tuple[float, float]]) -> list[float]:
    """Return ``a - b`` of each pair; those that are 0, or equal, but for the rounding of single precision are exactly so.

    Accuracies are means of single precision. Of 360 images one more is 0.0027778 from 335 to 336, and 3e-8 more or less
    elsewhere, which is no variation between seeds.
    """
    rounding = ROUNDING * max((abs(number) for pair in pairs for number in pair), default=0.0)
    exact, different = [a - b for a, b in pairs], [0.0]
    for value in sorted(exact, key=abs):
        if all(abs(value - other) > rounding for other in different):
            different.append(value)
    return [next(other for other in different if abs(value - other) <= rounding) for value in exact]


def _differ_in_data(group: Group, baseline: Group) -> bool:
    axes = [axis for axis in group.point if any(s == "data" or s.startswith("data.") for s in settings_of(axis))]
    return not all(same_value(group.point[axis], baseline.point.get(axis)) for axis in axes)
