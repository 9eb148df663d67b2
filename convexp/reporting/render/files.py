"""The files of a report: the page, the charts and the tables."""

from pathlib import Path

from convexp.files.atomic import atomic_write, remove_partials
from convexp.reporting.origin import digest, recorded_digest
from convexp.reporting.render import csv_tables
from convexp.reporting.render.latex import latex
from convexp.reporting.render.markdown import markdown
from convexp.reporting.render.rows import caption, group_rows
from convexp.reporting.report import Report

PAGE = "report.html"
FIGURES = "figures"


def write_report(report: Report, root: Path) -> list[Path]:
    """Write the page, the charts and the tables into ``root`` and return the files, the page first.

    Raises:
        OSError: If a file cannot be written. Each file is then either complete or as it was before.
    """
    tables = write_tables(report, root)
    page, *charts = _write_page(report, root)
    return [page, *tables, *charts]


def update_report(report: Report, root: Path) -> None:
    """Write the report as ``write_report`` does, but keep the page and the charts if they were made from the same report.

    Drawing takes seconds. The digest in the page decides, and not the times of files, because clocks differ between machines
    and copies of a folder have other times.

    Raises:
        OSError: If a file cannot be written.
    """
    write_tables(report, root)
    if recorded_digest(root / PAGE) != digest(report):
        _write_page(report, root)


def _write_page(report: Report, root: Path) -> list[Path]:
    from convexp.reporting.charts import draw_charts, write_charts
    from convexp.reporting.render.html import write_page

    charts = draw_charts(report)
    files = write_charts(report, root, charts)
    with atomic_write(root / PAGE) as partial:  # last, because its digest says that everything else is there
        write_page(report, partial, charts)
    return [root / PAGE, *files]


def write_tables(report: Report, root: Path) -> list[Path]:
    """Write ``summary.md``, ``summary.csv``, ``summary.tex``, ``runs.csv`` and ``comparisons.csv`` into ``root``.

    Those of a search have ``trials.csv`` besides.
    """
    remove_partials(root)
    remove_partials(root / FIGURES)
    texts = {
        "summary.md": markdown(report),
        "summary.csv": csv_tables.groups_csv(report.groups, [part.name for part in report.parts for _ in part.groups]),
        "summary.tex": latex(group_rows(report.groups), f"{report.title}\n{caption(report.groups)}"),
        "runs.csv": csv_tables.runs_csv(report.runs),
        "comparisons.csv": csv_tables.comparisons_csv([*report.comparisons, *report.along]),
    }
    if report.search:
        texts["trials.csv"] = csv_tables.trials_csv(report.search)
    return [_write_text(root / name, text) for name, text in texts.items()]


def _write_text(file: Path, text: str) -> Path:
    with atomic_write(file) as partial:
        partial.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    return file
