"""File systems with other locks than this machine's, simulated: as a program, convexp-train on one of them.

``python other_locks.py KIND ...`` with KIND ``local`` (as Lustre mounted with ``localflock``: a lock holds on its own machine,
and says on every other that it is free) or ``none`` (no locks at all). ``CONVEXP_HOST`` says which machine the process is on.
"""

import errno
import hashlib
import os
import sys
import tempfile
import time
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
    """Replace the locks of this process, in all modules that have imported them."""
    from convexp.files import locks

    before, locks.lock = locks.lock, {"local": local, "none": none}[kind]
    for module in [*sys.modules.values()]:
        if getattr(module, "lock", None) is before:
            module.lock = locks.lock


def wait_in_the_third_epoch() -> None:
    """Have a training wait in its third epoch for a file ``go`` in the working directory."""
    from convexp.training.checkpoints import Checkpoints

    start = Checkpoints.on_train_epoch_start

    def waiting(self, trainer, module):
        start(self, trainer, module)
        while trainer.current_epoch == 2 and not Path("go").exists():
            time.sleep(0.05)

    Checkpoints.on_train_epoch_start = waiting


if __name__ == "__main__":
    put(sys.argv.pop(1))
    if os.environ.get("WAITS"):
        wait_in_the_third_epoch()
    from convexp.cli.train import main

    main()
