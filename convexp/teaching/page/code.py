"""Code of a lesson: highlighted, and what is said of it before it is opened."""

import ast
import re
from collections.abc import Sequence

LONG = 30  # lines
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
    """Return what a cell is: ``Imports`` if most of it is that, ``Code of the picture`` if it draws, or ``Code``."""
    if DRAWS.search(code):
        return "Code of the picture"
    nodes = ast.parse(code).body
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return "Imports" if 0 < _lines(nodes) < 2 * _lines(imports) else "Code"


def is_open(code: str) -> bool:
    """Return whether a reader sees the code at once: not where the picture is what matters, nor imports, nor long cells."""
    return heading(code) == "Code" and len(code.splitlines()) <= LONG


def count_assertions(code: str) -> int:
    """Return how many ``assert`` a cell has; one within a loop counts once."""
    return sum(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(code)))


def _lines(nodes: Sequence[ast.stmt]) -> int:
    return sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in nodes)
