"""Code of a lesson: highlighted, and what is said of it before it is opened."""

import ast
import re

DRAWS = re.compile(r"\b(drawing|step_through|show)\(")


def highlighted(code: str, language: str = "python") -> str:
    """Return code as HTML in which the classes of Pygments tell what is what; code of another language as plain text."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    return highlight(code, lexer, HtmlFormatter[str](nowrap=True))


def draws(code: str) -> bool:
    """Return whether a cell draws: what a reader looks at is then its picture."""
    return DRAWS.search(code) is not None


def count_assertions(code: str) -> int:
    """Return how many ``assert`` a cell has; one within a loop counts once."""
    return sum(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(code)))
