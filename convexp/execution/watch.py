"""Noticing on GPUs that another process of a training has ended: NCCL would wait for it for ever."""

import ctypes
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from convexp.training.ddp import leave_at_once

EVERY = 0.5  # seconds


class OtherEndedError(Exception):
    """Raised in the thread that trains when another process has ended."""


@contextmanager
def watched(first_ended: Callable[[float], str | None]) -> Generator[None]:
    """A context in which ``OtherEndedError`` is raised once ``first_ended`` says that another process has ended.

    What is under way on the GPU is given up, and nothing that came of it is used: the error is there before.
    """
    over, training = threading.Event(), threading.get_ident()

    def watch() -> None:
        while not over.wait(EVERY):
            if first_ended(0) is not None:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(training), ctypes.py_object(OtherEndedError))
                leave_at_once()
                return

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
