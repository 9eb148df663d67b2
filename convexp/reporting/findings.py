"""What one comparison shows, in a sentence for the charts and the page."""

from convexp.reporting.comparison import Comparison
from convexp.reporting.formatting import format_difference, format_interval
from convexp.reporting.metrics import is_percentage


def finding(comparison: Comparison) -> str:
    """Return one sentence about a comparison: ``dense against conv: no difference shown (−0.1, 95 % interval ..., n = 3)``."""
    c = comparison
    numbers = f"{points(c)}, {_interval(c)}, n\u00a0=\u00a0{c.n}"
    label, baseline, common = split_common_words(c.label, c.baseline)
    return f"{label} against {baseline}{f', {common}' if common else ''}: {c.verdict} ({numbers})"


def points(comparison: Comparison) -> str:
    """Return the difference with its unit, where it has one: ``+1.2 points``."""
    unit = " points" if is_percentage(comparison.metric) else ""
    return f"{format_difference(comparison.difference, comparison.metric)}{unit}"


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
