"""How far an image can be shifted before its answer changes, and what the answer changes to."""

from collections.abc import Sequence

from matplotlib.ticker import MaxNLocator

from convexp.reporting.charts.chart import Chart, finish_chart
from convexp.reporting.charts.intervals import marker_style
from convexp.reporting.charts.legend import add_legend, entries_for, new_figure
from convexp.reporting.charts.marks import tag
from convexp.reporting.charts.series_style import SeriesStyle
from convexp.reporting.error_tables import ErrorTable, shifted_images
from convexp.reporting.formatting import truncate

CAPTION = (
    "Of {} that are right without a shift: the share whose answer no shift of at most so many pixels, in any direction, "
    "changes. Over all seeds together."
)
OFTEN = " The nearest shift, of several the first from the upper left, changes the answer most often thus: {}."
NAMED = 2  # changes that are named


def changes_chart(tables: Sequence[ErrorTable], styles: Sequence[SeriesStyle]) -> Chart | None:
    """Draw which share of the right answers survives all shifts up to a distance; None if no answer is right."""
    drawn = [(table, kept, style) for table, style in zip(tables, styles, strict=True) if len(kept := table.kept()) > 1]
    if not drawn:
        return None
    entries = entries_for([table.group for table, _, _ in drawn], [style for _, _, style in drawn])
    figure, axes = new_figure(entries)
    for _, kept, style in drawn:
        shares = [100 * share for share in kept]
        tag(axes.plot(shares, color=style.colour, ls=style.line, **marker_style(style)), style.keys)
    axes.set(ylim=(-3, 103), xlabel="shifts of up to this many pixels", ylabel="answers that no shift changes (%)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    add_legend(figure, entries)
    alt_text = "; ".join(
        f"{table.group.label} keeps {100 * kept[1]:.1f} % at 1 pixel and {100 * kept[-1]:.1f} % at {len(kept) - 1}"
        for table, kept, _ in drawn
    )
    changes = "; ".join(said for table, _, _ in drawn if (said := _most_often(table)))
    caption = CAPTION.format(shifted_images([table for table, _, _ in drawn])) + (OFTEN.format(changes) if changes else "")
    return finish_chart("errors_changes", "errors", "What changes a right answer", f"{alt_text}.", caption, figure)


def _most_often(table: ErrorTable) -> str:
    """The changes that happen most often, in words; empty if there are none."""
    names = table.counts.classes
    changes = [(count, i, j) for i, row in enumerate(table.counts.changed_to) for j, count in enumerate(row) if count]
    most = sorted(changes, key=lambda change: (-change[0], change[1:]))[:NAMED]
    said = ", ".join(f"{truncate(names[i], 20)} to {truncate(names[j], 20)} ({count:,})" for count, i, j in most)
    return f"{table.group.label}: {said}" if said else ""
