"""The level of chance: the accuracy of a network that guesses."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from convexp.pictures.limits import percent_limits
from convexp.records.settings import lookup
from convexp.reporting.charts.style import INK
from convexp.reporting.groups import Group

ACCURACIES = ("test/acc", "val/acc", "probe/shift_map/mean", "probe/shift_map/worst", "probe/shift_map/centre")
CAPTION = " Dotted: the level of chance, 1 / classes."
SHOWN_BELOW = 0.1  # how far below the values the level is drawn at most, where an axis does not begin at 0
DOTS = (0, (1, 2.2))


def chance_level(groups: Sequence[Group], metric: str) -> float | None:
    """Return 1 / classes; None for a metric that is no accuracy, and for groups of different or unknown numbers of classes."""
    counts = {_classes(group) for group in groups}
    count = counts.pop() if len(counts) == 1 else None
    return 1 / count if count and metric in ACCURACIES else None


def _classes(group: Group) -> int | None:
    found = lookup(group.runs[0].config, "data.classes") if group.runs else None
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 1 else None


def limit_accuracies(
    axes: Axes, groups: Sequence[Group], metric: str, values: Sequence[float], ends: Sequence[float] = ()
) -> None:
    """Set the limits of a vertical axis in per cent, with the level of chance where the values come near it.

    Args:
        axes: The panel.
        groups: The groups that are drawn.
        metric: The metric, in per cent.
        values: What is drawn, as proportions.
        ends: What is drawn and says nothing about how near chance is, such as ends of intervals.
    """
    level = chance_level(groups, metric)
    near = [level] if level is not None and min(values) - level < SHOWN_BELOW else []
    draw_chance(axes, level if near else None)
    axes.set_ylim(percent_limits([*values, *ends, *near]))


def draw_chance(axes: Axes, level: float | None, along: str = "y", label: str = "right") -> None:
    """Draw the level as a dotted line across a panel in per cent, with its value in words.

    Args:
        axes: The panel.
        level: The level as a proportion; None for no line.
        along: The axis that has the accuracies, ``x`` or ``y``.
        label: Side on which the line is labelled, ``left`` or ``right``; empty for no label. A vertical line is labelled above.
    """
    if level is None:
        return
    line = axes.axhline if along == "y" else axes.axvline
    line(100 * level, color=INK, lw=1.1, ls=DOTS, alpha=0.75, zorder=1)
    if not label:
        return
    across = along == "y"
    words = axes.text(
        (label == "right") if across else 100 * level,
        100 * level if across else 1,
        f" chance {100 * level:.3g} %",
        fontsize=8,
        ha=label if across else "left",
        va="bottom" if across else "top",
        transform=axes.get_yaxis_transform() if across else axes.get_xaxis_transform(),
    )
    words.set_in_layout(False)
