"""Scales and ticks of axes."""

from collections.abc import Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from convexp.reporting.formatting import format_compact


def set_scale(axes: Axes, which: Literal["x", "y"], values: Sequence[float], log: bool) -> None:
    """Set the scale of an axis, with a tick at each value if they are few and far enough apart, else at round numbers.

    Args:
        axes: The panel.
        which: Its axis.
        values: The values drawn along the axis; all above 0 if ``log``.
        log: Whether the scale is logarithmic.
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    distinct = sorted(set(values))
    if log:
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        apart = max(1.6, (distinct[-1] / distinct[0]) ** (1 / 7))  # a seventh of the axis has room for a number
        far_apart = all(b / a > apart for a, b in zip(distinct, distinct[1:], strict=False))
        _set_ticks(axis, distinct if len(distinct) <= 6 and far_apart else round_ticks(distinct[0], distinct[-1]))
    elif len(distinct) <= 7:
        step = (distinct[-1] - distinct[0]) / 12
        if all(b - a >= step for a, b in zip(distinct, distinct[1:], strict=False)):
            _set_ticks(axis, distinct)


def round_ticks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten from ``low`` to ``high``, or over several decades the powers alone.

    Args:
        low: Lower end of the axis, above 0.
        high: Upper end of the axis.
    """
    exponents = range(-15, 19)
    ticks = [m * 10.0**e for e in exponents for m in (1, 2, 5) if low * 0.95 <= m * 10.0**e <= high * 1.05]
    if len(ticks) > 6:
        ticks = [10.0**e for e in exponents if low * 0.95 <= 10.0**e <= high * 1.05]
        ticks = ticks[:: -(-len(ticks) // 6)]
    return ticks if len(ticks) > 1 else [low, high]


def _set_ticks(axis: Axis, values: Sequence[float]) -> None:
    axis.set_major_locator(FixedLocator(list(values)))
    axis.set_major_formatter(FuncFormatter(_tick_text))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def _tick_text(value: float, _: int | None) -> str:
    return format_compact(value)
