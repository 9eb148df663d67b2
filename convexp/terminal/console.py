"""What is said on the terminal."""

import logging
import shlex
import shutil
import sys
import warnings
from collections.abc import Generator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from multiprocessing import current_process
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.markup import escape

T = TypeVar("T")

out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
warned: set[str] = set()


def complain(program: str, message: str) -> None:
    """One line on stderr."""
    err.print(f"[bold red]{program}:[/] {escape(' '.join(message.split()))}")


def is_terminal() -> bool:
    """Whether somebody watches: progress bars are for people, and processes side by side would draw theirs over each other."""
    return sys.stdout.isatty() and current_process().name == "MainProcess"


def track(items: Iterable[T], what: str, total: int | None = None, delay: float = 1) -> Iterator[T]:
    """The items, with a progress bar if somebody watches and it takes longer than ``delay`` s; it disappears at the end."""
    if not is_terminal():
        return iter(items)
    from tqdm import tqdm

    return iter(tqdm(items, what, total, leave=False, delay=delay, dynamic_ncols=True))


def say(from_out: str, from_err: str) -> None:
    """Pass on what another process has said, above a progress bar if there is one."""
    with _above_the_bar():
        out.out(from_out, end="")
        err.out(from_err, end="")


def _above_the_bar() -> AbstractContextManager[None]:
    if not is_terminal():
        return nullcontext()
    from tqdm import tqdm

    return tqdm.external_write_mode()


def shorten(path: Path) -> str:
    """The path from here, if it lies below here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path)


def tensorboard(logdir: str) -> str:
    """The command that shows ``logdir``, as it can be typed here."""
    ours = Path(sys.executable).parent / "tensorboard"
    found = shutil.which("tensorboard")
    program = "tensorboard" if found is not None and Path(found) == ours else shorten(ours)
    return f"{program} --logdir {shlex.quote(logdir)}"


@contextmanager
def passing(what: str) -> Generator[None]:
    """Say what takes its time while somebody watches; the line disappears at the end."""
    with out.status(what) if is_terminal() else nullcontext():
        yield


def warn(message: str) -> None:
    """A line on stderr, above a progress bar; the same one only once."""
    if message not in warned:
        warned.add(message)
        with _above_the_bar():
            err.print(f"warning: {' '.join(message.split())}", markup=False, style="yellow")


@contextmanager
def warnings_once() -> Generator[None]:
    """What Python warns of is handed to ``warn``."""
    before = warnings.showwarning
    warnings.showwarning = lambda message, *_rest: warn(str(message))  # pyright: ignore
    try:
        yield
    finally:
        warnings.showwarning = before


class Warnings(logging.Handler):
    """Hands what is logged to ``warn`` (conf/hydra/job_logging/quiet.yaml)."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say what the record says."""
        warn(record.getMessage())
