"""The front page: question, table and verdicts as text, and the charts of the report as pictures."""

from pathlib import Path
from typing import Any

from convexp.reporting.answer import answer
from convexp.reporting.formatting import format_number
from convexp.reporting.render.markdown import escape, markdown_table
from convexp.reporting.render.rows import caption, group_rows
from convexp.reporting.report import Report
from convexp.reporting.run_pictures import KERNELS, read_png
from convexp.reporting.selection import evenly_spaced
from convexp.reporting.step_verdicts import step_lines
from convexp.reporting.verdicts import verdicts
from convexp.tracking.summaries import picture, text

FIGURES = "figures"
CHARTS = "charts"  # the first part of the tags of the report's charts
# The charts of the report that say most come first, by the beginning of their file names.
FIRST = ("every_seed", "parameters", "difference", "radius", "shift_maps")
MAX_CHARTS = 24
MAX_KERNELS = 12
MAX_ROWS = 100
TABS = """
## Where to look

- **CUSTOM SCALARS**: means over seeds as lines, 95 % intervals as bands. The horizontal axis is the epoch, the distance of the
  shift, a setting of the study or the number of parameters, as the title of a chart says. One seed has no interval, and a line
  without a band; a study's other runs can be ticked at the left.
- **HPARAMS**: a row for each configuration, with the means over its seeds.
- **IMAGES**: the charts of the report, and the pictures of each run.
- **TIME SERIES** and **SCALARS**: the curves of single runs.
"""


def summary_text(report: Report) -> str:
    """Return question, answer, table (means with 95 % intervals, parameters, FLOPs) and verdicts as Markdown."""
    parts = [f"# {escape(report.title)}", escape(answer(report))]
    if report.groups:
        parts += [markdown_table(_rows(report)), f"{escape(caption(report.groups))}."]
        parts += [f"The first {MAX_ROWS} of {len(report.groups):,} rows."] if len(report.groups) > MAX_ROWS else []
    if found := _verdicts(report):
        parts += ["## Verdicts", "".join(f"- {escape(line)}\n" for line in found)]
    if report.unfinished:
        parts.append(f"Runs that are not in the table: {len(report.unfinished):,}.")
    if report.provenance.warnings:
        parts += ["## Warnings", "".join(f"- {escape(warning)}\n" for warning in report.provenance.warnings)]
    return "\n\n".join([*parts, TABS.strip()]) + "\n"


def _verdicts(report: Report) -> list[str]:
    """The verdicts, those of each part by themselves and after its name, as each corrects for its own comparisons."""
    if not report.parts:
        return [*map(str, verdicts(report.comparisons)), *step_lines(report.along)]
    return [
        f"{part.name}: {said}"
        for part in report.parts
        for said in [*map(str, verdicts(part.comparisons)), *step_lines(part.along)]
    ]


def _rows(report: Report) -> list[list[str]]:
    """The rows of the report's table, with the FLOPs of each network behind its parameters."""
    groups = report.groups[:MAX_ROWS]
    header, *body = group_rows(groups)
    if "FLOPs" in header:
        return [header, *body]
    costs = ["FLOPs", *(format_number(group.flops) for group in groups)]
    return [[*row[:2], cost, *row[2:]] for row, cost in zip([header, *body], costs, strict=True)]


def front_page(report: Report, root: Path) -> list[tuple[int, Any]]:
    """Return the summaries of the front page with their steps: the text, the charts in ``figures/``, and the kernels.

    Args:
        report: The report.
        root: Its folder. Charts that have not been drawn there, or that are damaged or too large, are left out.
    """
    pictures = [*_charts(root), *_kernels(report, root)]
    return [(0, text("summary", summary_text(report))), *((0, picture(*made)) for made in pictures)]


def _charts(root: Path) -> list[tuple[str, bytes, int, int]]:
    folder = root / FIGURES
    files = sorted(folder.glob("*.png"), key=_rank) if folder.is_dir() and not folder.is_symlink() else []
    numbered = enumerate(files[:MAX_CHARTS], 1)
    return [(f"{CHARTS}/{n:02} {file.stem.replace('_', ' ')}", *found) for n, file in numbered if (found := read_png(file))]


def _rank(file: Path) -> tuple[int, str]:
    return next((rank for rank, start in enumerate(FIRST) if file.name.startswith(start)), len(FIRST)), file.name


def _kernels(report: Report, root: Path) -> list[tuple[str, bytes, int, int]]:
    """The kernels of the first seed of each configuration."""
    groups = [report.groups[i] for i in evenly_spaced(len(report.groups), MAX_KERNELS)]
    found = [(group, read_png(root / group.runs[0].path / KERNELS)) for group in groups]
    return [(f"kernels of the first stage/{group.label}", *image) for group, image in found if image]
