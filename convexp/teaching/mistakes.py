"""A user's mistake within a lesson: one line and exit code 2 in a plain script, as a command has it."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from convexp.errors import ConfigError
from convexp.teaching.place import in_notebook
from convexp.terminal import console


@contextmanager
def in_one_line() -> Generator[None]:
    """A context in which a plain script tells a ``ConfigError`` in one line and ends with exit code 2.

    In a notebook the error is raised, for whoever executes the notebook to tell.

    Raises:
        ConfigError: In a notebook.
    """
    try:
        yield
    except ConfigError as error:
        if in_notebook():
            raise
        console.print_error(Path(sys.argv[0]).name, str(error))
        sys.exit(error.exit_code)
