"""Standard output and standard error whose failure does not end a run: what cannot be written is dropped."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

ASCII = str.maketrans(
    {"±": "+-", "×": "x", "–": "-", "—": "-", "−": "-", "≈": "~", "≤": "<=", "≥": ">=", "…": "...", "→": "->"}
)


class LenientStream:
    """A text stream that replaces characters it cannot encode. After a failed write, all output goes to ``os.devnull``.

    Args:
        stream: The stream that is written to.
        ours: Whether the process is convexp's own; if it is not, its file descriptors are left as they are.
    """

    def __init__(self, stream: TextIO, ours: bool = True) -> None:
        self.stream = stream
        self.ours = ours

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write ``text``, as far as that is possible; returns its length."""
        try:
            return self.stream.write(text)
        except UnicodeEncodeError:
            encoding = self.stream.encoding
            return self.write(text.translate(ASCII).encode(encoding, "replace").decode(encoding))
        except OSError:
            self._give_up()
            return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write the lines one after the other; no line ends are added."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write what is in the buffer, if it can be written."""
        try:
            self.stream.flush()
        except OSError:
            self._give_up()

    def _give_up(self) -> None:
        """Redirect the stream after a failed write (a closed pipe, a full disk), so that the flush at exit does not fail."""
        if not self.ours:
            return
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)
            self.stream.flush()


@contextmanager
def lenient_output(ours: bool = True) -> Generator[None]:
    """A context in which ``sys.stdout`` and ``sys.stderr`` are ``LenientStream``.

    Args:
        ours: Whether the process is convexp's own, whose file descriptors may be changed.
    """
    if ours:
        _open_standard_descriptors()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_lenient(stream, ours) for stream in before)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


def _lenient(stream: TextIO | None, ours: bool) -> Any:
    """``stream`` as a ``LenientStream``; None stands for a stream that was closed when Python started."""
    if isinstance(stream, LenientStream):
        return stream
    return LenientStream(stream or Path(os.devnull).open("w", encoding="utf-8"), ours)


def _open_standard_descriptors() -> None:
    """Open the file descriptors 0 to 2 if they are closed (``>&-`` in a shell): else the first file opened gets the output."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
