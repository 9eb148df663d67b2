"""TensorBoard event files that hold one summary and are replaced atomically. Files that grow are written by the logger."""

from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]
from tensorboard.summary.writer.record_writer import RecordWriter

from convexp.files.atomic import atomic_write

# TensorBoard reads the files of a folder in the order of their names, and takes the first of two summaries with the same tag.
# This prefix sorts before the logger's files, which have the time in their names.
PREFIX = "events.out.tfevents.0000000000."


def write_summary(file: Path, summary: Any, seconds: float) -> None:
    """Write an event file with one summary.

    Args:
        file: The event file, which is replaced if it exists.
        summary: A ``Summary`` protocol buffer of TensorBoard.
        seconds: Time of the event, in seconds since 1970.
    """
    with atomic_write(file) as partial, partial.open("wb") as opened:
        writer = RecordWriter(opened)
        for event in (Event(wall_time=seconds, file_version="brain.Event:2"), Event(wall_time=seconds, summary=summary)):
            writer.write(event.SerializeToString())


def read_summary(file: Path) -> Any | None:
    """Read the summary that ``write_summary`` wrote; None if the file does not exist or holds no summary."""
    if not file.is_file():
        return None
    return next((event.summary for event in EventFileLoader(str(file)).Load() if event.HasField("summary")), None)
