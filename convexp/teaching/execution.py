"""Execute lessons as notebooks, several side by side, each in a kernel of its own."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellControlSignal, CellExecutionError, CellTimeoutError, DeadKernelError

from convexp.teaching.catalogue import Lesson
from convexp.teaching.failures import Failure, failure_of_cell
from convexp.teaching.kernel import CELL_LIMIT, kernel
from convexp.teaching.notebooks import mark_finished, new_notebook


@dataclass(frozen=True)
class Executed:
    """A lesson that has run.

    Attributes:
        lesson: The lesson.
        notebook: Its notebook, with the outputs of the cells as far as it came.
        failure: Why it came no further; None if it ran to its end.
    """

    lesson: Lesson
    notebook: Any
    failure: Failure | None = None


def execute(lessons: Sequence[Lesson], run: Path | None, jobs: int, threads: int) -> Iterator[Executed]:
    """Execute lessons in the working directory, and yield each when it has ended. One that fails stops no other.

    Args:
        lessons: The lessons.
        run: The run that a lesson may look into (``given_run``).
        jobs: How many run at a time.
        threads: How many threads each of them has.
    """
    with asyncio.Runner() as runner:  # when it closes, also after Ctrl-C, it cancels what still runs, and kernels end
        free = asyncio.Semaphore(jobs)
        loop = runner.get_loop()
        pending = {loop.create_task(_execute_when(free, lesson, run, threads)) for lesson in lessons}
        while pending:
            done, pending = runner.run(asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED))
            for task in done:
                yield task.result()


async def _execute_when(free: asyncio.Semaphore, lesson: Lesson, run: Path | None, threads: int) -> Executed:
    async with free:
        return await _execute(lesson, run, threads)


async def _execute(lesson: Lesson, run: Path | None, threads: int) -> Executed:
    notebook = new_notebook(lesson)
    index = 0
    try:
        async with kernel(notebook, lesson.name, run, threads) as client:
            for index, cell in enumerate(notebook.cells):
                await client.async_execute_cell(cell, index)
    except (CellControlSignal, DeadKernelError) as error:
        return Executed(lesson, notebook, failure_of_cell(lesson, notebook, index, _why(error)))
    except RuntimeError as error:  # of Jupyter's client
        return Executed(lesson, notebook, Failure(lesson, "its kernel", f"{error}"))
    mark_finished(notebook)
    return Executed(lesson, notebook)


def _why(error: Exception) -> str:
    """What happened; nothing if the outputs of the cell say it."""
    if isinstance(error, CellTimeoutError):
        return f"it takes longer than {CELL_LIMIT} seconds"
    return "" if isinstance(error, CellExecutionError) else "its process has ended; was there too little memory?"
