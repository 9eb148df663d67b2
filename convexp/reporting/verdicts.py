"""What the comparisons show, a line for each metric, for the page, Markdown and the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from convexp.reporting.comparison import NOT_SHOWN, Comparison
from convexp.reporting.findings import points, split_common_words
from convexp.reporting.formatting import format_difference
from convexp.reporting.limits import detection_limit
from convexp.reporting.metrics import metric_title

MAX_NAMED = 4  # comparisons in the line of a metric
MAX_PLACES = 6  # values of other axes in one of them


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
    parts = _relations(shown)
    if len(parts) > MAX_NAMED:
        parts[MAX_NAMED:] = [f"and so on, {len(shown):,} differences in all"]
    if len(shown) < len(comparisons):
        parts.append(f"{NOT_SHOWN} in {len(comparisons) - len(shown):,} of {len(comparisons):,} comparisons")
    return "; ".join(parts)


def _relations(shown: Sequence[Comparison]) -> list[str]:
    """``local is lower than conv (−1.2 points)``; those that differ in further words only are put together."""
    found: dict[tuple[str, str, str], list[tuple[Comparison, str]]] = {}
    for c in shown:
        label, baseline, common = split_common_words(c.label, c.baseline)
        found.setdefault((label, baseline, c.verdict), []).append((c, common))
    return [_relation(*key, members) for key, members in found.items()]


def _relation(label: str, baseline: str, verdict: str, members: Sequence[tuple[Comparison, str]]) -> str:
    compared = sorted((c for c, _ in members), key=lambda c: abs(c.difference or 0.0))
    least, most = compared[0], compared[-1]
    alike = format_difference(least.difference, least.metric) == format_difference(most.difference, most.metric)
    size = points(most) if alike else f"{format_difference(least.difference, least.metric)} to {points(most)}"
    places = [common for _, common in members if common]
    more = f" and {len(places) - MAX_PLACES} more" if len(places) > MAX_PLACES else ""
    at = f" at {_shortened(places[:MAX_PLACES])}{more}" if places else ""
    return f"{label} is {verdict} than {baseline}{at} ({size})"


def _shortened(places: Sequence[str]) -> str:
    """``kernel_size=1, 3, 15``: the setting is named once, where all are values of one."""
    parts = [place.partition("=") for place in places]
    same = len({setting for setting, *_ in parts}) == 1 and all(equal for _, equal, _ in parts)
    return ", ".join([places[0], *(value for *_, value in parts[1:])] if same else places)


def _none_shown(comparisons: Sequence[Comparison]) -> str:
    """``no difference shown to conv (dense +0.8 points, local +0.5 points)``."""
    known = [c for c in comparisons if c.difference is not None]
    baselines = {c.baseline for c in comparisons}
    if len(baselines) > 1 or not 0 < len(known) <= MAX_NAMED:
        return f"{NOT_SHOWN} in {len(comparisons):,} comparisons" if len(comparisons) > 1 else NOT_SHOWN
    return f"{NOT_SHOWN} to {baselines.pop()} ({', '.join(f'{c.label} {points(c)}' for c in known)})"
