"""How a search stops runs that do worse than others: files in the sweep's folder, which are there while it is at work.

A run adds what it has monitored after each epoch to a file of its own. The search reads these, and asks a run to stop by
another file, which the run looks for before each epoch. So a run in another process or on another machine needs neither Optuna
nor access to its storage.
"""

import shutil
from contextlib import suppress
from pathlib import Path

from convexp.files.atomic import append_line, atomic_write

FOLDER = ".pruning"
VALUES, STOP = "values", "stop"  # endings of the two files of a run


def begin_pruning(root: Path) -> None:
    """Let the runs that start from now on report what they monitor."""
    end_pruning(root)
    (root / FOLDER).mkdir()


def end_pruning(root: Path) -> None:
    """Forget all reports. Runs that go on are not asked to stop any more."""
    shutil.rmtree(root / FOLDER, ignore_errors=True)


def is_pruning(root: Path) -> bool:
    """Whether a search in the folder may stop runs."""
    return (root / FOLDER).is_dir()


def report_value(root: Path, run: str, epoch: int, value: float) -> None:
    """Report what a run has monitored after an epoch, counted from 1."""
    with suppress(FileNotFoundError):  # the search has ended
        append_line(_file(root, run, VALUES), f"{epoch} {value!r}")


def reported_values(root: Path, run: str) -> dict[int, float]:
    """Return what a run has reported, by epoch; a line that is being written, or was half written, is left out."""
    found: dict[int, float] = {}
    with suppress(FileNotFoundError):
        text = _file(root, run, VALUES).read_text(encoding="utf-8", errors="replace")
        for line in text[: text.rfind("\n") + 1].splitlines():
            with suppress(ValueError):
                epoch, value = line.split()
                found[int(epoch)] = float(value)
    return found


def ask_to_stop(root: Path, run: str, reason: str) -> None:
    """Ask a run to stop, whether it has started or not."""
    with atomic_write(_file(root, run, STOP)) as partial:
        partial.write_text(reason, encoding="utf-8")


def reason_to_stop(root: Path, run: str) -> str | None:
    """Return why a run is asked to stop; None if it is not."""
    with suppress(FileNotFoundError):
        return _file(root, run, STOP).read_text(encoding="utf-8")
    return None


def _file(root: Path, run: str, ending: str) -> Path:
    return root / FOLDER / f"{run}.{ending}"
