"""A lease that this process holds."""

import os
from contextlib import suppress
from pathlib import Path
from threading import Lock

from msgspec.structs import replace

from convexp.files.leases.lease import SIZE, Lease, decoded, encoded
from convexp.files.leases.place import LeasePlace


class HeldError(Exception):
    """Another process holds the lease, or was faster."""


class HeldLease:
    """A lease that this process holds.

    Args:
        place: Where it lies.
        number: Its number.
        lease: What it says.
    """

    def __init__(self, place: LeasePlace, number: int, lease: Lease) -> None:
        self.place = place
        self.number = number
        self.lease = lease
        self._writing = Lock()  # a thread of this process must not read what another one has half written

    @property
    def file(self) -> Path:
        """Its file."""
        return self.place.file(self.number)

    def is_ours(self) -> bool:
        """Whether no other process has taken it over.

        Raises:
            OSError: If that cannot be told for now.
        """
        with self._writing:
            try:
                handle = os.open(self.file, os.O_RDONLY | os.O_NOFOLLOW)  # on NFS, opening asks the server for the latest
            except FileNotFoundError:
                return False
            try:
                return self._is_token_in(handle) and not self._has_successor()
            finally:
                os.close(handle)

    def beat(self) -> bool:
        """Rewrite it with the next number; returns whether it is still ours.

        Raises:
            OSError: If it can be neither read nor written for now.
        """
        with self._writing:
            self.lease = replace(self.lease, beat=self.lease.beat + 1)
            return self._write() and not self._has_successor()

    def release(self) -> None:
        """Say that it has ended; one that another process has taken over stays as it is."""
        with self._writing, suppress(OSError):
            self.lease = replace(self.lease, released=True)
            self._write()

    def _is_token_in(self, handle: int) -> bool:
        found = decoded(os.read(handle, SIZE))
        return found is not None and found.token == self.lease.token

    def _has_successor(self) -> bool:
        return os.path.lexists(self.place.file(self.number + 1))

    def _write(self) -> bool:
        """Write into the file with our token, and into no other; returns whether it is there."""
        try:
            handle = os.open(self.file, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            if not self._is_token_in(handle):
                return False
            os.pwrite(handle, encoded(self.lease), 0)
        finally:
            os.close(handle)  # on NFS this sends it to the server
        return True
