"""Code of a lesson: highlighted, and what is said of it before it is opened."""

import ast
import re

LONG = 30  # lines
IMPORTS = re.compile(r"(import|from) ")
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


def heading(code: str) -> str:
    """Return what a cell is: ``Imports``, ``Code of the picture`` for one that draws, or ``Code``."""
    if DRAWS.search(code):
        return "Code of the picture"
    return "Imports" if IMPORTS.match(code) and not count_assertions(code) else "Code"


def is_open(code: str) -> bool:
    """Return whether a reader sees the code at once: not where the picture is what matters, nor imports, nor long cells."""
    return heading(code) == "Code" and len(code.splitlines()) <= LONG


def count_assertions(code: str) -> int:
    """Return how many ``assert`` a cell has; one within a loop counts once."""
    return sum(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(code)))
