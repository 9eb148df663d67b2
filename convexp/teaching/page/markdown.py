"""The text of a lesson as HTML."""

from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from convexp.teaching.page.code import highlighted
from convexp.teaching.page.details import details_plugin
from convexp.teaching.page.formulas import mathml


def to_html(text: str) -> str:
    """Return Markdown with tables, formulas and details as HTML; its headings are one level deeper, as the page has a title.

    Raises:
        ConvexpError: If a formula cannot be shown.
    """
    return _parser().render(text)


def to_inline_html(text: str) -> str:
    """Return a sentence of Markdown as HTML.

    Raises:
        ConvexpError: If a formula cannot be shown.
    """
    return _parser().renderInline(text)


@cache
def _parser() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": True, "highlight": _highlighted})
    markdown.enable("table")
    markdown.use(details_plugin)
    markdown.use(dollarmath_plugin, allow_labels=False, double_inline=True)
    markdown.core.ruler.push("deeper_headings", _deeper_headings)
    for name in ("math_inline", "math_inline_double", "math_block"):
        markdown.add_render_rule(name, _formula)
    markdown.add_render_rule("table_open", lambda *_: '<div class="scroll" tabindex="0"><table>')
    markdown.add_render_rule("table_close", lambda *_: "</table></div>")
    return markdown


def _highlighted(text: str, language: str, _attributes: str) -> str:
    return highlighted(text, language)


def _deeper_headings(state: Any) -> None:
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"


def _formula(_renderer: Any, tokens: Any, index: int, *_rest: Any) -> str:
    display = tokens[index].type != "math_inline"
    content = mathml(tokens[index].content.strip(), display)
    return f'<span class="formula">{content}</span>' if display else content
