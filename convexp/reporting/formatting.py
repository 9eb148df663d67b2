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
    "probe/consistency/control": "consistency by chance, of two images of different classes",
    "cost/parameters": "parameters",
    "cost/flops": "FLOPs",
    "cost/activation_bytes": "bytes of the activations of one image",
    "cost/training_bytes": "bytes in use in training",
}
# The metrics of the tables by the titles of their columns; shares are shown in per cent.
COLUMNS = {
    "test": "test/acc",
    "shift mean": "probe/shift_map/mean",
    "shift worst": "probe/shift_map/worst",
    "consistency": "probe/consistency/all",
    "by chance": "probe/consistency/control",
    "FLOPs": "cost/flops",
    "bytes to train": "cost/training_bytes",
}
ACCURACIES = ("/acc", "/accuracy")
OF_SHARES = ("shift_map", "consistency", "flip_rate", "localisation", "locality_index")  # probes
DIFFERENCES = ("probe/shift_map/drop",)  # of two shares
STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def title(metric: str) -> str:
    """What a metric is called; its own name if it has no other."""
    return TITLES.get(metric, metric)


def is_share(metric: str) -> bool:
    """Whether a metric is a share in 0..1, or a difference of two, to be shown in per cent."""
    _, _, number = metric.partition("probe/")
    if number.startswith("absolute_position/accuracy_"):
        return True
    return metric.endswith(ACCURACIES) or (number.partition("/")[0] in OF_SHARES and not number.endswith("/n"))


def is_bounded(metric: str) -> bool:
    """Whether a metric is a share, which lies in 0..1."""
    return is_share(metric) and metric not in DIFFERENCES


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
    """Mean and 95 % interval: of shares, in per cent, its ends, ``97.5 (96.1–98.4)``, of others half its width, ``1.2 ± 0.3``.

    An em dash for nothing; no interval for one value, and for equal ones, which are said to be so where they are shares.
    """
    if value is None:
        return "—"
    text = f"{100 * value.mean:.1f}" if is_share(metric) else number(value.mean)
    if value.low is None or value.high is None:
        return text
    if value.alike:
        return f"{text} (equal)" if is_share(metric) else text
    if is_bounded(metric):
        return f"{text} ({100 * value.low:.1f}–{100 * value.high:.1f})"
    half_width = (value.high - value.low) / 2
    return f"{text} ± {100 * half_width:.1f}" if is_share(metric) else f"{text} ± {half_width:.2g}"


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
    """``97.5 % interval −1.2 to +0.3``, or that there is none."""
    c = comparison
    if c.low is None or c.high is None:
        return "no interval"
    return f"{100 * c.level:.3g}\u00a0% interval {signed(c.low, c.metric)} to {signed(c.high, c.metric)}"


def shortened(text: str, most: int) -> str:
    """At most so many characters, the end cut off."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def plural(count: int, thing: str) -> str:
    """``1 run``, ``2 runs``, ``1,000 runs``."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
