"""train.log: what happened when, in words."""

import logging
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path

from convexp.atomic import appended

log = logging.getLogger("convexp")


class _Quiet(logging.FileHandler):
    """On a full disk the run fails by what it cannot do without; the log need not say so on the terminal, line by line."""

    def _open(self) -> TextIOWrapper:
        return appended(Path(self.baseFilename))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, as logging has it
        pass

    def close(self) -> None:
        with suppress(OSError):
            super().close()


@contextmanager
def logging_to(file: Path) -> Generator[None]:
    """Append what is logged by anybody, and every warning, to ``file``."""
    handler = _Quiet(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root, shown = logging.getLogger(), warnings.showwarning

    def show(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_rest: object) -> None:
        log.warning("%s (%s, %s:%d)", message, category.__name__, filename, lineno)

    root.addHandler(handler)
    log.setLevel(logging.INFO)
    warnings.showwarning = show  # pyright: ignore
    try:
        yield
    finally:
        warnings.showwarning = shown
        root.removeHandler(handler)
        handler.close()
