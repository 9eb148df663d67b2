"""Comparisons of groups with a baseline, by paired differences between runs of the same seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from convexp.records import RunRecord
from convexp.records.plan import Plan, settings_of
from convexp.reporting.baselines import with_baselines
from convexp.reporting.groups import Group
from convexp.reporting.holm import holm, holm_levels
from convexp.reporting.metrics import is_proportion, other_test_metrics
from convexp.reporting.paired import PairedTest, paired_test
from convexp.reporting.statistics import ALPHA

METRICS = ("test/acc", "probe/shift_map/mean", "probe/consistency/all")  # that groups are compared on
HIGHER, LOWER, NOT_SHOWN = "higher", "lower", "no difference shown"


@dataclass(frozen=True)
class Comparison:
    """A group compared with its baseline on one metric.

    Attributes:
        metric: Name of the metric, such as ``test/acc``.
        label: Label of the group.
        baseline: Label of the group it is compared with.
        n: Number of pairs of runs of the same seed on the same data.
        difference: Mean of the paired differences, group minus baseline; None without a pair.
        low: Lower end of the confidence interval of the difference; None where there is no interval. The interval excludes 0
            exactly if the verdict is ``higher`` or ``lower``.
        high: Upper end of the interval.
        p: p-value of the hypothesis of no difference; None for fewer than three pairs.
        p_adjusted: p-value after Holm's correction for all comparisons on this metric. Each metric is a question of its own.
        method: Method of the p-value and the interval (``convexp.reporting.paired``).
        verdict: ``higher`` or ``lower`` if ``p_adjusted`` is below 0.05, else ``no difference shown``.
        level: Confidence level of the interval: 1 minus the level that Holm's procedure compares ``p`` with, so 0.95 for a
            single comparison.
        detectable: Smallest absolute mean difference that this many pairs with this deviation show at that level, which is half
            the width of the interval; None where there is no interval.
    """

    metric: str
    label: str
    baseline: str
    n: int
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    method: str
    verdict: str
    level: float = 1 - ALPHA
    detectable: float | None = None

    @property
    def shows_difference(self) -> bool:
        """Whether the verdict is that the group is higher or lower than the baseline."""
        return self.verdict != NOT_SHOWN


def compare(groups: Sequence[Group], plan: Plan | None = None) -> list[Comparison]:
    """Compare every group with its baseline, on every metric of ``METRICS``, or of another task's test, that both have.

    Baselines are chosen by ``convexp.reporting.baselines``. Pairs of runs have the same seed, and also the same images and the
    same split, unless the groups differ in their data.
    """
    pairs = with_baselines(groups, plan)
    names = dict.fromkeys(name for group in groups for run in group.runs for name in run.metrics)
    metrics = (*other_test_metrics(names).values(), *METRICS)
    return [comparison for metric in metrics for comparison in _compare_on(metric, pairs)]


def _compare_on(metric: str, pairs: Sequence[tuple[Group, Group]]) -> list[Comparison]:
    tested = [
        (group, baseline, paired_test(paired_differences(group, baseline, metric)))
        for group, baseline in pairs
        if group.metric(metric) and baseline.metric(metric)
    ]
    p_values = [result.p for *_, result in tested]
    corrected = zip(tested, holm(p_values), holm_levels(p_values), strict=True)
    return [_comparison(metric, *each, adjusted, alpha) for each, adjusted, alpha in corrected]


def paired_differences(group: Group, baseline: Group, metric: str) -> list[float]:
    """Return the differences in a metric, group minus baseline, between runs of the same seed on the same data."""
    others = {run.seed: run for run in baseline.runs}
    any_data = _differ_in_data(group, baseline)
    pairs = [(run, others[run.seed]) for run in group.runs if run.seed in others]
    return [
        run.metrics[metric] - other.metrics[metric]
        for run, other in pairs
        if metric in run.metrics and metric in other.metrics and (any_data or _images(run) == _images(other))
    ]


def _differ_in_data(group: Group, baseline: Group) -> bool:
    axes = [axis for axis in group.point if any(s == "data" or s.startswith("data.") for s in settings_of(axis))]
    return any(group.point[axis] != baseline.point.get(axis) for axis in axes)


def _images(run: RunRecord) -> tuple[object, object]:
    return run.data.checksum, run.data.split


def _comparison(
    metric: str, group: Group, baseline: Group, test: PairedTest, adjusted: float | None, alpha: float
) -> Comparison:
    verdict = NOT_SHOWN
    if test.difference is not None and adjusted is not None and adjusted < ALPHA:
        verdict = HIGHER if test.difference > 0 else LOWER
    half_width = test.half_width(alpha)
    return Comparison(
        metric,
        group.label,
        baseline.label,
        test.n,
        test.difference,
        *_interval(test.difference, half_width, 1.0 if is_proportion(metric) else inf),
        p=test.p,
        p_adjusted=adjusted,
        method=test.method,
        verdict=verdict,
        level=1 - alpha,
        detectable=half_width,
    )


def _interval(difference: float | None, half_width: float | None, limit: float) -> tuple[float | None, float | None]:
    """The ends of the interval, within the range of differences that are possible."""
    if difference is None or half_width is None:
        return None, None
    return max(-limit, difference - half_width), min(limit, difference + half_width)
