"""The reference, made from the code and the YAML files while the site is built, and its place in the navigation."""

from pathlib import PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from reference import pages

SECTION = "Reference"
TITLES = {"settings": "Settings", "options": "Options", "probes": "Probes", "commands": "Commands", "python": "Python"}

made: dict[str, str] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Make the pages, and put them at the beginning of their section of the navigation."""
    made.update(pages())
    for item in config.nav or ():
        if SECTION in item:
            item[SECTION] = [*navigation(list(made)), *item[SECTION]]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages to the site."""
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    return files


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
