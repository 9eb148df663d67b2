"""A comparison of two groups on one metric."""

from dataclasses import dataclass

from convexp.reporting.statistics import ALPHA

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
        effect: Standardised difference, Hedges' g (``convexp.reporting.effects``); None where it cannot be estimated.
        superiority: Share of the pairs in which the group is higher, equal pairs counted half; None without a pair.
        seeds_for_a_point: Seeds that would show a difference of one percentage point with a probability of 0.8 at that level,
            if the differences vary as observed (``convexp.reporting.power``); None for metrics that are no percentages, where
            the deviation is not known, and beyond 100,000.
        axis: The axis along which the two are compared; None for a comparison with the baseline. Each axis is a question of its
            own, like each metric: Holm's correction is for all comparisons along it.
        line: What the two have in common, in words; None likewise.
        start: Value of the baseline on the axis; None likewise.
        stop: Value of the group on the axis; None likewise.
        whole: Whether the two are the ends of a line that has values between them.
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
    effect: float | None = None
    superiority: float | None = None
    seeds_for_a_point: int | None = None
    axis: str | None = None
    line: str | None = None
    start: float | None = None
    stop: float | None = None
    whole: bool = False

    @property
    def shows_difference(self) -> bool:
        """Whether the verdict is that the group is higher or lower than the baseline."""
        return self.verdict != NOT_SHOWN
