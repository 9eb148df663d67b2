"""What the page says of each part of a report on several sweeps, studies or data sets."""

from dataclasses import replace
from typing import Any

from convexp.reporting.answer import answer
from convexp.reporting.answer.conditions import image_count
from convexp.reporting.charts.colours import page_colour
from convexp.reporting.charts.draw import part_section
from convexp.reporting.charts.series_style import series_styles
from convexp.reporting.render.html.first_screen import all_verdicts
from convexp.reporting.render.html.table import Table
from convexp.reporting.render.html.tables import comparisons_table, groups_table
from convexp.reporting.report import Report
from convexp.terminal.words import plural

MAX_PARTS = 200
MAX_OPEN = 6  # parts of a report that are not folded
MAX_VERDICTS = 12  # of one part


def parts_content(report: Report) -> dict[str, Any]:
    """Return the parts, and how many are left out; for a report that has none, no parts."""
    shown = report.parts[:MAX_PARTS]
    return {
        "parts": [_part(index, part) for index, part in enumerate(shown)],
        "parts_left_out": len(report.parts) - len(shown),
        "max_open": MAX_OPEN,
    }


def _part(index: int, part: Report) -> dict[str, Any]:
    colours = [page_colour(style.colour) for style in series_styles(part.groups)]
    compared = [comparisons_table(part.comparisons)] if part.comparisons else []
    compared += [comparisons_table(part.along, "along-table")] if part.along else []
    images = image_count(part.groups)
    return {
        "id": part_section(index),
        "title": part.title,
        "name": part.name,
        "answer": answer(part),
        "finished": sum(g.n for g in part.groups),
        "configurations": len(part.groups),
        "images": plural(images, "test image") if images else None,
        "lost": len(part.unfinished),
        "verdicts": all_verdicts(part)[:MAX_VERDICTS],
        "results": _numbered(index, groups_table(part.groups, colours)) if part.groups else None,
        "compared": [_numbered(index, table) for table in compared],
    }


def _numbered(index: int, table: Table) -> Table:
    """The table with an id that no other part has."""
    return replace(table, name=f"{part_section(index)}-{table.name}")
