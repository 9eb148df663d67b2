"""train.log: what happened when, in words."""

import logging
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger("convexp")


@contextmanager
def logging_to(file: Path) -> Generator[None]:
    """Append what is logged by anybody, and every warning, to ``file``."""
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root, shown = logging.getLogger(), warnings.showwarning

    def show(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_rest: object) -> None:
        log.warning("%s:%d: %s: %s", filename, lineno, category.__name__, message)

    root.addHandler(handler)
    log.setLevel(logging.INFO)
    warnings.showwarning = show  # pyright: ignore
    try:
        yield
    finally:
        warnings.showwarning = shown
        root.removeHandler(handler)
        handler.close()
