"""Names of metrics and numbers in words, as the page and the charts write them."""

import math
from typing import TYPE_CHECKING

from convexp.reporting.statistics import Mean

if TYPE_CHECKING:
    from convexp.reporting.comparisons import Comparison

TITLES = {
    "test/acc": "test accuracy",
    "val/acc": "validation accuracy",
    "train/loss": "training loss",
    "probe/shift_map/mean": "mean accuracy under shifts",
    "probe/shift_map/worst": "accuracy at the worst shift",
    "probe/shift_map/centre": "accuracy without shift",
    "probe/consistency/all": "consistency under shifts",
    "cost/parameters": "parameters",
    "cost/flops": "FLOPs",
    "cost/activation_bytes": "bytes of the activations of one image",
    "cost/training_bytes": "bytes in use in training",
}
SHARES = ("/acc", "/accuracy", "/control", "/correct", "/drop", "/cut", "/mean_correct")
STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def title(metric: str) -> str:
    """What a metric is called; its own name if it has no other."""
    return TITLES.get(metric, metric)


def is_share(metric: str) -> bool:
    """Whether a metric is a share in 0..1, to be shown in per cent."""
    share_of_probe = metric.startswith(("probe/shift_map/", "probe/consistency/")) and not metric.endswith("/n")
    return share_of_probe or metric.endswith(SHARES)


def setting(key: str) -> str:
    """A setting as labels write it: ``data.shift.train`` as ``shift.train``; several that move together likewise."""
    return ", ".join(part.partition(".")[2] or part for part in key.split(", "))


def number(value: float) -> str:
    """Four digits, thousands apart: ``793,098``, ``0.1234``."""
    if not math.isfinite(value):
        return "—"
    if value == round(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def compact(value: float) -> str:
    """A number on an axis: ``10k``, ``1.2M``."""
    for size, letter in STEPS:
        if abs(value) >= size * 0.9995:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def spread(value: Mean | None, metric: str) -> str:
    """Mean and half width of the 95 % interval, ``97.5 ± 1.2`` (shares: in per cent); an em dash for nothing."""
    if value is None:
        return "—"
    if is_share(metric):
        half = "" if value.half_width is None else f" ± {100 * value.half_width:.1f}"
        return f"{100 * value.mean:.1f}{half}"
    half = "" if not value.half_width else f" ± {value.half_width:.2g}"
    return number(value.mean) + half


def signed(value: float | None, metric: str) -> str:
    """A difference, ``+1.2`` or ``−0.3`` (shares: percentage points); an em dash for nothing."""
    if value is None:
        return "—"
    text = f"{100 * value:+.1f}" if is_share(metric) else f"{value:+.3g}"
    return text.replace("-", "−")


def finding(comparison: "Comparison") -> str:
    """A comparison in one sentence: ``dense against conv: no difference shown (−0.1, 95 % interval ..., n = 3)``."""
    c = comparison
    unit = " points" if is_share(c.metric) else ""
    numbers = f"{signed(c.difference, c.metric)}{unit}, {interval(c)}, n\u00a0=\u00a0{c.n}"
    one, other, common = apart(c.label, c.baseline)
    return f"{one} against {other}{f', {common}' if common else ''}: {c.verdict} ({numbers})"


def apart(label: str, other: str) -> tuple[str, str, str]:
    """``dense train_size=100`` and ``conv train_size=100`` as ``dense``, ``conv`` and what both have in common."""
    words, others = label.split(), other.split()
    common = [word for word in words if word in others]
    one, two = (" ".join(word for word in each if word not in common) for each in (words, others))
    return (one, two, " ".join(common)) if one and two else (label, other, "")


def interval(comparison: "Comparison") -> str:
    """``95 % interval −1.2 to +0.3``, or that there is none."""
    c = comparison
    if c.low is None or c.high is None:
        return "no interval"
    return f"95\u00a0% interval {signed(c.low, c.metric)} to {signed(c.high, c.metric)}"


def shortened(text: str, most: int) -> str:
    """At most so many characters, the end cut off."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def plural(count: int, thing: str) -> str:
    """``1 run``, ``2 runs``, ``1,000 runs``."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
