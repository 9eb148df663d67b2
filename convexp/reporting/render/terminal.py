"""The report on the terminal."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from convexp.records.search import SearchRecord
from convexp.records.settings import printable
from convexp.reporting.answer import answer
from convexp.reporting.render.rows import (
    COMPARISON_CAPTION,
    COMPARISON_TEXT_COLUMNS,
    Rows,
    caption,
    comparison_rows,
    group_rows,
    heading,
)
from convexp.reporting.report import Report
from convexp.reporting.search import best_command, best_sentence, search_rows, search_sentences
from convexp.reporting.step_verdicts import step_lines
from convexp.reporting.verdicts import verdicts
from convexp.terminal import console
from convexp.terminal.words import plural

MAX_LINES = 20  # of each kind
MAX_ROWS = 100  # configurations of a table
MAX_PARTS = 10  # of a report on several studies
COLUMN_GAP = 3  # characters between columns


def print_report(report: Report) -> None:
    """Print the tables, the verdicts, the answer, the runs that are not in the tables, and the warnings."""
    for part in report.parts[:MAX_PARTS]:
        _print_results(part)
        console.out.print()
    _print_rest(len(report.parts), "part", "summary.md", MAX_PARTS)
    if not report.parts:
        _print_results(report)
    for row in report.claims[:MAX_LINES]:
        said = printable(f"{row.claim.paper}: {row.claim.says} {row.verdict}")
        console.out.print(said, markup=False)
    _print_rest(len(report.claims), "claim", "summary.md")
    for run in report.unfinished[:MAX_LINES]:
        console.out.print(f"[yellow]{console.escape(run.path)}: {run.state}[/], {console.escape(run.reason)}")
    _print_rest(len(report.unfinished), "unfinished run", "summary.md")
    for warning in report.provenance.warnings[:MAX_LINES]:
        console.print_warning(warning)
    _print_rest(len(report.provenance.warnings), "warning", "summary.md")


def _print_results(report: Report) -> None:
    width = console.out.width
    if report.search:
        _print_search(report.search, report.title, width)
    elif report.groups:
        rows = group_rows(report.groups)
        console.out.print(rich_table(rows[: MAX_ROWS + 1], (0,), report.title, caption(report.groups), width))
        _print_rest(len(rows) - 1, "configuration", "summary.csv", MAX_ROWS)
    if report.comparisons:
        rows = comparison_rows(report.comparisons, heading(report.groups))
        table = rich_table(rows[: MAX_LINES + 1], COMPARISON_TEXT_COLUMNS, caption=COMPARISON_CAPTION, width=width)
        console.out.print(table)
        _print_rest(len(rows) - 1, "comparison", "comparisons.csv")
    for line in [*map(str, verdicts(report.comparisons)), *step_lines(report.along)]:
        console.out.print(line, markup=False)
    if report.groups and not report.search:
        console.out.print(answer(report), markup=False, style="bold")


def _print_search(search: SearchRecord, title: str, width: int) -> None:
    """Print the best trials instead of all, and the command that repeats the best."""
    rows = search_rows(search)
    if len(rows) > 1:
        console.out.print(rich_table(rows, (0,), title, f"the best of {plural(len(search.complete), 'trial')}", width))
    for line in (*search_sentences(search), best_sentence(search)):
        console.out.print(line, markup=False)
    if command := best_command(search):
        console.out.print(f"to repeat the best: {command}", markup=False)


def _print_rest(count: int, noun: str, file: str, most: int = MAX_LINES) -> None:
    if count > most:
        console.out.print(f"and {plural(count - most, noun)} more, in {file}", markup=False)


def rich_table(
    rows: Rows,
    text_columns: Sequence[int] = (0,),
    title: str | None = None,
    caption: str | None = None,
    width: int = 10_000,
) -> Table:
    """Return a table for a terminal that is ``width`` characters wide.

    Text columns are wrapped between words. All others hold numbers, which are never cut: if the table is too wide, the part of
    a cell that is in brackets moves to a second line.
    """
    if sum(max(map(len, column)) + COLUMN_GAP for column in zip(*rows, strict=True)) > width:
        rows = [[cell if i in text_columns else cell.replace(" (", "\n(") for i, cell in enumerate(row)] for row in rows]
    header, *body = rows
    table = Table(title=title and Text(title), caption=caption, box=box.SIMPLE_HEAD, pad_edge=False, title_style="bold")
    table.title_justify = table.caption_justify = "left"
    for index, name in enumerate(header):
        cells = [row[index] for row in rows]
        if index in text_columns:
            table.add_column(name, min_width=max(len(word) for cell in cells for word in cell.split() or [""]))
        else:
            table.add_column(name, justify="right", min_width=max(len(line) for cell in cells for line in cell.split("\n")))
    for row in body:
        table.add_row(*map(Text, row))
    return table
