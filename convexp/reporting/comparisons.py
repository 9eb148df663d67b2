"""Which groups are compared with which, pair by pair of the same seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from convexp.records import Result
from convexp.records.plan import Plan, settings_of
from convexp.reporting.formatting import is_bounded, is_share, signed
from convexp.reporting.groups import Group
from convexp.reporting.labels import Point
from convexp.reporting.paired import FEWEST, Paired, holm, holm_levels, least_p, paired
from convexp.reporting.statistics import ALPHA

METRICS = ("test/acc", "probe/shift_map/mean", "probe/consistency/all")
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
        low: lower end of its interval; None where there is none. It leaves out 0 just where the verdict is higher or lower.
        high: the upper end.
        p: of no difference; None for less than three pairs.
        p_adjusted: the same after Holm's correction for all comparisons on this metric: each metric is a question of its own.
        method: of the interval and p (``convexp.reporting.paired``): ``bootstrap-t``, ``Student's t`` or ``sign test``.
        verdict: ``higher`` or ``lower`` if ``p_adjusted`` is below 0.05, else ``no difference shown``.
        level: of the interval: 1 less what Holm's procedure holds p against, 0.95 for a single comparison.
        least: the smallest difference that so many pairs of this spread show at that level: half the interval.
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
    least: float | None = None


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
    if found and not seeds:
        return f"fewer than {FEWEST} seeds in common are too few for a verdict: take {FEWEST} or more"
    least = len(seeds) * min(map(least_p, seeds), default=0.0)
    if least < ALPHA:
        return None
    enough = next((n for n in range(max(seeds) + 1, max(seeds) + 4) if len(seeds) * least_p(n) < ALPHA), None)
    advice = f"take {enough} seeds, or compare less" if enough else "compare less"
    return (
        f"{max(seeds)} seeds cannot show one among {len(seeds)} comparisons, as p after the correction is at least "
        f"{min(1.0, least):.2g}: {advice}"
    )


def could_show(found: Sequence[Comparison]) -> str | None:
    """Of the comparisons on one metric that show no difference: how large it had to be; None where that is not known."""
    least = [c.least for c in found if c.verdict == NOT_SHOWN and c.least is not None]
    if not least:
        return None
    low, high = (signed(value, found[0].metric).lstrip("+") for value in (min(least), max(least)))
    unit = " points" if is_share(found[0].metric) else ""
    sizes = low if low == high else f"{low} to {high}"
    return f"with {max(c.n for c in found)} seeds that vary as these do, only differences of {sizes}{unit} or more would show"


def _on(metric: str, pairs: Sequence[tuple[Group, Group]]) -> list[Comparison]:
    found = [
        (group, baseline, paired(differences(group, baseline, metric)))
        for group, baseline in pairs
        if group.metric(metric) and baseline.metric(metric)
    ]
    p_values = [result.p for *_, result in found]
    corrected = zip(found, holm(p_values), holm_levels(p_values), strict=True)
    return [_comparison(metric, *each, adjusted, alpha) for each, adjusted, alpha in corrected]


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


def _comparison(metric: str, group: Group, baseline: Group, found: Paired, adjusted: float | None, alpha: float) -> Comparison:
    verdict = NOT_SHOWN
    if found.difference is not None and adjusted is not None and adjusted < ALPHA:
        verdict = HIGHER if found.difference > 0 else LOWER
    least = found.half_width(alpha)
    return Comparison(
        metric,
        group.label,
        baseline.label,
        found.n,
        found.difference,
        *_interval(found.difference, least, 1.0 if is_bounded(metric) else inf),
        p=found.p,
        p_adjusted=adjusted,
        method=found.method,
        verdict=verdict,
        level=1 - alpha,
        least=least,
    )


def _interval(difference: float | None, half_width: float | None, most: float) -> tuple[float | None, float | None]:
    """Its ends, no farther out than a difference can be."""
    if difference is None or half_width is None:
        return None, None
    return max(-most, difference - half_width), min(most, difference + half_width)
