"""Standard output and standard error that never fail a run: what nobody can read is dropped."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

PLAIN = str.maketrans(
    {"±": "+-", "×": "x", "–": "-", "—": "-", "−": "-", "≈": "~", "≤": "<=", "≥": ">=", "…": "...", "→": "->"}
)


class Lenient:
    """A text stream: what it cannot encode is replaced, and once it cannot be written to, all goes to ``os.devnull``."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write the text as far as it can be written; returns its length."""
        try:
            return self.stream.write(text)
        except UnicodeEncodeError:
            encoding = self.stream.encoding
            return self.write(text.translate(PLAIN).encode(encoding, "replace").decode(encoding))
        except OSError:
            self._give_up()
            return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write one line after the other; their ends are part of them."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hand on what is in the buffer, if anybody reads it."""
        try:
            self.stream.flush()
        except OSError:
            self._give_up()

    def _give_up(self) -> None:
        """Nobody reads it (a closed pipe), or the disk is full: what is left in the buffer must not fail at the exit."""
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)
            self.stream.flush()


@contextmanager
def lenient_output() -> Generator[None]:
    """``sys.stdout`` and ``sys.stderr`` are ``Lenient``."""
    _fill_closed()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_lenient, before)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


def _lenient(stream: TextIO | None) -> Any:
    """A stream that was closed when Python started is None."""
    return stream if isinstance(stream, Lenient) else Lenient(stream or Path(os.devnull).open("w", encoding="utf-8"))


def _fill_closed() -> None:
    """Numbers 0 to 2 are taken, or the first file that is opened would get what is printed (``>&-`` in a shell)."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
