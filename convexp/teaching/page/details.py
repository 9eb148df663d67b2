"""Markdown within ``<details>``: what can be opened has formulas and code as everything else has."""

import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

BLOCK = re.compile(r"<details>\s*<summary>(?P<summary>.*?)</summary>(?P<inside>.*?)</details>(?P<rest>[^\n]*)", re.DOTALL)
TAGS = re.compile(r"</?(details|summary|sub|sup|kbd|b|em|i)>|<br ?/?>")


def details_plugin(markdown: MarkdownIt) -> None:
    """Make a parser of Markdown read ``<details><summary>...</summary>...</details>``; all other HTML is shown as text."""
    markdown.disable("html_block")
    markdown.block.ruler.before("paragraph", "details", _details, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    markdown.add_render_rule("html_inline", _html_inline)


def _details(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A block that begins with ``<details>``: its tokens are those of its summary, and those of the Markdown within it."""
    if not state.src.startswith("<details>", state.bMarks[start] + state.tShift[start]):
        return False
    text = state.getLines(start, end, state.blkIndent, False)
    match = BLOCK.match(text.lstrip(" "))
    if match is None:
        return False
    if silent:
        return True
    last = start + match[0].count("\n")
    opening = state.push("details_open", "details", 1)
    opening.block, opening.map = True, [start, last + 1]
    _inline(state, "summary", match["summary"])
    state.md.block.parse(_dedented(match["inside"]), state.md, state.env, state.tokens)
    state.push("details_close", "details", -1).block = True
    if match["rest"].strip():
        _inline(state, "paragraph", match["rest"])
    state.line = last + 1
    return True


def _inline(state: StateBlock, name: str, text: str) -> None:
    tag = "p" if name == "paragraph" else name
    state.push(f"{name}_open", tag, 1).block = True
    token = state.push("inline", "", 0)
    token.content, token.children, token.map = " ".join(text.split()), [], None
    state.push(f"{name}_close", tag, -1).block = True


def _dedented(text: str) -> str:
    """The lines without the indentation that all but the first have in common."""
    first, _, rest = text.partition("\n")
    lines = rest.split("\n")
    common = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join([first.strip(), *(line[common:] for line in lines)])


def _html_inline(_renderer: Any, tokens: Any, index: int, *_rest: Any) -> str:
    from markdown_it.common.utils import escapeHtml

    content = str(tokens[index].content)
    return content if TAGS.fullmatch(content) else escapeHtml(content)
