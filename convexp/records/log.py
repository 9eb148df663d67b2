"""train.log: the events of a run with their times."""

import logging
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from convexp.files.atomic import open_append
from convexp.machine.own_states import each_its_own

log = logging.getLogger("convexp")


class _Quiet(logging.FileHandler):
    """A file handler that ignores a full disk: the run itself will fail, and logging must not add a traceback for each line."""

    def _open(self) -> TextIOWrapper:
        return open_append(Path(self.baseFilename))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, as logging has it
        pass

    def close(self) -> None:
        with suppress(OSError):
            super().close()


@contextmanager
def logging_to(file: Path) -> Generator[None]:
    """Append to ``file`` what is logged in the block, every warning, and every error that ends a thread.

    TensorBoard writes in a thread. On a full disk the run reports the error in one line, to which the traceback of the thread
    would add nothing.
    """
    handler = _Quiet(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root, shown, ended = logging.getLogger(), warnings.showwarning, threading.excepthook

    def show(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_rest: object) -> None:
        log.warning("%s (%s, %s:%d)", message, category.__name__, filename, lineno)

    def note(error: threading.ExceptHookArgs) -> None:
        log.info("a thread has ended (%s: %s)", error.exc_type.__name__, error.exc_value)

    root.addHandler(handler)
    log.setLevel(logging.INFO)
    warnings.showwarning = show  # pyright: ignore
    threading.excepthook = note
    try:
        yield
    finally:
        warnings.showwarning, threading.excepthook = shown, ended
        root.removeHandler(handler)
        handler.close()


def _own_state() -> tuple[Any, ...]:
    root = logging.getLogger()
    return [*root.handlers], root.level, log.level, warnings.showwarning, threading.excepthook


def _restore(state: tuple[Any, ...]) -> None:
    """Restore the handlers of a run, so that its log has its own events alone."""
    root = logging.getLogger()
    root.handlers[:], root_level, level, warnings.showwarning, threading.excepthook = state
    if (root.level, log.level) != (root_level, level):  # setting a level makes all loggers look for theirs again
        root.setLevel(root_level)
        log.setLevel(level)


each_its_own("log", _own_state, _restore)
