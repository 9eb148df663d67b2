"""What the comparisons show, a line for each metric, for the page, Markdown and the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from convexp.reporting.comparison import NOT_SHOWN, Comparison
from convexp.reporting.formatting import format_difference
from convexp.reporting.limits import detection_limit
from convexp.reporting.metrics import is_percentage, metric_title

MAX_NAMED = 4  # comparisons in the line of a metric


@dataclass(frozen=True)
class Verdict:
    """What the comparisons on one metric show.

    Attributes:
        metric: Name of the metric.
        direction: ``higher`` or ``lower`` if that is the verdict of all that show a difference, ``mixed`` if both occur, ``no``
            if none shows a difference.
        text: The verdicts in words, with the differences.
        limit: What the comparisons cannot show; None if that is unknown.
    """

    metric: str
    direction: str
    text: str
    limit: str | None

    def __str__(self) -> str:
        """Return the metric, the verdicts and what cannot be shown in one line."""
        return f"{metric_title(self.metric)}: {'; '.join([self.text, *([self.limit] if self.limit else [])])}"


def by_metric(comparisons: Sequence[Comparison]) -> dict[str, list[Comparison]]:
    """Return the comparisons on each metric."""
    return {metric: [c for c in comparisons if c.metric == metric] for metric in dict.fromkeys(c.metric for c in comparisons)}


def verdicts(comparisons: Sequence[Comparison]) -> list[Verdict]:
    """Return for each metric which groups are higher or lower, and in how many comparisons no difference shows."""
    return [
        Verdict(metric, direction_of(found), _text(found), detection_limit(found))
        for metric, found in by_metric(comparisons).items()
    ]


def direction_of(comparisons: Sequence[Comparison]) -> str:
    """Return the ``direction`` of a verdict on these comparisons."""
    shown = {c.verdict for c in comparisons if c.shows_difference}
    return "no" if not shown else shown.pop() if len(shown) == 1 else "mixed"


def _text(comparisons: Sequence[Comparison]) -> str:
    shown = [c for c in comparisons if c.shows_difference]
    if not shown:
        return _none_shown(comparisons)
    parts = [f"{c.label} is {c.verdict} than {c.baseline} ({_points(c)})" for c in shown[:MAX_NAMED]]
    if len(shown) > MAX_NAMED:
        parts.append(f"and so on, {len(shown):,} differences in all")
    if len(shown) < len(comparisons):
        parts.append(f"{NOT_SHOWN} in {len(comparisons) - len(shown):,} of {len(comparisons):,} comparisons")
    return "; ".join(parts)


def _none_shown(comparisons: Sequence[Comparison]) -> str:
    """``no difference shown to conv (dense +0.8 points, local +0.5 points)``."""
    known = [c for c in comparisons if c.difference is not None]
    baselines = {c.baseline for c in comparisons}
    if len(baselines) > 1 or not 0 < len(known) <= MAX_NAMED:
        return f"{NOT_SHOWN} in {len(comparisons):,} comparisons" if len(comparisons) > 1 else NOT_SHOWN
    return f"{NOT_SHOWN} to {baselines.pop()} ({', '.join(f'{c.label} {_points(c)}' for c in known)})"


def _points(c: Comparison) -> str:
    return f"{format_difference(c.difference, c.metric)}{' points' if is_percentage(c.metric) else ''}"
