"""Confusion matrices of all groups side by side, on one colour scale."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.style import WIDTH
from convexp.reporting.error_tables import ErrorTable
from convexp.reporting.formatting import truncate
from convexp.terminal.words import plural

COLUMNS, HEAD, FOOT, SIDE, GAP = 2, 0.46, 0.62, 0.34, 0.12  # inches: above, below, left of and between the matrices
MOST_NUMBERS = 12  # classes; of more the cells have no room for a number
NORM = PowerNorm(0.5, 0, 100)  # so that a few mistakes are seen
CAPTION = (
    "Rows are true classes, columns the answers of the network. Numbers are test images, summed over the seeds; colours are "
    "shares of the true class. The diagonal is right."
)


def confusion_chart(tables: Sequence[ErrorTable]) -> Chart:
    """Draw the confusion matrix of each group."""
    columns = min(COLUMNS, len(tables))
    side = (WIDTH - columns * (SIDE + GAP)) / COLUMNS
    rows = -(-len(tables) // columns)
    height = rows * (side + HEAD) + FOOT
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))  # one panel in inches for all matrices: a panel for each would take seconds
    for index, table in enumerate(tables):
        left = SIDE + index % columns * (side + SIDE + GAP)
        top = height - HEAD - index // columns * (side + HEAD)
        _draw(axes, table, left, top, side)
    axes.set(xlim=(0, WIDTH), ylim=(0, height), aspect="auto")
    axes.set_axis_off()
    _draw_colour_bar(figure, height)
    alt_text = f"Confusion matrices of {plural(len(tables), 'configuration')}. {'; '.join(map(_in_words, tables))}."
    return finish_chart("errors_confusion", "errors", "What is taken for what", alt_text, CAPTION, figure)


def _draw(axes: Axes, table: ErrorTable, left: float, top: float, side: float) -> None:
    counts, names = table.counts.confusion, table.counts.classes
    n = len(names)
    cell = side / n
    shares = [[100 * count / max(1, sum(row)) for count in row] for row in counts]
    extent = (left, left + side, top - side, top)
    axes.imshow(shares, norm=NORM, cmap="Blues", extent=extent, interpolation="none")
    axes.text(left, top + 0.27, truncate(table.group.label, 34), fontsize=8)
    size = min(7.0, 40 * cell)
    every = max(1, -(-n // MOST_NUMBERS))
    for i in range(0, n, every):
        name, middle = truncate(names[i], 7), (i + 0.5) * cell
        axes.text(left - 0.05, top - middle, name, ha="right", va="center", fontsize=size)
        axes.text(left + middle, top + 0.05, truncate(names[i], 3 if n > 4 else 8), ha="center", fontsize=size)
    if every > 1:
        return
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            if count:
                colour = "#ffffff" if shares[i][j] > 40 else "#08306b"
                place = (left + (j + 0.5) * cell, top - (i + 0.5) * cell)
                axes.text(*place, f"{count}", ha="center", va="center", fontsize=min(size, 6.5), color=colour)


def _draw_colour_bar(figure: Figure, height: float) -> None:
    bar = figure.add_axes((0.2, 0.4 / height, 0.6, 0.1 / height))
    label = "share of the images of the true class (%)"
    figure.colorbar(ScalarMappable(NORM, "Blues"), cax=bar, orientation="horizontal", label=label, ticks=[0, 1, 5, 25, 50, 100])
    bar.tick_params(labelsize=8)
    bar.xaxis.label.set_fontsize(8)


def _in_words(table: ErrorTable) -> str:
    """How many are wrong, and the mistake that is made most often."""
    counts, names = table.counts.confusion, table.counts.classes
    every = sum(map(sum, counts))
    wrong = {(i, j): count for i, row in enumerate(counts) for j, count in enumerate(row) if count and i != j}
    said = f"{table.group.label} {sum(wrong.values()):,} of {every:,} wrong"
    if not wrong:
        return said
    (i, j), most = max(wrong.items(), key=lambda pair: pair[1])
    return f"{said}, most often {truncate(names[i], 30)} taken for {truncate(names[j], 30)} ({most:,})"
