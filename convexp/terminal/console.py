"""Print to the terminal: messages, errors, progress bars."""

import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from multiprocessing import current_process
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.markup import escape

T = TypeVar("T")

IN_NOTEBOOK = "ipykernel."  # the beginning of the module of a notebook's standard output

out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def print_error(program: str, message: str) -> None:
    """Print the error message of ``program``, in one line on stderr."""
    err.print(f"[bold red]{program}:[/] {escape(' '.join(message.split()))}")


def print_warning(message: str) -> None:
    """Print a warning among what a command prints."""
    out.print(f"[yellow]warning:[/] {escape(message)}")


def is_terminal() -> bool:
    """Whether to show progress: only if stdout is a terminal or a notebook's, and only in the main process.

    The progress bars of parallel processes would overwrite each other.
    """
    watched = sys.stdout.isatty() or type(getattr(sys.stdout, "stream", sys.stdout)).__module__.startswith(IN_NOTEBOOK)
    return watched and not out.quiet and current_process().name == "MainProcess"


@contextmanager
def silence(silent: bool = True) -> Generator[None]:
    """A context in which, if ``silent``, nothing is printed on stdout and no progress is shown; errors are printed."""
    before, out.quiet = out.quiet, silent or out.quiet
    try:
        yield
    finally:
        out.quiet = before


def track(
    items: Iterable[T], label: str, total: int | None = None, delay: float = 1, note: Callable[[T], str] | None = None
) -> Iterator[T]:
    """Iterate over ``items``, with a progress bar on a terminal that disappears at the end.

    Args:
        items: what to iterate over.
        label: text beside the progress bar.
        total: number of items; None if ``items`` has a length.
        delay: seconds before the progress bar appears.
        note: returns, for each item as it comes, what is written beside the bar; called on a terminal only.
    """
    if not is_terminal():
        yield from items
        return
    from tqdm import tqdm

    bar = tqdm(items, label, total, leave=False, delay=delay, dynamic_ncols=True)
    for item in bar:
        if note is not None:
            bar.set_postfix_str(note(item))
        yield item


@contextmanager
def status(message: str) -> Generator[None]:
    """A context during which ``message`` is shown on a terminal, for what takes a while; it disappears at the end."""
    with out.status(message) if is_terminal() else nullcontext():
        yield


def relay(captured_out: str, captured_err: str) -> None:
    """Print the captured output of another process, above the progress bar if there is one."""
    with above_progress_bar():
        out.out(captured_out, end="")
        err.out(captured_err, end="")


def above_progress_bar() -> AbstractContextManager[None]:
    """A context in which printed lines appear above the progress bar, instead of breaking it."""
    if not is_terminal():
        return nullcontext()
    from tqdm import tqdm

    return tqdm.external_write_mode()


def display_path(path: Path) -> str:
    """The path relative to the working directory if it lies within it, else as it is."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path)
