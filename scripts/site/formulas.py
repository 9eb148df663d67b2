"""Formulas of the site as MathML, which a browser shows by itself: no script and no font is loaded for them."""

import html
import re

from latex2mathml.converter import convert
from mkdocs.plugins import get_plugin_logger

# What pymdownx.arithmatex makes of $...$ and $$...$$.
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)

log = get_plugin_logger("formulas")


def on_page_content(html: str, **_: object) -> str:
    """Replace every formula of a page that is written as LaTeX."""
    return FORMULA.sub(_mathml, html)


def _mathml(found: re.Match[str]) -> str:
    block, latex = found[2] == "[", html.unescape(found[3]).strip()
    try:
        return convert(latex, display="block" if block else "inline")
    except Exception as error:  # of many kinds; a warning ends a strict build
        log.warning("the formula %s: %s", latex, error)
        return found[0]
