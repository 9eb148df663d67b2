"""The records of all runs below a folder."""

import os
from collections.abc import Container, Iterator
from contextlib import suppress
from pathlib import Path

from convexp.errors import ConfigError, ConvexpError
from convexp.files.atomic import atomic_write
from convexp.machine.garbage import gc_paused
from convexp.records.damage import DamagedError
from convexp.records.decode import RecordDecoder
from convexp.records.file_state import FileState, file_state, is_settled, time_of
from convexp.records.index_file import FILE, read_blocks, write_blocks
from convexp.records.index_rows import Rows
from convexp.records.record import RunRecord
from convexp.records.record_file import FILE as RECORD
from convexp.records.record_file import load_record
from convexp.records.status import RunStatus

STAGING = ".taking-over-"  # begins the names of folders in that of a sweep, in which a run is put together that it takes over
FEWEST_NEW = 100  # finished runs that the index lacks, for which it is written
NEW_SHARE = 0.05  # of those that it knows, likewise: writing it again for each run would take longer than it saves


def collect(root: Path, with_maps: bool = True) -> list[RunRecord]:
    """Read the records of all runs below ``root``, sorted by path; of each only what a report needs.

    Sections that are equal in two records are one object. Of what the probes measured only the maps of the shift map are kept.
    A run whose record cannot be used has the status DAMAGED or NEWER, and the reason as ``error``.

    Records of finished runs that have not changed since they were last read come from the index of the folder
    (``convexp.records.index_file``), which is written if many are new. It changes nothing but the time that this takes.

    Args:
        root: The folder.
        with_maps: Whether to read the maps of the shift map.

    Raises:
        ConfigError: If ``root`` is not a folder that can be read, or there are no runs in it.
    """
    check_readable(root)
    found = records_below(root, with_maps)
    if not found:
        raise ConfigError(f"{root}: there are no runs of convexp in this folder; name one that runs lie in")
    return found


def records_below(root: Path, with_maps: bool = True, update: bool = True) -> list[RunRecord]:
    """Read the records below ``root`` as ``collect`` does; none if there is no such folder.

    Args:
        root: The folder.
        with_maps: Whether to read the maps of the shift map.
        update: Whether the index may be written.
    """
    if not root.is_dir():
        return []
    with gc_paused():  # among thousands of records, which are no garbage, it would take a tenth of a report's time
        collection = _Collection(root, with_maps)
        found = collection.records()
        if update:
            collection.update({record.path for record in found})
        return found


class _Collection:
    """The records below a folder, from its index where that knows them, else from their files."""

    def __init__(self, root: Path, with_maps: bool) -> None:
        self.root = root
        self.with_maps = with_maps
        self.known = _read_rows(root)
        self.new: list[tuple[RunRecord, FileState | None]] = []
        self.decoder = RecordDecoder(for_report=True)

    def records(self) -> list[RunRecord]:
        """Read all records."""
        found = [self._record(path, state) for path, state in _runs_below(str(self.root), self.known)]
        if len(self.known):
            for record, _ in self.new:
                self.known.share(record)
        return found

    def _record(self, path: str, state: FileState | None) -> RunRecord:
        if path in self.known:
            with suppress(LookupError, TypeError, ValueError):  # whoever wrote the index, it was not a convexp
                record = self.known.record(path, state, self.with_maps)
                if record is not None:
                    return record
        record = _read(self.root / path, path, self.decoder)
        self.new.append((record, state))
        return record

    def update(self, paths: set[str]) -> None:
        """Write the index if many of the runs that were read are new; it forgets runs that are not among ``paths``."""
        finished = [(record, state) for record, state in self.new if record.is_finished and state is not None]
        if len(finished) < max(FEWEST_NEW, NEW_SHARE * len(self.known)):
            return
        with suppress(OSError), atomic_write(self.root / FILE) as partial:  # not where only others may write
            now = time_of(partial)
            for record, state in finished:
                with suppress(ValueError):
                    if is_settled(state, now):
                        self.known.add(record, state)
            write_blocks(partial, *self.known.encode(paths))


def _read_rows(root: Path) -> Rows:
    try:
        return Rows(read_blocks(root))
    except ValueError:  # damaged
        return Rows()


def run_folders(root: Path) -> Iterator[Path]:
    """Yield the folders below ``root``, itself included, in which a run was started, sorted by path.

    Links are not followed, and runs do not nest.
    """
    return (root / path for path, _ in _runs_below(str(root), ()))


def _runs_below(root: str, known: Container[str]) -> Iterator[tuple[str, FileState | None]]:
    """Yield the run folders below ``root`` as ``run_folders`` does, relative to it, each with the state of its record.

    A folder that is ``known`` to hold a run is not listed if it still has a record.
    """
    folders = [""]
    while folders:
        path = folders.pop()
        folder = f"{root}/{path}"
        state = file_state(f"{folder}/{RECORD}") if path in known else None
        below, is_run = ([], True) if state else _scan(folder)
        if is_run:
            yield path or ".", state or file_state(f"{folder}/{RECORD}")
        else:
            folders.extend(f"{path}/{name}" if path else name for name in sorted(below, reverse=True))


def _scan(folder: str) -> tuple[list[str], bool]:
    """Names of the folders in ``folder``, and whether it is a run's own folder."""
    below: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name == RECORD:
                    return [], True
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(STAGING):
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
