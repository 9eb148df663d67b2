"""train.log: what happened when, in words."""

import logging
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path

from convexp.files.atomic import open_append

log = logging.getLogger("convexp")


class _Quiet(logging.FileHandler):
    """On a full disk the run fails by what it cannot do without; the log need not say so on the terminal, line by line."""

    def _open(self) -> TextIOWrapper:
        return open_append(Path(self.baseFilename))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, as logging has it
        pass

    def close(self) -> None:
        with suppress(OSError):
            super().close()


@contextmanager
def logging_to(file: Path) -> Generator[None]:
    """Append what is logged by anybody, every warning, and what ends the threads of libraries, to ``file``.

    TensorBoard writes in a thread: where the disk is full, the run says so in a line, and the thread's traceback adds nothing.
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
