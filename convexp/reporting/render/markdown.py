"""The report as Markdown (summary.md)."""

import re
from collections.abc import Sequence

from convexp.records.search import SearchRecord
from convexp.reporting.answer import answer
from convexp.reporting.claims import CLAIM_CAPTION, TITLES, ClaimRow
from convexp.reporting.render.rows import (
    COMPARISON_CAPTION,
    COMPARISON_TEXT_COLUMNS,
    EFFECT_CAPTION,
    Rows,
    caption,
    effect_rows,
    group_rows,
    heading,
)
from convexp.reporting.report import Report
from convexp.reporting.search import best_sentence, choice_note, failures, search_rows, search_sentences
from convexp.reporting.step_verdicts import step_lines
from convexp.reporting.verdicts import verdicts

MAX_FAILURES = 20  # trials of a search


def markdown(report: Report) -> str:
    """Return the title, the tables, the verdicts, the unfinished runs and the warnings."""
    parts = [f"# {escape(report.title)}\n", f"{escape(answer(report))}\n"]
    if report.search:
        parts += ["## Search\n", _list(_search_lines(report.search)), markdown_table(search_rows(report.search))]
    for part in report.parts:
        parts += [f"## {escape(part.title)}\n", f"{escape(answer(part))}\n"]
        parts += [f"{escape(part.name)}\n"] if part.name != part.title else []
        parts += [markdown_table(group_rows(part.groups)), _sentence(caption(part.groups))] if part.groups else []
        parts += _comparisons(part, "###")
    if not report.parts:
        parts += [markdown_table(group_rows(report.groups)), _sentence(caption(report.groups))] if report.groups else []
        parts += _comparisons(report, "##")
    if report.claims:
        parts += ["## Claims\n", markdown_table(_claims(report.claims), range(len(TITLES))), _sentence(CLAIM_CAPTION)]
    if report.unfinished:
        lines = [f"{run.path}: {run.state}, {run.reason}" for run in report.unfinished]
        parts += ["## Runs that are not in the table\n", _list(lines)]
    if report.provenance.warnings:
        parts += ["## Warnings\n", _list(report.provenance.warnings)]
    return "\n".join(parts)


def _claims(claims: Sequence[ClaimRow]) -> Rows:
    return [[*TITLES], *([cell.replace("\n", "; ") for cell in claim.cells] for claim in claims)]


def _comparisons(report: Report, level: str) -> list[str]:
    """The comparisons and the verdicts of a report that has no parts, or of one part, below titles of this level."""
    lines: list[str] = []
    if report.comparisons:
        rows = effect_rows(report.comparisons, heading(report.groups))
        lines += [f"{level} Comparisons\n", markdown_table(rows, COMPARISON_TEXT_COLUMNS), _sentence(COMPARISON_CAPTION)]
        lines += [_sentence(EFFECT_CAPTION), _list(list(map(str, verdicts(report.comparisons))))]
    if report.along:
        rows = effect_rows(report.along, heading(report.groups))
        lines += [f"{level} Comparisons along an axis\n", markdown_table(rows, COMPARISON_TEXT_COLUMNS)]
        lines += [_sentence(EFFECT_CAPTION), _list(step_lines(report.along))]
    return lines


def _search_lines(search: SearchRecord) -> list[str]:
    note = choice_note(search)
    return [*search_sentences(search), best_sentence(search), *([note] if note else []), *failures(search, MAX_FAILURES)]


def markdown_table(rows: Rows, text_columns: Sequence[int] = (0,)) -> str:
    """Return a Markdown table in which all columns but the ``text_columns`` are aligned to the right."""
    header, *body = [[escape(cell) for cell in row] for row in rows]
    lines = [header, ["---" if index in text_columns else "---:" for index in range(len(header))], *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def escape(text: str) -> str:
    """Return text that Markdown shows unchanged: without markup, without HTML, and without the end of a cell."""
    text = re.sub(r"([\\`*\[\]|])", r"\\\1", text)
    text = re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _sentence(text: str) -> str:
    return f"{escape(text[0].upper() + text[1:])}.\n"


def _list(lines: list[str]) -> str:
    return "".join(f"- {escape(line)}\n" for line in lines)
