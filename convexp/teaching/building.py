"""Run lessons, and write their notebooks and the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convexp.files.atomic import atomic_write
from convexp.teaching.catalogue import Lesson
from convexp.teaching.execution import Executed, execute
from convexp.teaching.notebooks import new_notebook, stored_notebook, write_notebook
from convexp.teaching.page import render
from convexp.terminal.console import track

NOTEBOOKS = "notebooks"
PAGE = "index.html"


@dataclass(frozen=True)
class Built:
    """What was made.

    Attributes:
        executed: The lessons that ran, in their order.
        notebooks: The folder of the notebooks.
        page: The page; None if only notebooks were written.
        kept: New names of notebooks that somebody had edited.
    """

    executed: list[Executed]
    notebooks: Path
    page: Path | None
    kept: list[Path]


def build(
    lessons: Sequence[Lesson], chosen: Sequence[Lesson], output: Path, run: Path | None, jobs: int, threads: int
) -> Built:
    """Run the chosen lessons and write their notebooks; then write the page, with other lessons that ran before.

    Args:
        lessons: All lessons.
        chosen: Those to be run.
        output: Folder of the page and of the notebooks.
        run: The run that a lesson may look into.
        jobs: How many lessons run at a time.
        threads: How many threads each of them has.

    Raises:
        ConvexpError: If a formula cannot be shown.
        OSError: If something cannot be written.
    """
    folder = output / NOTEBOOKS
    render([Executed(lesson, new_notebook(lesson)) for lesson in chosen], NOTEBOOKS)  # a formula may be wrong
    folder.mkdir(parents=True, exist_ok=True)
    executed: dict[str, Executed] = {}
    kept: list[Path | None] = []
    running = execute(chosen, run, jobs, threads)
    for each in track(running, "lessons", len(chosen), delay=0, note=lambda each: f"{each.lesson.name} done"):
        executed[each.lesson.name] = each
        kept.append(write_notebook(each.notebook, folder / f"{each.lesson.name}.ipynb"))
    shown = [executed.get(lesson.name) or _earlier(lesson, folder) for lesson in lessons]
    page = output / PAGE
    text = render([each for each in shown if each], NOTEBOOKS)
    with atomic_write(page) as partial:
        partial.write_text(text, encoding="utf-8", errors="replace")
    return Built([executed[lesson.name] for lesson in chosen], folder, page, [file for file in kept if file])


def build_notebooks(chosen: Sequence[Lesson], output: Path) -> Built:
    """Write the notebooks of the chosen lessons without outputs, for a classroom.

    Raises:
        OSError: If something cannot be written.
    """
    folder = output / NOTEBOOKS
    folder.mkdir(parents=True, exist_ok=True)
    kept = [write_notebook(new_notebook(lesson), folder / f"{lesson.name}.ipynb") for lesson in chosen]
    return Built([], folder, None, [file for file in kept if file])


def _earlier(lesson: Lesson, folder: Path) -> Executed | None:
    notebook = stored_notebook(lesson, folder / f"{lesson.name}.ipynb")
    return None if notebook is None else Executed(lesson, notebook)
