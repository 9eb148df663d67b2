"""Where the leases of one thing lie, which of them counts, and what a first look at it tells."""

import os
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from convexp.files.host import host, process_started
from convexp.files.leases.lease import SIZE, Lease, decoded

PREFIX = ".lease-"  # of the leases of a run, in its folder


class Judgement(Enum):
    """What a first look at a lease tells."""

    FREE = auto()  # there is none, its holder has ended it, or its process on this machine is dead
    HELD = auto()  # its process on this machine lives
    UNKNOWN = auto()  # it is of another machine, or unreadable: only watching tells


@dataclass(frozen=True)
class FoundLease:
    """A lease as it was read.

    Attributes:
        number: Its number.
        content: The bytes of its file.
        lease: What it says; None if it is unreadable.
    """

    number: int
    content: bytes
    lease: Lease | None


@dataclass(frozen=True)
class LeasePlace:
    """Where the leases of one thing lie.

    Attributes:
        folder: The folder that they lie in.
        prefix: What their names begin with, before the number.
    """

    folder: Path
    prefix: str = PREFIX

    def file(self, number: int) -> Path:
        """The file of the lease with this number."""
        return self.folder / f"{self.prefix}{number}"

    def numbers(self) -> list[int]:
        """The numbers of the leases, in ascending order; none if there is no such folder."""
        try:
            names = os.listdir(self.folder)  # noqa: PTH208 names alone, of thousands of folders
        except (FileNotFoundError, NotADirectoryError):
            return []
        rests = (name.removeprefix(self.prefix) for name in names if name.startswith(self.prefix))
        return sorted(int(rest) for rest in rests if rest.isascii() and rest.isdecimal() and len(rest) <= 18)

    def latest(self) -> FoundLease | None:
        """The lease that counts; None if there is none."""
        numbers = self.numbers()
        if not numbers:
            return None
        content = read_lease(self.file(numbers[-1]))
        return FoundLease(numbers[-1], content, decoded(content))


def read_lease(file: Path) -> bytes:
    """Return the content of the file of a lease; nothing if it cannot be read."""
    with suppress(OSError):
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # on NFS, opening asks the server for the latest
        try:
            return os.read(handle, SIZE)
        finally:
            os.close(handle)
    return b""


def judge(found: FoundLease | None) -> Judgement:
    """Judge a lease at first sight."""
    if found is None:
        return Judgement.FREE
    lease = found.lease
    if lease is None:
        return Judgement.UNKNOWN
    if lease.released:
        return Judgement.FREE
    if lease.host != host():
        return Judgement.UNKNOWN
    lives = lease.started is not None and process_started(lease.pid) == lease.started
    return Judgement.HELD if lives else Judgement.FREE
