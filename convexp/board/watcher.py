"""Brings the dashboard of a sweep up to date while its runs are at work, in a thread of the process that started it."""

import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path

from convexp.records.index import run_folders
from convexp.records.record_file import FILE as RECORD

PAUSE = 15.0  # seconds between two looks
SHARE = 20  # and at least this many times the processor's time for the last, so that a large sweep is not slowed down

State = dict[str, tuple[int, int]]


class Watcher:
    """Refreshes the dashboard of a sweep whenever results have changed, from ``start`` to ``stop``.

    Errors are left to the report at the end, which says what is wrong: no run depends on the dashboard. The thread also ends
    with the process, and with this object, as a sweep that is interrupted does not call ``stop``.

    Args:
        root: Folder of the sweep.
        pause: Seconds between two looks.
    """

    def __init__(self, root: Path, pause: float = PAUSE) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=_watch, args=(root, pause, self._stopped), name="dashboard", daemon=True)
        weakref.finalize(self, self._stopped.set)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End, once a refresh that is under way is done."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()


def _watch(root: Path, pause: float, stopped: threading.Event) -> None:
    seen: State = {}
    wait = pause
    while not stopped.wait(wait):
        begin = time.thread_time()
        found = results(root)
        if found != seen:
            seen = found
            begin = _refresh(root)
        wait = max(pause, SHARE * (time.thread_time() - begin))


def _refresh(root: Path) -> float:
    """Refresh the dashboard; returns the thread's time when it began, without the imports, which are made once."""
    from convexp.board.update import update_dashboard
    from convexp.reporting.report import build_report

    begin = time.thread_time()
    with suppress(Exception):  # it would end the thread; the report at the end does the same work, and says what is wrong
        report = build_report(root)
        if report.groups:
            update_dashboard(report, root)
    return begin


def results(root: Path) -> State:
    """Return the time and the size of the record of each run below ``root``."""
    found: State = {}
    for folder in run_folders(root):
        with suppress(OSError):
            state = (folder / RECORD).stat()
            found[str(folder)] = state.st_mtime_ns, state.st_size
    return found
