"""The page as text, from its template, its style sheet and its script."""

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convexp import __version__
from convexp.config.command_line.of_sweep import sweep_command
from convexp.pictures.page_style import page_style
from convexp.reporting.answer import answer
from convexp.reporting.answer.conditions import image_count
from convexp.reporting.charts import Chart, draw_charts
from convexp.reporting.charts.colours import page_colour, page_variables
from convexp.reporting.charts.series_style import series_styles
from convexp.reporting.origin import META_NAME, digest
from convexp.reporting.playground import choose_networks, could_have
from convexp.reporting.render.html.first_screen import all_verdicts, first_verdicts
from convexp.reporting.render.html.kernels import LAYOUT, kernel_pictures, mistake_pictures
from convexp.reporting.render.html.parts import parts_content
from convexp.reporting.render.html.playground import Section, playground_html
from convexp.reporting.render.html.search import search_content
from convexp.reporting.render.html.tables import claims_table, comparisons_table, groups_table, metrics_table
from convexp.reporting.report import Report
from convexp.terminal.words import plural

HERE = Path(__file__).parent
MAX_BYTES = 6_000_000  # of a page with networks to play with; without them it is as large as it is
OVERHEAD = 90_000  # of the playground's elements, styles and script
SCRIPTS = ("page.js", "charts.js")  # joined to the one script of a page
STYLES = ("page.css", "charts.css")
MAX_PATHS = 3  # runs named beside a value
MAX_LIMITS = 3  # verdicts on the first screen that have room for what cannot be shown
FIGURE_SECTIONS = ("accuracy", "axes", "shifts", "training")  # of charts, in the section of figures
METHODS = {
    "bootstrap-t": "Bootstrap-t over resamples of the paired differences",
    "Student's t": "Student's t, because there are too few paired differences for resampling",
    "sign test": "Sign test without an interval, because too many of the paired differences are equal",
}


def write_page(report: Report, file: Path, charts: list[Chart] | None = None) -> None:
    """Write the page of a report.

    Args:
        report: The report. Its texts are not trusted: they are escaped, and no script but the page's own runs.
        file: The HTML file, which is replaced if it exists.
        charts: Charts of this report, if they have been drawn already.
    """
    file.write_text(render(report, draw_charts(report) if charts is None else charts), encoding="utf-8", errors="replace")


def render(report: Report, charts: list[Chart]) -> str:
    """Return the page as text. The same report gives the same text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.get_template("page.html.j2")
    content = _content(report) | {
        "plural": plural,
        "figure_sections": FIGURE_SECTIONS,
        "has_figures": any(chart.section in FIGURE_SECTIONS for chart in charts),
        "charts": {s: [(c, Markup(c.inline())) for c in charts if c.section == s] for s in {c.section for c in charts}},
    }
    page = template.render(content | _own_parts(None))
    if report.parts:  # a report on one of them alone has its networks
        return page
    chosen = choose_networks(report.groups, report.root, MAX_BYTES - len(page.encode(errors="replace")) - OVERHEAD)
    return template.render(content | _own_parts(playground_html(chosen.networks, chosen.left_out))) if chosen else page


def _own_parts(playground: Section | None) -> dict[str, Any]:
    """The style sheet and the one script that may run, with those of the playground, if there is one."""
    from markupsafe import Markup

    script, css = _joined(SCRIPTS), page_style() + _joined(STYLES) + page_variables()
    if playground:
        script, css = script + playground.script, css + playground.css
    script_hash = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return {"css": Markup(css), "js": Markup(script), "script_hash": script_hash, "playground": playground}


def _joined(names: Sequence[str]) -> str:
    return "".join((HERE / name).read_text(encoding="utf-8") for name in names)


def _content(report: Report) -> dict[str, Any]:
    groups, one = report.groups, not report.parts
    said = all_verdicts(report) if one else []
    colours = [page_colour(style.colour) for style in series_styles(groups)] if one else []
    pictures, pictures_left_out = kernel_pictures(groups, report.root) if one else ([], 0)
    mistakes, mistakes_left_out = mistake_pictures(groups, report.root) if one else ([], 0)
    return {
        "version": __version__,
        "digest_name": META_NAME,
        "digest": digest(report),
        "report": report,
        "finished": sum(g.n for g in groups),
        "states": Counter(run.state for run in report.unfinished),
        "seeds": sorted({run.seed for g in groups for run in g.runs if run.seed is not None}),
        "answer": answer(report),
        "verdicts": said,
        "first_verdicts": first_verdicts(said),
        "images": plural(images, "test image") if (images := image_count(groups)) else None,
        "search": search_content(report.search) if report.search else None,
        **parts_content(report),
        "parts_have_networks": any(could_have(part.groups, part.root) for part in report.parts),
        "results": groups_table(groups, colours) if one and groups else None,
        "metrics": metrics_table(groups, colours) if one and groups else None,
        "compared": comparisons_table(report.comparisons) if one and report.comparisons else None,
        "along": comparisons_table(report.along, "along-table") if one and report.along else None,
        "claims": claims_table(report.claims) if report.claims else None,
        "methods": [METHODS.get(m, m) for m in dict.fromkeys(c.method for c in (*report.comparisons, *report.along))],
        "kernels": pictures,
        "kernels_layout": LAYOUT,
        "kernels_left_out": pictures_left_out,
        "mistakes": mistakes,
        "mistakes_left_out": mistakes_left_out,
        "error_notes": report.errors[1] if one else [],
        "command": _resume_command(report),
        "max_paths": MAX_PATHS,
        "max_limits": MAX_LIMITS,
    }


def _resume_command(report: Report) -> str | None:
    """The command that resumes the study in the folder of the report, even if that has been moved since the study started."""
    if report.plan is None or not report.plan.command:
        return None
    return sweep_command(report.plan.command, report.root.resolve())
