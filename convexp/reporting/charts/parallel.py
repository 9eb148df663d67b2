"""Parallel coordinates: a line for each trial of a search through its value of every setting."""

from collections.abc import Sequence
from math import log
from typing import Any

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from convexp.records.numbers import is_moderate
from convexp.records.search import SearchedSetting, SearchRecord
from convexp.records.settings import display_value
from convexp.records.values import place_of
from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.colours import ranked_colours
from convexp.reporting.charts.legend import new_figure
from convexp.reporting.charts.style import INK
from convexp.reporting.formatting import format_compact, short_setting, truncate
from convexp.reporting.metrics import is_percentage, metric_title
from convexp.reporting.selection import evenly_spaced
from convexp.terminal.words import plural

MAX_LINES, MAX_SETTINGS, MAX_CHOICES = 300, 6, 8
GAP = 0.04  # between the ends of an axis and its labels


def parallel_chart(search: SearchRecord, section: str) -> Chart | None:
    """Draw the trials that have a value; None for fewer than two. The most important settings are shown if there are many."""
    if len(search.complete) < 2:
        return None
    keys = sorted(search.space, key=lambda key: -search.importance.get(key, 0.0))[:MAX_SETTINGS]
    ranked = search.ranked
    drawn = [ranked[k] for k in reversed(evenly_spaced(len(ranked), MAX_LINES))]  # the best on top
    factor = 100 if is_percentage(search.metric) else 1
    values = [factor * (trial.value or 0.0) for trial in drawn]
    scale = Normalize(min(values), max(values))
    colours = ranked_colours(best_last=search.direction == "maximize")
    figure, axes = new_figure()
    for trial, value in zip(drawn, values, strict=True):
        heights = [position(search.space[key], trial.params.get(key)) for key in keys]
        best = trial is ranked[0]
        axes.plot(
            range(len(keys)), heights, color=colours(float(scale(value))), lw=2.4 if best else 1, alpha=1 if best else 0.7
        )
    _draw_axes(axes, search, keys)
    title = metric_title(search.metric)
    figure.colorbar(
        ScalarMappable(scale, colours), ax=axes, label=f"{title}{' (%)' if factor == 100 else ''}", fraction=0.05, pad=0.06
    )
    omitted = f" Drawn: {len(drawn):,} of {plural(len(ranked), 'trial')}." if len(drawn) < len(ranked) else ""
    omitted += f" Shown: {len(keys)} of {len(search.space)} settings." if len(keys) < len(search.space) else ""
    alt_text = f"A line for each of {plural(len(drawn), 'trial')} through its values of {', '.join(keys)}."
    caption = f"A line for each trial, coloured by its value; the best one is wide.{omitted}"
    return finish_chart("search parallel", section, "Trials in parallel coordinates", alt_text, caption, figure)


def position(space: SearchedSetting, value: Any) -> float:
    """Return where a value lies between the ends of its axis, from 0 to 1; NaN for one that is not in the space."""
    if (choices := space.choices) is not None:
        place = place_of(value, choices)
        return float("nan") if place is None else place / max(len(choices) - 1, 1)
    low, high = space.low, space.high
    if not (is_moderate(low) and is_moderate(high) and is_moderate(value)) or low == high:
        return 0.5
    if space.log and min(low, high, value) > 0:
        low, high, value = log(low), log(high), log(value)
    return (value - low) / (high - low)


def _draw_axes(axes: Axes, search: SearchRecord, keys: Sequence[str]) -> None:
    axes.set_axis_off()
    axes.set(xlim=(-0.4, max(len(keys) - 0.6, 0.4)), ylim=(-0.2, 1.2))
    for x, key in enumerate(keys):
        axes.plot([x, x], [0, 1], color=INK, lw=0.8, alpha=0.5, zorder=1)
        axes.text(x, 1.14, truncate(short_setting(key), 72 // len(keys)), ha="center", fontsize=9)
        for height, text in _labels(search.space[key]):
            inside = 0 < height < 1
            place = (x + 0.03, height) if inside else (x, -GAP if height <= 0 else 1 + GAP)
            side = "left" if inside else "center"
            axes.text(*place, text, ha=side, va="center" if inside else "top" if height <= 0 else "bottom", fontsize=8)


def _labels(space: SearchedSetting) -> list[tuple[float, str]]:
    """The labels of an axis, each with its height: all choices if they are few, else the ends."""
    if (choices := space.choices) is None:
        return [(0, _number(space.low)), (1, _number(space.high))]
    shown = choices if len(choices) <= MAX_CHOICES else [choices[0], choices[-1]]
    return [(position(space, choice), truncate(display_value(choice), 14)) for choice in shown]


def _number(value: Any) -> str:
    return format_compact(value) if is_moderate(value) else display_value(value)
