"""What comparisons show, in sentences for the page, the charts, Markdown and the terminal."""

from collections.abc import Sequence

from convexp.reporting.compare import Comparison
from convexp.reporting.formatting import format_difference, format_interval
from convexp.reporting.metrics import COLUMNS, is_percentage, metric_title
from convexp.reporting.paired import MIN_PAIRS, smallest_p
from convexp.reporting.statistics import ALPHA

MAX_NAMED = 4  # differences in the sentence about a metric


def by_metric(comparisons: Sequence[Comparison]) -> dict[str, list[Comparison]]:
    """Return the comparisons on each metric."""
    return {metric: [c for c in comparisons if c.metric == metric] for metric in dict.fromkeys(c.metric for c in comparisons)}


def main_comparisons(comparisons: Sequence[Comparison], count: int) -> list[Comparison]:
    """Return the first ``count`` comparisons, those that show a difference first, and then in the order of the tables."""
    order = {metric: index for index, metric in enumerate(COLUMNS.values())}
    return sorted(comparisons, key=lambda c: (not c.shows_difference, order.get(c.metric, len(order))))[:count]


def finding(comparison: Comparison) -> str:
    """Return one sentence about a comparison: ``dense against conv: no difference shown (−0.1, 95 % interval ..., n = 3)``."""
    c = comparison
    unit = " points" if is_percentage(c.metric) else ""
    numbers = f"{format_difference(c.difference, c.metric)}{unit}, {_interval(c)}, n\u00a0=\u00a0{c.n}"
    label, baseline, common = split_common_words(c.label, c.baseline)
    return f"{label} against {baseline}{f', {common}' if common else ''}: {c.verdict} ({numbers})"


def split_common_words(label: str, other: str) -> tuple[str, str, str]:
    """Return both labels without the words they share, and these words.

    ``dense train_size=100`` and ``conv train_size=100`` become ``dense``, ``conv`` and ``train_size=100``. Labels of which
    nothing would be left stay whole.
    """
    words, other_words = label.split(), other.split()
    common = [word for word in words if word in other_words]
    one, two = (" ".join(word for word in each if word not in common) for each in (words, other_words))
    return (one, two, " ".join(common)) if one and two else (label, other, "")


def _interval(c: Comparison) -> str:
    if c.low is None or c.high is None:
        return "no interval"
    return f"{100 * c.level:.3g}\u00a0% interval {format_interval(c.low, c.high, c.metric)}"


def verdicts(comparisons: Sequence[Comparison]) -> list[str]:
    """Return a sentence for each metric: which groups are higher or lower, and in how many comparisons no difference shows."""
    return [_verdict(metric, found) for metric, found in by_metric(comparisons).items()]


def _verdict(metric: str, comparisons: Sequence[Comparison]) -> str:
    parts = [f"{c.label} is {c.verdict} than {c.baseline}" for c in comparisons if c.shows_difference]
    without = len(comparisons) - len(parts)
    if len(parts) > MAX_NAMED:
        parts[MAX_NAMED:] = [f"and so on, {len(parts)} differences in all"]
    if without:
        parts.append(f"no difference shown in {without} of {len(comparisons)} comparisons" if parts else "no difference shown")
    if limit := detection_limit(comparisons):
        parts.append(limit)
    return f"{metric_title(metric)}: {'; '.join(parts)}"


def detection_limit(comparisons: Sequence[Comparison]) -> str | None:
    """Return what the comparisons on one metric cannot show, for too few seeds or too large a deviation; None if unknown."""
    return too_few_seeds(comparisons) or detectable_differences(comparisons)


def too_few_seeds(comparisons: Sequence[Comparison]) -> str | None:
    """Return a sentence if the comparisons on one metric cannot show any difference because they have too few seeds."""
    seeds = [c.n for c in comparisons if c.p is not None]
    if comparisons and not seeds:
        return f"fewer than {MIN_PAIRS} seeds in common are too few for a verdict; run {MIN_PAIRS} or more"
    smallest = len(seeds) * min(map(smallest_p, seeds), default=0.0)
    if smallest < ALPHA:
        return None
    enough = next((n for n in range(max(seeds) + 1, max(seeds) + 4) if len(seeds) * smallest_p(n) < ALPHA), None)
    advice = f"run {enough} seeds or make fewer comparisons" if enough else "make fewer comparisons"
    return (
        f"{max(seeds)} seeds are too few to show a difference in {len(seeds)} comparisons, because the smallest possible p "
        f"after the correction is {min(1.0, smallest):.2g}; {advice}"
    )


def detectable_differences(comparisons: Sequence[Comparison]) -> str | None:
    """Return a sentence on how large a difference would have to be where none is shown on one metric; None if unknown."""
    sizes = [c.detectable for c in comparisons if not c.shows_difference and c.detectable is not None]
    if not sizes:
        return None
    low, high = (format_difference(size, comparisons[0].metric).lstrip("+") for size in (min(sizes), max(sizes)))
    unit = " points" if is_percentage(comparisons[0].metric) else ""
    smallest = low if low == high else f"{low} to {high}"
    seeds = max(c.n for c in comparisons)
    return f"with the observed variation between {seeds} seeds, only differences of at least {smallest}{unit} can be shown"
