"""Marker files in a sweep's folder, by which its runs, in any process, report what the end of the sweep has to know."""

import json
from contextlib import suppress
from pathlib import Path

from convexp.files.atomic import append_line, open_append
from convexp.files.locks import locked

REFUSED = ".refused"
STOPPED = ".stopped"
LOCK = ".refused.lock"


def clear_markers(root: Path) -> None:
    """Remove the markers of an earlier start of the sweep."""
    for name in (REFUSED, STOPPED):
        (root / name).unlink(missing_ok=True)


def mark_refused(root: Path, run: str, reason: str) -> None:
    """Record that a run could not be done, for example because its folder holds another run."""
    with locked(root / LOCK):  # on NFS, appending is not atomic between machines
        append_line(root / REFUSED, json.dumps([run, reason]))


def refused_runs(root: Path) -> list[tuple[str, str]]:
    """The runs that were recorded by ``mark_refused``, each with its reason; a line that was half written is left out."""
    file, found = root / REFUSED, list[tuple[str, str]]()
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []
    for line in lines:
        with suppress(ValueError):
            run, reason = json.loads(line)
            found.append((run, reason))
    return found


def mark_stopped(root: Path) -> None:
    """Record that no further run of the sweep may start (``on_failure=stop``)."""
    open_append(root / STOPPED).close()


def is_stopped(root: Path) -> bool:
    """Whether ``mark_stopped`` was called since the sweep was started."""
    return (root / STOPPED).exists()
