"""Runs that were handed to an engine and wait there, such as in the queue of Slurm: one line of JSON for each in a file."""

from pathlib import Path

import msgspec
from msgspec import Struct

from convexp.files.atomic import open_append
from convexp.files.locks import locked

FILE = ".submitted"
LOCK = ".submitted.lock"


class Submission(Struct, frozen=True, kw_only=True):
    """A run that was handed to an engine.

    Attributes:
        run: Name of its folder in the folder of the sweep.
        engine: Name of the engine, such as ``slurm``.
        job: What the engine calls the job that does the run, such as ``123_4``.
        host: The machine that it was submitted from.
        at: When, as ISO 8601 in UTC.
    """

    run: str
    engine: str
    job: str
    host: str
    at: str


def add_submissions(root: Path, submissions: list[Submission]) -> None:
    """Append to the list in the folder ``root`` of a sweep."""
    with locked(root / LOCK), open_append(root / FILE) as file:  # on NFS, appending is not atomic between machines
        file.write("".join(f"{msgspec.json.encode(each).decode()}\n" for each in submissions))


def read_submissions(root: Path) -> dict[str, Submission]:
    """Return the latest submission of each run, by the name of its folder; lines that are damaged are left out."""
    file = root / FILE
    found: dict[str, Submission] = {}
    for line in file.read_bytes().splitlines() if file.is_file() else ():
        try:
            each = msgspec.json.decode(line, type=Submission)
        except msgspec.MsgspecError:
            continue
        found[each.run] = each
    return found
