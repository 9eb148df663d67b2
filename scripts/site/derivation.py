"""The derivation from the dense layer to the convolution (docs/design.md, section 1) is a page of its own on the site."""

import re
from pathlib import Path

from mkdocs.structure.pages import Page

DESIGN = Path(__file__).parents[2] / "docs" / "design.md"
SECTION = re.compile(r"^(## 1\. [^\n]*\n)(.*?)(?=^## 2\. )", re.MULTILINE | re.DOTALL)
HERE = "<!-- docs/design.md, section 1 -->"
PAGE = "concepts/derivation.md"


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Move section 1 from the page of the design to the page of the derivation."""
    if page.file.src_uri == PAGE:
        return markdown.replace(HERE, _section())
    if page.file.src_uri == "design.md":
        return SECTION.sub(rf"\1\n[A page of its own]({PAGE}).\n\n", markdown)
    return markdown


def _section() -> str:
    """The text of the section, one level up, with links from the folder of the page."""
    found = SECTION.search(DESIGN.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{DESIGN} has no section 1")
    text = re.sub(r"^##(#+ )", r"#\1", found[2], flags=re.MULTILINE)
    return re.sub(r"\]\((\w+\.md)", r"](../\1", text)
