"""Formulas of the site as MathML, which a browser shows by itself: no script and no font is loaded for them."""

import html
import re

from mkdocs.plugins import get_plugin_logger

from convexp.errors import ConvexpError
from convexp.teaching.page.formulas import mathml

# What pymdownx.arithmatex makes of $...$ and $$...$$.
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)

log = get_plugin_logger("formulas")


def on_page_content(html: str, **_: object) -> str:
    """Replace every formula of a page that is written as LaTeX."""
    return FORMULA.sub(_mathml, html)


def _mathml(found: re.Match[str]) -> str:
    try:
        return mathml(html.unescape(found[3]).strip(), display=found[2] == "[")
    except ConvexpError as error:  # a warning ends a strict build
        log.warning("%s", error)
        return found[0]
