"""A report as files, and on the terminal."""

from pathlib import Path

from convexp.files.atomic import atomic_write, remove_partials
from convexp.reporting.formatting import plural
from convexp.reporting.origin import digest, made_from
from convexp.reporting.render import csv_tables, table
from convexp.reporting.render.latex import latex
from convexp.reporting.report import Report
from convexp.terminal import console

PAGE = "report.html"
FIGURES = "figures"
AT_MOST = 20  # lines of one kind on the terminal
WORDS = (0, 1, 2, 7)  # columns of the comparisons that hold words


def write(report: Report, root: Path) -> list[Path]:
    """``report.html``, the charts and the tables in ``root``; returns the files, the page first.

    Raises:
        OSError: if a file cannot be written; each is there as it was before, or whole.
    """
    tables = write_tables(report, root)
    page, *charts = _write_page(report, root)
    return [page, *tables, *charts]


def update(report: Report, root: Path) -> None:
    """``write``, but a page that says that it was made from this very report is left as it is, and its charts are.

    Drawing takes seconds. Times of files say nothing of what is newer: clocks differ, and copies have other times.

    Raises:
        OSError: as ``write``.
    """
    write_tables(report, root)
    if made_from(root / PAGE) != digest(report):
        _write_page(report, root)


def _write_page(report: Report, root: Path) -> list[Path]:
    from convexp.reporting.charts import draw_charts, write_charts
    from convexp.reporting.render.html import write_page

    charts = draw_charts(report)
    files = write_charts(report, root, charts)
    with atomic_write(root / PAGE) as partial:  # the last, so that all is there that it stands for
        write_page(report, partial, charts)
    return [root / PAGE, *files]


def write_tables(report: Report, root: Path) -> list[Path]:
    """``summary.md``, ``summary.csv``, ``summary.tex``, ``runs.csv`` and ``comparisons.csv`` in ``root``."""
    remove_partials(root)
    remove_partials(root / FIGURES)
    texts = {
        "summary.md": markdown(report),
        "summary.csv": csv_tables.of_groups(report.groups),
        "summary.tex": latex(table.rows(report.groups), f"{report.title}\n{table.caption(report.groups)}"),
        "runs.csv": csv_tables.of_runs(report.runs),
        "comparisons.csv": csv_tables.of_comparisons(report.comparisons),
    }
    return [_text(root / name, text) for name, text in texts.items()]


def _text(file: Path, text: str) -> Path:
    with atomic_write(file) as partial:
        partial.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    return file


def markdown(report: Report) -> str:
    """Title, tables, verdicts, and what is missing or doubtful."""
    parts = [f"# {table.escaped(report.title)}\n"]
    if report.groups:
        parts += [table.markdown(table.rows(report.groups)), _sentence(table.caption(report.groups))]
    if report.comparisons:
        parts += [
            "## Comparisons\n",
            table.markdown(table.comparison_rows(report.comparisons), WORDS),
            _sentence(table.COMPARED),
        ]
        parts.append(_list(table.verdicts(report.comparisons)))
    if report.unfinished:
        parts += [
            "## Not finished, and not in the table\n",
            _list([f"{r.path}: {r.state}, {r.reason}" for r in report.unfinished]),
        ]
    if report.provenance.warnings:
        parts += ["## Not alike\n", _list(report.provenance.warnings)]
    return "\n".join(parts)


def _sentence(text: str) -> str:
    return f"{table.escaped(text[0].upper() + text[1:])}.\n"


def _list(lines: list[str]) -> str:
    return "".join(f"- {table.escaped(line)}\n" for line in lines)


def show(report: Report) -> None:
    """The tables on the terminal, the verdicts, and every run that is not in them."""
    if report.groups:
        console.out.print(
            table.rich_table(table.rows(report.groups), (0,), report.title, table.caption(report.groups), console.out.width)
        )
    if report.comparisons:
        rows = table.comparison_rows(report.comparisons)
        console.out.print(table.rich_table(rows[: AT_MOST + 1], WORDS, note=table.COMPARED, width=console.out.width))
        _more(len(rows) - 1, "comparison", "comparisons.csv")
    for line in table.verdicts(report.comparisons):
        console.out.print(line, markup=False)
    for run in report.unfinished[:AT_MOST]:
        console.out.print(f"[yellow]{console.escape(run.path)}: {run.state}[/], {console.escape(run.reason)}")
    _more(len(report.unfinished), "unfinished run", "summary.md")
    for warning in report.provenance.warnings[:AT_MOST]:
        console.out.print(f"[yellow]not alike:[/] {console.escape(warning)}")
    _more(len(report.provenance.warnings), "warning", "summary.md")


def _more(count: int, thing: str, file: str) -> None:
    if count > AT_MOST:
        console.out.print(f"and {plural(count - AT_MOST, thing)} more, in {file}", markup=False)
