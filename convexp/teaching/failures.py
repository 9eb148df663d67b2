"""What is said of a lesson that failed: its cell, its line, and what was asserted."""

import re
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

from convexp.teaching.catalogue import Lesson

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # colours, and movements of the cursor
LONGEST = 300  # characters


@dataclass(frozen=True)
class Failure:
    """Why a lesson failed.

    Attributes:
        lesson: The lesson.
        where: Its cell, such as ``code cell 4 (line 57 of 03_convolution.py)``.
        why: The error, such as ``AssertionError: assert 1 == 2``.
    """

    lesson: Lesson
    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.lesson.name}: {self.where} failed: {self.why}"


def failure_of_cell(lesson: Lesson, notebook: Any, index: int, why: str = "") -> Failure:
    """Return what failed in a cell.

    Args:
        lesson: The lesson.
        notebook: Its notebook, with the outputs of the cell.
        index: Index of the cell among all cells.
        why: What happened, if it is no error of Python in the outputs of the cell.
    """
    cell = notebook.cells[index]
    number = sum(each.cell_type == "code" for each in notebook.cells[: index + 1])
    error = next((output for output in cell.outputs if output.output_type == "error"), None)
    line = _line(error, cell) if error else None
    before = lesson.text().partition(cell.source)[0].count("\n")
    where = f"code cell {number} (line {before + (line or 1)} of {lesson.file.name})"
    return Failure(lesson, where, why or _words(error, cell.source.splitlines()[line - 1] if line else ""))


def _line(error: Any, cell: Any) -> int | None:
    """The line of the cell at which the error was raised, or in which it called what raised it."""
    trace = ANSI.sub("", "\n".join(error.traceback))
    lines = re.findall(rf"Cell In\[{cell.execution_count}\], line (\d+)", trace)
    return int(lines[-1]) if lines and int(lines[-1]) <= len(cell.source.splitlines()) else None


def _words(error: Any, source: str) -> str:
    said = ANSI.sub("", error.evalue if error else "")
    words = " in ".join(filter(None, (said, source.strip())))
    return shorten(f"{error.ename if error else 'error'}: {words}", LONGEST)
