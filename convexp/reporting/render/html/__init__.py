"""report.html: one file that shows a whole report, and asks the network for nothing."""

import base64
import hashlib
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convexp import __version__
from convexp.config.spelling import typed
from convexp.reporting.charts import Chart, draw_charts
from convexp.reporting.charts.series_style import looks
from convexp.reporting.comparisons import NOT_SHOWN, Comparison, by_metric, could_show, too_few
from convexp.reporting.formatting import plural, spread, title
from convexp.reporting.origin import ORIGIN, digest
from convexp.reporting.render.html.kernels import KIND, kernels
from convexp.reporting.render.html.tables import comparisons_table, groups_table, metrics_table, sentences
from convexp.reporting.report import Report

HERE = Path(__file__).parent
MOST_FINDINGS = 6
MOST_PATHS = 3  # runs named beside a value
METHODS = {
    "bootstrap-t": "bootstrap-t: |t*| over resamples of the paired differences",
    "Student's t": "Student's t over the paired differences (too few of them to resample)",
    "sign test": "sign test, without an interval: the differences say too little of their spread",
}

__all__ = ["write_page"]


def write_page(report: Report, file: Path, charts: list[Chart] | None = None) -> None:
    """Write the page.

    Args:
        report: what is shown. Its texts are untrusted: they are escaped, and no script but the page's own runs.
        file: the HTML file, replaced if it is there.
        charts: of this report, where they are drawn already.
    """
    file.write_text(render(report, draw_charts(report) if charts is None else charts), encoding="utf-8", errors="replace")


def render(report: Report, charts: list[Chart]) -> str:
    """The page as text; the same report gives the same text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    script, css = ((HERE / name).read_text(encoding="utf-8") for name in ("page.js", "page.css"))
    own = {
        "css": Markup(css),
        "js": Markup(script),
        "script": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),  # the one script that may run
        "plural": plural,
        "charts": {s: [(c, Markup(c.inline())) for c in charts if c.section == s] for s in {c.section for c in charts}},
    }
    return environment.get_template("page.html.j2").render(own | _content(report))


def _content(report: Report) -> dict[str, Any]:
    groups, comparisons = report.groups, report.comparisons
    marks = [look.colour for look in looks(groups)]
    pictures, left_out = kernels(groups, report.root)
    return {
        "version": __version__,
        "origin": ORIGIN,
        "digest": digest(report),
        "report": report,
        "finished": sum(g.n for g in groups),
        "states": Counter(run.state for run in report.unfinished),
        "seeds": sorted({run["seed"] for g in groups for run in g.runs if run.get("seed") is not None}),
        "findings": sentences(comparisons, MOST_FINDINGS),
        "limits": _limits(comparisons),
        "different": sum(c.verdict != NOT_SHOWN for c in comparisons),
        "best": _best(report),
        "results": groups_table(groups, marks) if groups else None,
        "metrics": metrics_table(groups, marks) if groups else None,
        "compared": comparisons_table(comparisons) if comparisons else None,
        "methods": [METHODS.get(m, m) for m in dict.fromkeys(c.method for c in comparisons)],
        "kernels": pictures,
        "kernels_kind": KIND,
        "kernels_left_out": left_out,
        "command": _command(report),
        "most_paths": MOST_PATHS,
    }


def _limits(comparisons: Sequence[Comparison]) -> list[str]:
    """How large a difference has to be to be shown, for each metric on which one is not shown."""
    said = {metric: too_few(found) or could_show(found) for metric, found in by_metric(comparisons).items()}
    return [f"{title(metric)}: {sentence}" for metric, sentence in said.items() if sentence]


def _best(report: Report) -> str | None:
    """The highest mean test accuracy, for a report without comparisons."""
    measured = [(value.mean, g.label, value) for g in report.groups if (value := g.metric("test/acc"))]
    if not measured or report.comparisons:
        return None
    _, label, value = max(measured, key=lambda m: m[0])
    return f"{label}: {spread(value, 'test/acc')} %, n = {value.n}"


def _command(report: Report) -> str | None:
    """The command that goes on with the study in this very folder, wherever it is now and whatever it was called then."""
    if report.plan is None or not report.plan.command:
        return None
    said = [word for word in report.plan.command if not word.startswith("hydra.sweep.dir=")]
    return f"convexp-train {shlex.join(said)} {typed('hydra.sweep.dir', report.root.resolve())}"
