"""What the runs of a sweep, which may be in several processes, tell its end: files in its folder."""

import json
from pathlib import Path

from convexp.files.atomic import open_append

REFUSED = ".refused"
STOPPED = ".stopped"


def clear(root: Path) -> None:
    """What an earlier sweep noted is no news any more."""
    for name in (REFUSED, STOPPED):
        (root / name).unlink(missing_ok=True)


def note_refusal(root: Path, run: str, reason: str) -> None:
    """A run could not be done, as its folder belongs to another run or process."""
    with open_append(root / REFUSED) as file:
        file.write(json.dumps([run, reason]) + "\n")


def refusals(root: Path) -> list[tuple[str, str]]:
    """The runs that were refused, each with its reason."""
    file = root / REFUSED
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [(run, reason) for run, reason in map(json.loads, lines)]


def stop(root: Path) -> None:
    """No further run of the sweep is to start."""
    open_append(root / STOPPED).close()


def stopped(root: Path) -> bool:
    """Whether a run has failed that was to stop the sweep."""
    return (root / STOPPED).exists()
