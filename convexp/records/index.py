"""The records of all runs below a folder."""

import gc
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from convexp.errors import ConfigError, ConvexpError
from convexp.records.damage import DamagedError
from convexp.records.decode import RecordDecoder
from convexp.records.record import RunRecord
from convexp.records.record_file import FILE, load_record
from convexp.records.status import RunStatus


def collect(root: Path) -> list[RunRecord]:
    """Read the records of all runs below ``root``, sorted by path; of each only what a report needs.

    Sections that are equal in two records are one object. Of what the probes measured only the maps of the shift map are kept.
    A run whose record cannot be used has the status DAMAGED or NEWER, and the reason as ``error``.

    Raises:
        ConfigError: If ``root`` is not a folder that can be read, or there are no runs in it.
    """
    check_readable(root)
    decoder = RecordDecoder(for_report=True)
    with gc_paused():
        found = [_read(folder, str(folder.relative_to(root)), decoder) for folder in run_folders(root)]
    if not found:
        raise ConfigError(f"{root}: there are no runs of convexp in this folder; name one that runs lie in")
    return found


def run_folders(root: Path) -> Iterator[Path]:
    """Yield the folders below ``root``, itself included, in which a run was started, sorted by path.

    Links are not followed, and runs do not nest.
    """
    folders = [root]
    while folders:
        folder = folders.pop()
        below, is_run = _scan(folder)
        if is_run:
            yield folder
        else:
            folders.extend(folder / name for name in sorted(below, reverse=True))


def _scan(folder: Path) -> tuple[list[str], bool]:
    """Names of the folders in ``folder``, and whether it is a run's own folder."""
    below: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name == FILE:
                    return [], True
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.name)
    except OSError:
        return [], True  # listed as damaged, so that a report shows that something is left out
    return below, ".hydra" in below and "checkpoints" in below


def _read(folder: Path, path: str, decoder: RecordDecoder) -> RunRecord:
    try:
        record = load_record(folder, decoder)
    except DamagedError as error:
        return RunRecord(state=RunStatus.DAMAGED, error=str(error), path=path)
    except ConvexpError as error:
        return RunRecord(state=RunStatus.NEWER, error=str(error), path=path)
    record.path = path
    return record


@contextmanager
def gc_paused() -> Generator[None]:
    """Switch Python's cyclic garbage collector off for the block.

    Among thousands of records, which are no garbage, it would take a tenth of a report's time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def check_readable(root: Path) -> None:
    """Check that a folder can be read.

    Raises:
        ConfigError: If it cannot.
    """
    if not root.exists():
        raise ConfigError(f"{root}: there is no such folder; name one that runs lie in, such as outputs/studies/NAME")
    if not root.is_dir():
        raise ConfigError(f"{root}: is a file; name the folder that the runs lie in")
    if not os.access(root, os.R_OK | os.X_OK):
        raise ConfigError(f"{root}: you are not permitted to read this folder")
