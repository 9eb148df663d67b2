"""When Python looks for garbage in circles.

Torch and Lightning make hundreds of thousands of objects, which are never garbage. To look through all of them takes as long as
training a small network for some epochs, and happens several times while they are imported, and again in every run.
"""

import atexit
import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

in_program: ContextVar[bool] = ContextVar("in_program", default=False)
"""Whether the process does nothing but convexp's own work, so that what has been imported may be left alone for good."""


@contextmanager
def gc_paused() -> Generator[None]:
    """A context in which Python does not look for garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def importing() -> Generator[None]:
    """A context for large imports: Python looks for no garbage, and in a program of convexp's never in them afterwards."""
    with gc_paused():
        yield
        if in_program.get():
            gc.freeze()
            atexit.register(_tidy_up)


def _tidy_up() -> None:
    """Let Python look through the imports at its end, which takes a second, if Triton would complain of what it finds left."""
    if "triton" in sys.modules:
        gc.unfreeze()
