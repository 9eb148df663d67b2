"""Files that a reader finds as they were before, or whole."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(file: Path) -> Generator[Path]:
    """A file to be written beside ``file`` that takes its place at the end, also the place of a link."""
    partial = file.with_name(f"{file.name}.partial-{os.getpid()}")  # two processes may write the same
    try:
        yield partial
        partial.replace(file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
