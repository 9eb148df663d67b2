"""Wait for runs that go on in processes of an earlier start, which was killed without them."""

import time
from collections.abc import Sequence
from pathlib import Path

from convexp.records.folder import is_busy
from convexp.terminal import console

SECONDS = 0.5  # between two looks


def wait_until_free(root: Path, folders: Sequence[str]) -> None:
    """Wait until no process works in any of the folders."""
    busy = [folder for folder in folders if is_busy(root / folder)]
    if busy:
        console.out.print(f"waiting for {', '.join(busy)}, which another process is working on", markup=False)
    while any(is_busy(root / folder) for folder in busy):
        time.sleep(SECONDS)
