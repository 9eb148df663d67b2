"""Print each warning, of Python's ``warnings`` or of ``logging``, once and in one line on stderr."""

import logging
import warnings
from collections.abc import Generator
from contextlib import contextmanager

from convexp.terminal.console import above_progress_bar, err

_printed: set[str] = set()


def print_warning(message: str) -> None:
    """Print a warning in one line on stderr, unless the same one has been printed before."""
    if message not in _printed:
        _printed.add(message)
        with above_progress_bar():
            err.print(f"warning: {' '.join(message.split())}", markup=False, style="yellow")


def forget_warnings() -> None:
    """Print all warnings again, also those that have been printed before."""
    _printed.clear()


@contextmanager
def warnings_in_one_line() -> Generator[None]:
    """A context in which warnings of Python's ``warnings`` are printed by ``print_warning``."""
    before = warnings.showwarning
    warnings.showwarning = lambda message, *_rest: print_warning(str(message))  # pyright: ignore
    try:
        yield
    finally:
        warnings.showwarning = before


class WarningHandler(logging.Handler):
    """Prints log records by ``print_warning`` (conf/hydra/job_logging/quiet.yaml)."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message of the record."""
        print_warning(record.getMessage())
