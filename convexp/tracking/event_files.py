"""TensorBoard event files that are replaced atomically. Files that grow are written by the logger."""

import re
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

from convexp.files.atomic import atomic_write

proto: Any = event_pb2  # protobuf makes its classes when it is imported: there is nothing for a type checker to see

# TensorBoard reads the files of a folder in the order of their names, and takes the first of two summaries with the same tag.
# This prefix sorts before the logger's files, which have the time in their names.
PREFIX = "events.out.tfevents.0000000000."
EDITION = re.compile(r"events\.out\.tfevents\.(\d{10})\.(.+)")


def write_summary(file: Path, summary: Any, seconds: float) -> None:
    """Write an event file with one summary.

    Args:
        file: The event file, which is replaced if it exists.
        summary: A ``Summary`` protocol buffer of TensorBoard.
        seconds: Time of the event, in seconds since 1970.
    """
    with atomic_write(file) as partial:
        partial.write_bytes(_records([proto.Event(wall_time=seconds, summary=summary)], seconds))


def read_summary(file: Path) -> Any | None:
    """Read the summary that ``write_summary`` wrote; None if the file does not exist or holds no summary."""
    if not file.is_file():
        return None
    return next((event.summary for event in EventFileLoader(str(file)).Load() if event.HasField("summary")), None)


def write_edition(folder: Path, name: str, summaries: Sequence[tuple[int, Any]], seconds: float) -> bool:
    """Write an event file that stands in place of its earlier editions, also for a TensorBoard that is running.

    TensorBoard reads on where it stopped, so it would not see a file that replaces another. It does read a new file whose name
    sorts after those that it knows. So each edition has a number in its name, and begins with the event of a program that
    starts again at step 0: from this step on, TensorBoard drops what it has read of these tags. When it is complete the edition
    before it is emptied, and removed by the next: TensorBoard's slower reader never goes on from a file that is gone
    (``docs/dashboard.md``).

    Args:
        folder: Folder of the file, which is made if it does not exist.
        name: What the file is called after its number; the same for all editions.
        summaries: ``Summary`` protocol buffers of TensorBoard with their steps, ascending for each tag.
        seconds: Time of all events, in seconds since 1970. TensorBoard lists runs by the time of their first event.

    Returns:
        Whether a file was written. None is if the last edition has the same content.

    Raises:
        OSError: If the folder cannot be written to.
    """
    start = proto.Event(wall_time=seconds, step=0, session_log=proto.SessionLog(status=proto.SessionLog.START))
    content = _records([start, *(proto.Event(wall_time=seconds, step=step, summary=made) for step, made in summaries)], seconds)
    folder.mkdir(parents=True, exist_ok=True)
    before = editions(folder, name)
    is_new = not before or not _holds(before[-1], content)
    if is_new:
        number = _number(before[-1]) + 1 if before else 1
        with atomic_write(folder / f"events.out.tfevents.{number:010}.{name}") as partial:
            partial.write_bytes(content)
    _retire(before if is_new else before[:-1])
    return is_new


def _retire(files: Sequence[Path]) -> None:
    """Empty the last of these editions, and remove the others."""
    for file in files[:-1]:
        with suppress(OSError):
            file.unlink()
    for file in files[-1:]:
        with suppress(OSError):
            if file.is_symlink() or file.stat().st_size > 0:
                with atomic_write(file):  # empty
                    pass


def editions(folder: Path, name: str) -> list[Path]:
    """Return the editions of an event file that ``folder`` holds, the newest last; the others are empty, or about to be."""
    try:
        found = [entry for entry in folder.iterdir() if (match := EDITION.fullmatch(entry.name)) and match[2] == name]
    except OSError:
        return []
    return sorted(found, key=_number)


def _number(file: Path) -> int:
    match = EDITION.fullmatch(file.name)
    return int(match[1]) if match else 0


def _holds(file: Path, content: bytes) -> bool:
    try:
        return not file.is_symlink() and file.is_file() and file.read_bytes() == content
    except OSError:
        return False


def _records(events: Sequence[Any], seconds: float) -> bytes:
    stream = BytesIO()
    writer = RecordWriter(stream)
    for event in (proto.Event(wall_time=seconds, file_version="brain.Event:2"), *events):
        writer.write(event.SerializeToString())
    return stream.getvalue()
