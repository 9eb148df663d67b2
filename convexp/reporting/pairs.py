"""Pairs of runs of the same seed on the same data, and their differences."""

from convexp.records.plan import settings_of
from convexp.records.values import same_value
from convexp.reporting.groups import Group


def paired_differences(group: Group, baseline: Group, metric: str) -> list[float]:
    """Return the differences in a metric, group minus baseline, between runs of the same seed on the same data."""
    others = {run.seed: run for run in baseline.runs}
    any_data = _differ_in_data(group, baseline)
    pairs = [(run, others[run.seed]) for run in group.runs if run.seed in others]
    return [
        run.metrics[metric] - other.metrics[metric]
        for run, other in pairs
        if metric in run.metrics and metric in other.metrics and (any_data or run.data.images == other.data.images)
    ]


def _differ_in_data(group: Group, baseline: Group) -> bool:
    axes = [axis for axis in group.point if any(s == "data" or s.startswith("data.") for s in settings_of(axis))]
    return not all(same_value(group.point[axis], baseline.point.get(axis)) for axis in axes)
