"""File systems with other locks than this machine's, simulated: as a program, convexp-train on one of them.

``python other_locks.py KIND ...`` with KIND ``local`` (as Lustre mounted with ``localflock``: a lock holds on its own machine,
and says on every other that it is free) or ``none`` (no locks at all). ``CONVEXP_HOST`` says which machine the process is on.
"""

import errno
import hashlib
import os
import sys
import tempfile
from pathlib import Path

from filelock import FileLock


def local(file: Path) -> FileLock:
    """A lock that only processes of the same machine see."""
    file.touch()
    name = hashlib.sha256(f"{os.environ['CONVEXP_HOST']}{file.resolve()}".encode()).hexdigest()
    return FileLock(Path(tempfile.gettempdir()) / f"convexp-test-{name}")


class none(FileLock):  # noqa: N801
    """A lock on a file system that has none."""

    def _acquire(self) -> None:
        Path(self.lock_file).touch()
        raise OSError(errno.ENOLCK, "No locks available")


def put(kind: str) -> None:
    """Replace the locks of this process, before anything has imported them."""
    from convexp.files import locks

    locks.lock = {"local": local, "none": none}[kind]


if __name__ == "__main__":
    put(sys.argv.pop(1))
    from convexp.cli.train import main

    main()
