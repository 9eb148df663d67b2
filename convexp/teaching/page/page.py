"""The page as text, from its template and its style sheets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convexp import __version__
from convexp.errors import ConvexpError
from convexp.pictures.page_style import page_style
from convexp.reporting.charts.colours import page_variables
from convexp.teaching.execution import Executed
from convexp.teaching.page.code import count_assertions, heading, highlighted, is_open
from convexp.teaching.page.markdown import to_html, to_inline_html
from convexp.teaching.page.outputs import outputs_html
from convexp.terminal.words import plural

HERE = Path(__file__).parent
STYLES = (HERE / "page.css", HERE / "code.css", HERE.parent / "picture.css")


def render(lessons: Sequence[Executed], notebooks: str) -> str:
    """Return the page of lessons that have run. The same notebooks give the same text.

    Args:
        lessons: The lessons in their order.
        notebooks: Folder of the notebooks, as a link from the page.

    Raises:
        ConvexpError: If a formula cannot be shown; the message names the lesson.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    css = page_style() + "".join(file.read_text(encoding="utf-8") for file in STYLES) + page_variables()
    sections: list[dict[str, Any]] = []
    for each in lessons:
        try:
            sections.append(_section(each))
        except ConvexpError as error:
            raise ConvexpError(f"{each.lesson.name}: {error}") from None
    return environment.get_template("page.html.j2").render(
        css=Markup(css),
        lessons=sections,
        assertions=sum(section["assertions"] for section in sections if section["failure"] is None),
        notebooks=notebooks,
        plural=plural,
        version=__version__,
    )


def _section(executed: Executed) -> dict[str, Any]:
    """What the template needs of one lesson."""
    from markupsafe import Markup

    lesson, cells = executed.lesson, executed.notebook.cells
    codes = [cell.source for cell in cells if cell.cell_type == "code"]
    return {
        "lesson": lesson,
        "title": Markup(to_inline_html(lesson.title)),
        "cells": [_cell(cell) for cell in cells],
        "assertions": sum(count_assertions(code) for code in codes),
        "failure": executed.failure,
    }


def _cell(cell: Any) -> dict[str, Any]:
    from markupsafe import Markup

    if cell.cell_type != "code":
        return {"text": Markup(to_html(cell.source))}
    return {
        "text": None,
        "code": Markup(highlighted(cell.source)),
        "lines": len(cell.source.splitlines()),
        "assertions": count_assertions(cell.source),
        "heading": heading(cell.source),
        "open": is_open(cell.source),
        "outputs": Markup(outputs_html(cell)),
    }
