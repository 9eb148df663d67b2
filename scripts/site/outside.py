"""Links of the site to files that lie outside ``docs/``.

The documents beside the README are pages of the site, in ``project/``. A link to another file of the repository, such as a YAML
of ``conf/``, stays a link where the code is hosted; the site has no such file, and shows the text of the link alone.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")
LINK = re.compile(r"(?<!!)\[([^\[\]]*)\]\((?!\w+:|/|#)([^\s()#]+)(#[^\s()]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents beside the README."""
    for name in DOCUMENTS:
        files.append(File.generated(config, f"project/{name}", content=(ROOT / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Make the links of a page those of the site."""
    here = posixpath.dirname(page.file.src_uri)
    inside = here != "project"  # the folder in the repository whose file the page is
    return LINK.sub(lambda link: _of_the_site(link, here, posixpath.join("docs", here) if inside else ""), markdown)


def _of_the_site(link: re.Match[str], here: str, folder: str) -> str:
    text, target, anchor = link[1], posixpath.normpath(posixpath.join(folder, link[2])), link[3] or ""
    if target in DOCUMENTS:
        target = f"docs/project/{target}"
    if target.startswith("docs/"):
        return f"[{text}]({posixpath.relpath(target.removeprefix('docs/'), here or '.')}{anchor})"
    return text if (ROOT / target).exists() else link[0]
