"""Large imports, and Python's search for garbage.

Torch and Lightning make hundreds of thousands of objects, which are never garbage. To look through all of them takes as long as
training a small network for some epochs, and happens several times while they are imported, and again in every run.
"""

import gc
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

in_program: ContextVar[bool] = ContextVar("in_program", default=False)
"""Whether the process does nothing but convexp's own work, so that what has been imported may be left alone for good."""


@contextmanager
def importing() -> Generator[None]:
    """A context for large imports: Python looks for no garbage. In a program of convexp's it never looks at them afterwards."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if in_program.get():
            gc.freeze()
        if was_on:
            gc.enable()
