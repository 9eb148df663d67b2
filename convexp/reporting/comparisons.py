"""Which groups are compared with which, pair by pair of the same seed."""

from collections.abc import Sequence
from dataclasses import dataclass

from convexp.reporting.groups import Group
from convexp.reporting.labels import Point
from convexp.reporting.paired import Paired, holm, least_p, paired
from convexp.runs import Result
from convexp.runs.plan import Plan, settings_of

METRICS = ("test/acc", "probe/shift_map/mean", "probe/consistency/all")
LEVEL = 0.05
HIGHER, LOWER, NOT_SHOWN = "higher", "lower", "no difference shown"


@dataclass(frozen=True)
class Comparison:
    """A group against its baseline on one metric.

    Attributes:
        metric: such as ``test/acc``.
        label: of the group.
        baseline: label of the group it is compared with.
        n: pairs of runs of the same seed on the same data.
        difference: mean of the paired differences, group less baseline; None without a pair.
        low: lower end of its 95 % interval (of this comparison alone); None where there is no interval.
        high: the upper end.
        p: of no difference; None for less than two pairs.
        p_adjusted: the same after Holm's correction for all comparisons on this metric: each metric is a question of its own.
        method: of the interval and p (``convexp.reporting.paired``): ``bootstrap-t``, ``Student's t`` or ``sign test``.
        verdict: ``higher`` or ``lower`` if ``p_adjusted`` is below 0.05, else ``no difference shown``.
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


def compare(groups: Sequence[Group], plan: Plan | None = None) -> list[Comparison]:
    """Every group against its baseline on every metric of ``METRICS`` that both have.

    The baseline has the plan's ``compare`` value on that axis and equal values on all others that it has; without a plan, or
    without ``compare``, it is the first group on the same data set. Pairs have the same seed, and the same images and split
    unless data is what is compared.
    """
    pairs = _planned(groups, plan) if plan and plan.compare else _with_first(groups)
    return [comparison for metric in METRICS for comparison in _on(metric, pairs)]


def by_metric(comparisons: Sequence[Comparison]) -> dict[str, list[Comparison]]:
    """The comparisons on each metric."""
    return {metric: [c for c in comparisons if c.metric == metric] for metric in dict.fromkeys(c.metric for c in comparisons)}


def too_few(found: Sequence[Comparison]) -> str | None:
    """Of the comparisons on one metric: that so few seeds cannot show a difference among so many, if that is so."""
    seeds = [c.n for c in found if c.p is not None]
    least = len(seeds) * min(map(least_p, seeds), default=0.0)
    if least < LEVEL:
        return None
    enough = next((n for n in range(max(seeds) + 1, max(seeds) + 4) if len(seeds) * least_p(n) < LEVEL), None)
    advice = f"take {enough} seeds, or compare less" if enough else "compare less"
    return (
        f"{max(seeds)} seeds cannot show one among {len(seeds)} comparisons, as p after the correction is at least "
        f"{min(1.0, least):.2g}: {advice}"
    )


def _on(metric: str, pairs: Sequence[tuple[Group, Group]]) -> list[Comparison]:
    found = [
        (metric, group, baseline, paired(differences(group, baseline, metric)))
        for group, baseline in pairs
        if group.metric(metric) and baseline.metric(metric)
    ]
    adjusted = holm([result.p for *_, result in found])
    return [_comparison(*each, p) for each, p in zip(found, adjusted, strict=True)]


def _with_first(groups: Sequence[Group]) -> list[tuple[Group, Group]]:
    first: dict[str, Group] = {}
    for group in groups:
        first.setdefault(repr(group.point.get("data")), group)
    pairs = [(group, first[repr(group.point.get("data"))]) for group in groups]
    return [(group, baseline) for group, baseline in pairs if group is not baseline]


def _planned(groups: Sequence[Group], plan: Plan) -> list[tuple[Group, Group]]:
    pairs: list[tuple[Group, Group]] = []
    for named, value in plan.compare.items():
        axis = next((axis for axis in plan.axes if settings_of(axis) == settings_of(named)), None)
        for group in groups:
            if axis is not None and axis in group.point and group.point[axis] != value:
                at = {**group.point, axis: value}
                pairs += [(group, baseline) for baseline in groups if _is_like(baseline.point, at)][:1]
    return pairs


def _is_like(baseline: Point, at: Point) -> bool:
    """Whether a baseline has the values of a point, on all axes that it has; a convolution has no rank, say."""
    return all(axis in at and at[axis] == value for axis, value in baseline.items())


def differences(group: Group, baseline: Group, metric: str) -> list[float]:
    """Of the runs of the same seed and data, group less baseline."""
    others = {run["seed"]: run for run in baseline.runs}
    either = _other_data(group, baseline)
    pairs = [(run, others[run["seed"]]) for run in group.runs if run["seed"] in others]
    return [
        run["metrics"][metric] - other["metrics"][metric]
        for run, other in pairs
        if metric in run["metrics"] and metric in other["metrics"] and (either or _images(run) == _images(other))
    ]


def _other_data(group: Group, baseline: Group) -> bool:
    """Whether the data is what is compared."""
    axes = [axis for axis in group.point if any(s == "data" or s.startswith("data.") for s in settings_of(axis))]
    return any(group.point[axis] != baseline.point.get(axis) for axis in axes)


def _images(run: Result) -> tuple[object, object]:
    data = run.get("data", {})
    return data.get("checksum"), data.get("split")


def _comparison(metric: str, group: Group, baseline: Group, found: Paired, adjusted: float | None) -> Comparison:
    verdict = NOT_SHOWN
    if found.difference is not None and adjusted is not None and adjusted < LEVEL:
        verdict = HIGHER if found.difference > 0 else LOWER
    interval = (found.difference, found.low, found.high)
    return Comparison(metric, group.label, baseline.label, found.n, *interval, found.p, adjusted, found.method, verdict)
