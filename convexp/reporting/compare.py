"""Comparisons of groups with a baseline, by paired differences between runs of the same seed."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf, sqrt

from convexp.records.plan import Plan
from convexp.reporting.baselines import with_baselines
from convexp.reporting.comparison import HIGHER, LOWER, NOT_SHOWN, Comparison
from convexp.reporting.effects import standardised_difference, superiority
from convexp.reporting.groups import Group
from convexp.reporting.holm import holm, holm_levels
from convexp.reporting.metrics import is_percentage, is_proportion, other_test_metrics
from convexp.reporting.paired import PairedTest, paired_test
from convexp.reporting.pairs import paired_differences
from convexp.reporting.power import seeds_needed
from convexp.reporting.statistics import ALPHA
from convexp.reporting.steps import Step, axes_to_compare, steps

METRICS = ("test/acc", "probe/shift_map/mean", "probe/consistency/all")  # that groups are compared on
POINT = 0.01  # a percentage point


def compare(groups: Sequence[Group], plan: Plan | None = None) -> list[Comparison]:
    """Compare every group with its baseline, on every metric of ``METRICS``, or of another task's test, that both have.

    Baselines are chosen by ``convexp.reporting.baselines``. Pairs of runs have the same seed, and also the same images and the
    same split, unless the groups differ in their data.
    """
    pairs = with_baselines(groups, plan.compare if plan else {})
    return [comparison for metric in _metrics(groups) for comparison in _compare_on(metric, pairs)]


def compare_along(groups: Sequence[Group], plan: Plan | None = None) -> list[Comparison]:
    """Compare along each numeric axis of the study, as ``convexp.reporting.steps`` says, on the metrics of ``compare``.

    An axis is left out if the baselines of ``compare`` are the same pairs.
    """
    known = {(group.label, baseline.label) for group, baseline in with_baselines(groups, plan.compare if plan else {})}
    found: list[Comparison] = []
    for axis in axes_to_compare(groups, plan):
        along = steps(groups, axis)
        pairs = [(step.group, step.baseline) for step in along]
        if {(group.label, baseline.label) for group, baseline in pairs} <= known:
            continue
        place = {(step.group.label, step.baseline.label): step for step in along}
        compared = [c for metric in _metrics(groups) for c in _compare_on(metric, pairs)]
        found += [_placed(c, place[c.label, c.baseline]) for c in compared]
    return found


def _placed(c: Comparison, step: Step) -> Comparison:
    return replace(c, axis=step.axis, line=step.line, start=step.start, stop=step.stop, whole=step.whole)


def _metrics(groups: Sequence[Group]) -> tuple[str, ...]:
    names = dict.fromkeys(name for group in groups for run in group.runs for name in run.metrics)
    return (*other_test_metrics(names).values(), *METRICS)


def _compare_on(metric: str, pairs: Sequence[tuple[Group, Group]]) -> list[Comparison]:
    tested = [
        (group, baseline, differences, paired_test(differences))
        for group, baseline in pairs
        if group.metric(metric) and baseline.metric(metric)
        for differences in [paired_differences(group, baseline, metric)]
    ]
    p_values = [result.p for *_, result in tested]
    corrected = zip(tested, holm(p_values), holm_levels(p_values), strict=True)
    return [_comparison(metric, *each, adjusted, alpha) for each, adjusted, alpha in corrected]


def _comparison(
    metric: str,
    group: Group,
    baseline: Group,
    differences: Sequence[float],
    test: PairedTest,
    adjusted: float | None,
    alpha: float,
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
        effect=standardised_difference(differences),
        superiority=superiority(differences),
        seeds_for_a_point=_seeds_for_a_point(metric, test, alpha),
    )


def _seeds_for_a_point(metric: str, test: PairedTest, alpha: float) -> int | None:
    if not is_percentage(metric) or test.error is None:
        return None
    return seeds_needed(POINT, test.error * sqrt(test.n), alpha)


def _interval(difference: float | None, half_width: float | None, limit: float) -> tuple[float | None, float | None]:
    """The ends of the interval, within the range of differences that are possible."""
    if difference is None or half_width is None:
        return None, None
    return max(-limit, difference - half_width), min(limit, difference + half_width)
