"""Accuracy of each class, as it is and under shifts, of all groups."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.intervals import marker_style
from convexp.reporting.charts.legend import add_legend, entries_for, new_figure
from convexp.reporting.charts.marks import tag
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.charts.style import WIDTH
from convexp.reporting.error_tables import ErrorTable, shifted_images
from convexp.reporting.formatting import truncate
from convexp.reporting.selection import evenly_spaced, omission_note

NARROWEST = 10  # points; an axis that is less wide would make little of the differences look large
MAX_CLASSES = 10  # maps beside each other
TILE, HEAD, FOOT, TOP = 0.45, 0.26, 0.62, 0.1  # inches: a map, above a row of maps, below all, above all


def recall_chart(tables: Sequence[ErrorTable], styles: Sequence[SeriesStyle]) -> Chart | None:
    """Draw the accuracy of each class, a row for each and a marker for each group; None if the groups have other classes."""
    names = tables[0].counts.classes
    if any(table.counts.classes != names for table in tables):
        return None
    entries = entries_for([table.group for table in tables], styles)
    figure, axes = new_figure(entries, 0.7 + 0.23 * len(names))
    values = [[math.nan if share is None else 100 * share for share in table.recall()] for table in tables]
    for rank, (shares, style) in enumerate(zip(values, styles, strict=True)):
        shift = 0.5 * (rank / max(1, len(tables) - 1) - 0.5) if len(tables) > 1 else 0  # beside each other
        rows = [row + shift for row in range(len(names))]
        tag(axes.plot(shares, rows, ls="", color=style.colour, **marker_style(style)), style.keys)
    found = [share for shares in values for share in shares if not math.isnan(share)]
    low = min([*found, 100 - NARROWEST]) - 1
    axes.set(xlim=(max(-1.5, low), 101.5), ylim=(len(names) - 0.4, -0.6), xlabel="test accuracy (%)", ylabel="true class")
    axes.set_yticks(range(len(names)), [truncate(name, 16) for name in names])
    add_legend(figure, entries, lines=False)
    worst = "; ".join(
        f"{table.group.label} lowest for {truncate(names[i], 30)}, {shares[i]:.1f} %"
        for table, shares in zip(tables, values, strict=True)
        if (i := _lowest(shares)) is not None
    )
    caption = "Share of the test images of each class that are classified correctly, over all seeds together."
    return finish_chart("errors_recall", "errors", "Accuracy of each class", f"Accuracy by class: {worst}.", caption, figure)


def _lowest(shares: Sequence[float]) -> int | None:
    known = [i for i, share in enumerate(shares) if not math.isnan(share)]
    return min(known, key=lambda i: shares[i]) if known else None


def class_shifts_chart(tables: Sequence[ErrorTable]) -> Chart | None:
    """Draw the accuracy of each class at every shift, a row of maps for each group; None if there is nothing to draw."""
    drawn = [table for table in tables if table.counts.right_by_shift]
    if not drawn:
        return None
    most = max(len(table.counts.classes) for table in drawn)
    height = TOP + len(drawn) * (TILE + 2 * HEAD) + FOOT
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    for index, table in enumerate(drawn):
        _draw_row(axes, table, height - TOP - 2 * HEAD - index * (TILE + 2 * HEAD))
    axes.set(xlim=(0, WIDTH), ylim=(0, height), aspect="auto")
    axes.set_axis_off()
    bar = figure.add_axes((0.2, 0.4 / height, 0.6, 0.1 / height))
    scale = ScalarMappable(Normalize(0, 100), "viridis")
    figure.colorbar(scale, cax=bar, orientation="horizontal", label="test accuracy (%)")
    bar.tick_params(labelsize=8)
    bar.xaxis.label.set_fontsize(8)
    reach = " or ".join(str(r) for r in sorted({len(table.counts.right_by_shift[0][0]) // 2 for table in drawn}))
    flat = all(len(rows) == 1 for table in drawn for rows in table.counts.right_by_shift)
    down = "" if flat else "shifts down are below it, "
    caption = (
        "A map for each class, with its name and the mean over the map in per cent above it: accuracy on "
        f"{shifted_images(drawn)} at every shift of up to {reach} pixel{'' if reach == '1' else 's'}, over all seeds together. "
        "The middle is no shift, "
        f"{down}and shifts to the right on its right. All maps share one scale."
        + omission_note(range(min(most, MAX_CLASSES)), range(most), "classes")
    )
    alt_text = f"Accuracy by class and shift. {'; '.join(map(_in_words, drawn))}."
    return finish_chart("errors_class_shifts", "errors", "Which shifts break which class", alt_text, caption, figure)


def _maps(table: ErrorTable) -> list[tuple[str, list[list[float]], float]]:
    """Name, map in per cent and its mean, of each class that has shifted images."""
    counts, found = table.counts, list[tuple[str, list[list[float]], float]]()
    for name, right, n in zip(counts.classes, counts.right_by_shift, counts.shifted, strict=True):
        if n:
            shares = [[100 * count / n for count in row] for row in right]
            found.append((name, shares, sum(map(sum, shares)) / sum(map(len, shares))))
    return found


def _draw_row(axes: Axes, table: ErrorTable, top: float) -> None:
    """Draw the maps of a group below its name."""
    maps = _maps(table)
    axes.text(0.06, top + HEAD + 0.04, truncate(table.group.label, 70), fontsize=8)
    step = (WIDTH - 0.08) / MAX_CLASSES
    for index, (name, shares, mean) in enumerate(maps[i] for i in evenly_spaced(len(maps), MAX_CLASSES)):
        left = 0.06 + index * step
        extent = (left, left + TILE, top - TILE, top)
        axes.imshow(shares, vmin=0, vmax=100, cmap="viridis", extent=extent, interpolation="none")
        text = f"{truncate(name, 5)}: {mean:.0f}"
        axes.text(left + TILE / 2, top + 0.05, text, fontsize=7, ha="center", alpha=0.75)


def _in_words(table: ErrorTable) -> str:
    means = {name: mean for name, _, mean in _maps(table)}
    if not means:
        return f"{table.group.label}: no shifted images"
    low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    return (
        f"{table.group.label} mean over the map lowest for {truncate(low, 30)}, {means[low]:.1f} %, and highest for "
        f"{truncate(high, 30)}, {means[high]:.1f} %"
    )
