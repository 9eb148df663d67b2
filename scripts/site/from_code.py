"""The reference, made from the code and the YAML files while the site is built, and its place in the navigation."""

from pathlib import PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from reference import pages

SECTION, PAGE = "Reference", "reference/index.md"
TITLES = {"settings": "Settings", "options": "Options", "probes": "Probes", "commands": "Commands", "python": "Python"}

made: dict[str, str] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Make the pages, and put them behind the first of their section of the navigation."""
    made.update(pages())
    for item in config.nav or ():
        if SECTION in item:
            first, *others = item[SECTION]
            item[SECTION] = [first, *navigation(list(made)), *others]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages to the site."""
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Link from the first page of the section to what it names."""
    if page.file.src_uri != PAGE:
        return markdown
    firsts = {title: next(path for path in made if path.startswith(f"reference/{name}")) for name, title in TITLES.items()}
    for title, path in firsts.items():
        markdown = markdown.replace(f"**{title}**", f"[{title}]({PurePosixPath(path).relative_to('reference')})")
    return markdown


def navigation(paths: list[str]) -> list[dict[str, Any]]:
    """The entries of the pages: one for each page, and a section for those that lie in a folder."""
    found: dict[str, Any] = {}
    for path in paths:
        parts = PurePosixPath(path).with_suffix("").parts[1:]
        title = TITLES[parts[0]]
        if len(parts) == 1:
            found[title] = path
        else:
            entry = path if parts[1] == "index" else {parts[1].replace("_", "/") if parts[0] == "options" else parts[1]: path}
            found.setdefault(title, []).append(entry)
    return [{title: entry} for title, entry in found.items()]
