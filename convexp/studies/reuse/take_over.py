"""Taking a finished run over from another folder: whole or not at all, and only if it is the run that is wanted."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from convexp.config.hydra_files import FOLDER, read_saved_config
from convexp.config.trust import parse_saved_config
from convexp.errors import ConvexpError, one_line
from convexp.files.atomic import PARTIAL
from convexp.files.json_files import read_json, write_json
from convexp.files.link_tree import link_or_copy
from convexp.machine.environment import now
from convexp.records import identity_hash, read_record
from convexp.records.contents import LEASE, check_inside, check_way
from convexp.records.folder import prune
from convexp.records.record_file import FILE as RECORD
from convexp.records.statuses import LOCK, is_busy
from convexp.studies.reuse.candidates import is_complete
from convexp.studies.reuse.staging import staged
from convexp.tracking.kept_names import FILE as NAMES

# Files that convexp replaces as a whole, if it changes them at all. A user's callbacks may change any other file in place.
REPLACED = (Path("checkpoints/best.ckpt"), Path("checkpoints/last.ckpt"))


ATTEMPTS, PAUSE = 20, 0.05  # looks at a lock, and seconds between them: another sweep may just be testing whether it is free


class NotTakenError(ConvexpError):
    """A run is not taken over; the message says why, in one line."""


def take_over(source: Path, target: Path, root: Path, identity: str, row: Callable[[Path], None] | None = None) -> None:
    """Make a finished run that lies in ``source`` the run in ``target``, with its origin in its record.

    Args:
        source: Its folder, which may be removed afterwards.
        target: The folder that it gets in that of the sweep. Of several processes that take it over, one does.
        root: The folder of the sweep.
        identity: The identity that it has to have.
        row: Writes its row of TensorBoard's table into the folder that it is put together in; None writes none.

    Raises:
        NotTakenError: if it is not that run, is not whole or not signed, is being changed, or if ``target`` holds something.
    """
    try:
        before = _state(source)
        _check(source, identity)
        check_way(root, target)
        make_way(target)
        with staged(root, target) as folder:
            _copy(source, folder)
            _write_origin(source, folder)
            if row is not None:
                row(folder)
            if _state(source) != before or _is_held(source):
                raise NotTakenError("it is being changed")
    except OSError as error:
        raise NotTakenError(f"it cannot be copied ({error.strerror or one_line(error)})") from None
    except NotTakenError:
        raise
    except ConvexpError as error:
        raise NotTakenError(str(error)) from None


def make_way(target: Path) -> None:
    """Remove what a start that was killed early has left in a folder, as nothing can be renamed to one that holds something.

    Raises:
        NotTakenError: if it holds more than that.
    """
    if target.is_dir() and not target.is_symlink():
        prune(target)
        if target.is_dir() and any(target.iterdir()):
            raise NotTakenError("its folder holds files already")


def _check(source: Path, identity: str) -> None:
    """Check that the folder holds the finished run with this identity, whole, and that we wrote its configuration."""
    check_inside(source)
    record = read_record(source)
    if record is None or record.identity != identity or not is_complete(source, record):
        raise NotTakenError("it is not the finished run any more")
    saved = read_saved_config(source, "reuse")
    if saved.doubt is not None:
        raise NotTakenError(f"it may be somebody else's: {saved.doubt}")
    if identity_hash(parse_saved_config(saved).identity()) != identity:
        raise NotTakenError(f"the identity of its configuration ({FOLDER}/config.yaml) is another than that of its record")
    if _is_held(source):
        raise NotTakenError("another process is working on it")


def _is_held(source: Path) -> bool:
    """Whether a process works in a folder, and does not just look at it."""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE)
        if not is_busy(source):
            return False
    return True


def _state(source: Path) -> list[tuple[str, int, int, int]]:
    """What changes when anything is written into a folder."""
    found: list[tuple[str, int, int, int]] = []
    for path in _files(source):
        status = path.lstat()
        found.append((str(path), status.st_ino, status.st_size, status.st_mtime_ns))
    return found


def _files(source: Path) -> Iterator[Path]:
    """The files of a run that belong to it wherever it lies, which links and the names that trackers have for it do not."""
    for path, folders, names in os.walk(source):
        folders.sort()
        for name in sorted(names):
            file = Path(path, name)
            if (
                name not in (LOCK, NAMES)
                and not LEASE.fullmatch(name)
                and not PARTIAL.fullmatch(name)
                and not file.is_symlink()
            ):
                yield file


def _copy(source: Path, folder: Path) -> None:
    for file in _files(source):
        if file != source / RECORD:
            name = file.relative_to(source)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(file, folder / name, link=name in REPLACED)
    (folder / LOCK).touch()


def _write_origin(source: Path, folder: Path) -> None:
    """Write the record, as it is but for its origin: where the run was done, even if it was taken over there."""
    record: dict[str, Any] | None = read_json(source / RECORD)
    if record is None:
        raise NotTakenError("its record cannot be read")
    earlier = record.get("taken_over")
    origin = earlier.get("folder") if isinstance(earlier, dict) else None
    write_json(folder / RECORD, record | {"taken_over": {"folder": origin or str(source.absolute()), "at": now()}})
