"""What is made elsewhere and shown by the site: the page of the lessons, and the reports of finished studies.

``extra.lessons`` and ``extra.studies`` in ``mkdocs.yml`` name the folders. What is not there is left out, with a word.
"""

import html
import json
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
REPORTS, LESSONS = "<!-- reports -->", "<!-- page of the lessons -->"  # where a page shows them
ANCHOR = re.compile(r'<li value="(\d+)"><a href="(#[\w-]+)">')  # of each lesson, in the list at the head of their page
ROW = re.compile(r"(?<=^\| )(\d+)\. [^|]+(?= \|)", re.MULTILINE)  # number and title of a lesson, in a table

log = get_plugin_logger("made")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are there."""
    for report in _reports(config):
        files.append(File.generated(config, f"gallery/{report.parent.name}.html", abs_src_path=str(report)))
    lessons = _lessons(config)
    if lessons is not None:
        for file in (lessons, *sorted(lessons.parent.glob("notebooks/*.ipynb"))):
            name = file.relative_to(lessons.parent).as_posix()
            files.append(File.generated(config, f"lessons/{name}", abs_src_path=str(file)))
    return files


def on_page_markdown(markdown: str, config: MkDocsConfig, **_: object) -> str:
    """Link to the pages that are there."""
    if REPORTS in markdown:
        markdown = markdown.replace(REPORTS, "\n".join(_line(report) for report in _reports(config)))
    lessons = _lessons(config) if LESSONS in markdown else None
    if lessons is not None:
        markdown = markdown.replace(LESSONS, "[Open the lessons](lessons/index.html){ .md-button .md-button--primary }")
        anchors = dict(ANCHOR.findall(lessons.read_text(encoding="utf-8")))
        markdown = ROW.sub(lambda row: _linked(row[0], anchors.get(row[1])), markdown)
    return markdown


def _reports(config: MkDocsConfig) -> list[Path]:
    found = sorted((ROOT / config.extra["studies"]).glob("*/report.html"))
    if not found:
        log.info("no reports in %s: the gallery has none", config.extra["studies"])
    return found


def _lessons(config: MkDocsConfig) -> Path | None:
    page = ROOT / config.extra["lessons"] / "index.html"
    if page.is_file():
        return page
    log.info("no %s: the lessons are not in the site", page)
    return None


def _linked(title: str, anchor: str | None) -> str:
    return f"[{title}](lessons/index.html{anchor})" if anchor else title


def _line(report: Path) -> str:
    """A report as an item of a list: its name and the question of its study."""
    name = report.parent.name
    return f"- [`{name}`](gallery/{name}.html): {html.escape(_question(report.parent))}"


def _question(study: Path) -> str:
    try:
        return json.loads((study / "study.json").read_text(encoding="utf-8"))["question"]
    except (OSError, ValueError, KeyError, TypeError):
        return "runs without a question"
