"""TensorBoard's files with one content, replaced as a whole; what grows is written by the logger."""

from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]
from tensorboard.summary.writer.record_writer import RecordWriter

from convexp.files.atomic import atomic_write

# TensorBoard reads the files of a folder in the order of their names, and the first word on a thing counts: these come before
# the logger's, which have the time in their names.
PREFIX = "events.out.tfevents.0000000000."


def write_summary(file: Path, summary: Any, seconds: float) -> None:
    """Replace ``file`` by one that holds this summary, written at ``seconds`` since 1970."""
    with atomic_write(file) as partial, partial.open("wb") as opened:
        writer = RecordWriter(opened)
        for event in (Event(wall_time=seconds, file_version="brain.Event:2"), Event(wall_time=seconds, summary=summary)):
            writer.write(event.SerializeToString())


def read_summary(file: Path) -> Any | None:
    """The summary that ``write_summary`` wrote; None if there is none."""
    if not file.is_file():
        return None
    return next((event.summary for event in EventFileLoader(str(file)).Load() if event.HasField("summary")), None)
