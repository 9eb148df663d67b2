"""What the file of a lease says."""

import os
import secrets
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from convexp.files.host import host, process_started

SIZE = 1024  # bytes of every lease: rewriting it takes no space, and a reader finds a whole one
LONGEST = 60.0  # seconds between two beats
DEFAULT = 5.0
VARIABLE = "CONVEXP_HEARTBEAT"
ENGINE = "CONVEXP_ENGINE"


class Lease(Struct, frozen=True, kw_only=True):
    """What the file of a lease says.

    Attributes:
        host: The machine of the holder, as ``convexp.files.host`` names it.
        pid: Number of its process there.
        started: When that process was started, as ``process_started`` returns it.
        engine: What started the process, such as ``slurm 123_4``; None if nothing is known.
        since: When it was taken, by the clock of the holder; only to be shown.
        every: Seconds between two beats.
        token: A random text that tells this lease from all others.
        beat: How often it was rewritten.
        released: Whether its holder has ended.
    """

    host: Annotated[str, Meta(max_length=256)]
    pid: Annotated[int, Meta(ge=1, le=2**31)]
    started: Annotated[str, Meta(max_length=64)] | None
    engine: Annotated[str, Meta(max_length=128)] | None
    since: Annotated[str, Meta(max_length=64)]
    every: Annotated[float, Meta(gt=0, le=LONGEST)]
    token: Annotated[str, Meta(max_length=64)]
    beat: int = 0
    released: bool = False


def new_lease(since: str) -> Lease:
    """Return a lease of this process."""
    engine = os.environ.get(ENGINE)
    return Lease(
        host=host()[:256],
        pid=os.getpid(),
        started=process_started(os.getpid()),
        engine=engine[:128] if engine else None,
        since=since,
        every=interval(),
        token=secrets.token_hex(16),
    )


def interval() -> float:
    """Seconds between two beats: ``CONVEXP_HEARTBEAT`` if that is a number from 0.01 to 60, else 5."""
    try:
        value = float(os.environ.get(VARIABLE, DEFAULT))
    except ValueError:
        return DEFAULT
    return value if 0.01 <= value <= LONGEST else DEFAULT


def encoded(lease: Lease) -> bytes:
    """Return the content of its file."""
    return msgspec.json.encode(lease).ljust(SIZE - 1) + b"\n"


def decoded(content: bytes) -> Lease | None:
    """Return what the content of a file says; None if it is unreadable, such as one that is just being written."""
    try:
        return msgspec.json.decode(content, type=Lease)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
