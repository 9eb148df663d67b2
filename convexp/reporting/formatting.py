"""Numbers and settings as text, for tables, charts and sentences."""

import math

from convexp.reporting.metrics import is_percentage, is_proportion
from convexp.reporting.statistics import Mean

MISSING = "—"
SI_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def short_setting(key: str) -> str:
    """Return a setting without its first component: ``shift.train`` for ``data.shift.train``.

    Settings that vary together, separated by a comma and a space, are each shortened.
    """
    return ", ".join(part.partition(".")[2] or part for part in key.split(", "))


def format_number(value: float) -> str:
    """Return a number with four significant digits and thousands separators: ``793,098``, ``0.1234``."""
    if not math.isfinite(value):
        return MISSING
    if value == round(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def format_compact(value: float) -> str:
    """Return a number with three significant digits and a unit prefix, as on an axis: ``10k``, ``1.2M``."""
    for size, prefix in SI_PREFIXES:
        if abs(value) >= size * 0.9995:
            return f"{value / size:.3g}{prefix}"
    return f"{value:.3g}"


def format_mean(value: Mean | None, metric: str) -> str:
    """Return a mean with its 95 % interval.

    Proportions are shown in per cent with the ends of the interval, ``97.5 (96.1–98.4)``; other metrics with half its width,
    ``1.2 ± 0.3``. There is no interval for a single value, and none for equal values, which percentages mark ``(equal)``.
    None becomes an em dash.
    """
    if value is None:
        return MISSING
    text = f"{100 * value.mean:.1f}" if is_percentage(metric) else format_number(value.mean)
    if value.low is None or value.high is None:
        return text
    if value.all_equal:
        return f"{text} (equal)" if is_percentage(metric) else text
    if is_proportion(metric):
        return f"{text} ({100 * value.low:.1f}–{100 * value.high:.1f})"
    half_width = (value.high - value.low) / 2
    return f"{text} ± {100 * half_width:.1f}" if is_percentage(metric) else f"{text} ± {half_width:.2g}"


def format_mean_of_runs(value: Mean | None, metric: str, runs: int) -> str:
    """Return a mean as ``format_mean`` does, followed by its number of values if some of the ``runs`` lack the metric."""
    partial = f" (n = {value.n})" if value is not None and value.n < runs else ""
    return format_mean(value, metric) + partial


def format_difference(value: float | None, metric: str) -> str:
    """Return a difference with its sign, ``+1.2`` or ``−0.3``, in percentage points where the metric is shown in per cent.

    None becomes an em dash.
    """
    if value is None:
        return MISSING
    text = f"{100 * value:+.1f}" if is_percentage(metric) else f"{value:+.3g}"
    return text.replace("-", "−")


def format_effect(value: float | None) -> str:
    """Return a standardised difference with its sign and two decimals, ``−0.62``; an em dash for None."""
    return MISSING if value is None else f"{value:+.2f}".replace("-", "−")


def format_interval(low: float | None, high: float | None, metric: str) -> str:
    """Return the ends of the interval of a difference, ``−1.2 to +0.3``; an em dash if there is none."""
    if low is None or high is None:
        return MISSING
    return f"{format_difference(low, metric)} to {format_difference(high, metric)}"


def format_p(p: float | None) -> str:
    """Return a p-value with three decimals, ``< 0.001`` below that, and an em dash for None."""
    if p is None:
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def truncate(text: str, length: int) -> str:
    """Return the text cut to at most ``length`` characters, with an ellipsis where something was cut off."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
