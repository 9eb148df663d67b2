"""The comparison as a table: on the terminal, as Markdown, as CSV."""

import csv
from pathlib import Path

from rich import box
from rich.table import Table
from rich.text import Text

from convexp.reporting.groups import Group
from convexp.reporting.statistics import Mean

# Column title and metric; all are shares, shown in per cent.
COLUMNS = {
    "test": "test/acc",
    "shift mean": "probe/shift_map/mean",
    "shift worst": "probe/shift_map/worst",
    "consistency": "probe/consistency/all",
}
CAPTION = (
    "test, shift mean, shift worst: accuracy (%) as it is, and over all shifts of the grid; consistency: same answer for two "
    "shifts (%); mean ± half width of the 95 % interval over n seeds"
)


def _shown(groups: list[Group]) -> dict[str, str]:
    return {title: metric for title, metric in COLUMNS.items() if any(g.metric(metric) for g in groups)}


def percent(value: Mean | None) -> str:
    """A share as ``97.5 ± 1.2``; an em dash for nothing."""
    if value is None:
        return "—"
    spread = "" if value.half_width is None else f" ± {100 * value.half_width:.1f}"
    return f"{100 * value.mean:.1f}{spread}"


def rows(groups: list[Group]) -> list[list[str]]:
    """The header and a row per group."""
    columns = _shown(groups)
    body = [[g.label, f"{g.parameters:,}", str(g.n), *(percent(g.metric(m)) for m in columns.values())] for g in groups]
    return [["wiring", "parameters", "n", *columns], *body]


def rich_table(groups: list[Group], title: str) -> Table:
    """For the terminal."""
    header, *body = rows(groups)
    table = Table(
        title=Text(title),
        caption=CAPTION,
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title_style="bold",
        title_justify="left",
        caption_justify="left",
    )
    for index, name in enumerate(header):
        cells = [row[index] for row in (header, *body)]
        if index == 0:  # labels fold between words
            table.add_column(name, min_width=max(len(word) for cell in cells for word in cell.split() or [""]))
        else:  # numbers are never cut
            table.add_column(name, justify="right", min_width=max(map(len, cells)))
    for row in body:
        table.add_row(*map(Text, row))
    return table


def markdown(groups: list[Group]) -> str:
    """A Markdown table with its caption."""
    header, *body = [[cell.replace("|", "\\|") for cell in row] for row in rows(groups)]
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{CAPTION[0].upper()}{CAPTION[1:]}.\n"


def write_csv(groups: list[Group], file: Path) -> None:
    """One row per group, full precision: mean, standard deviation and half width of every metric, every probe's included."""
    columns = list(dict.fromkeys([*_shown(groups).values(), *(m for g in groups for run in g.runs for m in run["metrics"])]))
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["wiring", "parameters", "n", *(f"{m} {part}" for m in columns for part in ("mean", "sd", "ci95"))])
        for g in groups:
            means = [g.metric(m) for m in columns]
            cells = [x for m in means for x in ((m.mean, m.deviation, m.half_width) if m else (None, None, None))]
            writer.writerow([g.label, g.parameters, g.n, *cells])
